"""The API against a plain model: any row of requests leaves both alike, and the state file, too."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mockchat import Config, MockChat
from mockchat.core.state_database import Database
from tests.clients import Reply, send

uids = st.sampled_from(["a", "B", "c"])  # few, so that they collide
roles = st.sampled_from(["default", "pro"])
apps = st.sampled_from(["APP_ID", "other"])
Model = dict[str, Any]


def empty() -> Model:
    return {"users": {}, "roles": {"default"}, "tokens": {}}


class ApiAgainstModel(RuleBasedStateMachine):
    """Sends requests to a server and does the same to dicts."""

    @initialize()
    def start(self) -> None:
        self.folder = TemporaryDirectory()
        self.path = Path(self.folder.name, "state.db")
        state = str(self.path)
        config = Config(port=0, https_port=None, login_latency=0, fixture=("empty",), state=state)
        self.mock = MockChat(config)
        self.running = self.mock.in_thread()
        self.running.__enter__()
        self.apps: dict[str, Model] = {"APP_ID": empty()}
        self.kept: dict[str, Model] | None = None

    def teardown(self) -> None:
        if hasattr(self, "running"):
            held = self.mock.state()
            self.running.__exit__(None, None, None)
            database = Database(self.path)
            database.open()
            saved = database.read()[0]
            database.close()
            assert saved == held
            self.folder.cleanup()

    def ask(self, app: str, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        known: Any = headers or {"apikey": "REST_API_KEY"}
        return send(method, f"{self.mock.url}/apps/{app}/v3{path}", body, **known)

    def app(self, name: str, reply: Reply) -> Model:
        """The model of an app, which a request makes unless it is refused."""
        if name not in self.apps and reply.status == 200:
            self.apps[name] = empty()
        return self.apps.get(name, empty())

    # --- users --------------------------------------------------------------------------
    @rule(app=apps, uid=uids, role=roles)
    def create(self, app: str, uid: str, role: str) -> None:
        model = self.apps.get(app, empty())
        good = uid.lower() not in model["users"] and role in model["roles"]
        reply = self.ask(app, "POST", "/users", {"uid": uid, "name": uid, "role": role})
        assert (reply.status == 200) is good, reply
        if good:
            self.app(app, reply)["users"][uid.lower()] = {"name": uid, "role": role, "active": True}

    @rule(app=apps, uid=uids, name=st.sampled_from(["Ann", "Bob"]))
    def update(self, app: str, uid: str, name: str) -> None:
        user = self.active(app, uid)
        reply = self.ask(app, "PUT", f"/users/{uid}", {"name": name})
        assert (reply.status == 200) is bool(user), reply
        if user:
            user["name"] = name

    @rule(app=apps, uid=uids, permanent=st.booleans())
    def delete(self, app: str, uid: str, *, permanent: bool) -> None:
        user = self.active(app, uid)
        if not user and uid.lower() in self.apps.get(app, empty())["users"]:
            return  # it is deactivated already
        reply = self.ask(app, "DELETE", f"/users/{uid}", {"permanent": permanent})
        assert (reply.status == 200) is bool(user), reply
        if user:
            user["active"] = False
            self.end_tokens(app, uid)
            if permanent:
                del self.apps[app]["users"][uid.lower()]

    @rule(app=apps, uid=uids)
    def reactivate(self, app: str, uid: str) -> None:
        reply = self.ask(app, "PUT", "/users", {"uidsToActivate": [uid]})
        user = self.app(app, reply)["users"].get(uid.lower())
        if user:
            user["active"] = True

    def active(self, app: str, uid: str) -> Model | None:
        user: Model | None = self.apps.get(app, empty())["users"].get(uid.lower())
        return user if user and user["active"] else None

    # --- tokens -------------------------------------------------------------------------
    @rule(app=apps, uid=uids)
    def issue(self, app: str, uid: str) -> None:
        user = self.active(app, uid)
        reply = self.ask(app, "POST", f"/users/{uid}/auth_tokens", {"force": True})
        assert (reply.status == 200) is bool(user), reply
        if user:
            self.apps[app]["tokens"][reply.data["authToken"]] = uid.lower()

    @rule(app=apps, which=st.integers(0, 9), logs_out=st.booleans())
    def use(self, app: str, which: int, *, logs_out: bool) -> None:
        tokens = self.apps.get(app, empty())["tokens"]
        if tokens:
            token = list(tokens)[which % len(tokens)]
            reply = self.ask(app, "DELETE" if logs_out else "GET", "/me", authToken=token)
            assert reply.status == 200, reply
            if logs_out:
                del tokens[token]

    @rule(app=apps, uid=uids)
    def flush(self, app: str, uid: str) -> None:
        if self.active(app, uid):
            assert self.ask(app, "DELETE", f"/users/{uid}/auth_tokens").status == 200
            self.end_tokens(app, uid)

    def end_tokens(self, app: str, uid: str) -> None:
        tokens = self.apps[app]["tokens"]
        self.apps[app]["tokens"] = {one: of for one, of in tokens.items() if of != uid.lower()}

    # --- roles --------------------------------------------------------------------------
    @rule(app=apps)
    def add_role(self, app: str) -> None:
        good = "pro" not in self.apps.get(app, empty())["roles"]
        reply = self.ask(app, "POST", "/roles", {"role": "pro", "name": "Pro"})
        assert (reply.status == 200) is good, reply
        if good:
            self.app(app, reply)["roles"].add("pro")

    @rule(app=apps)
    def remove_role(self, app: str) -> None:
        model = self.apps.get(app, empty())
        reply = self.ask(app, "DELETE", "/roles/pro")
        assert (reply.status == 200) is ("pro" in model["roles"]), reply
        model["roles"].discard("pro")
        for user in model["users"].values():
            user["role"] = "default"

    # --- all at once --------------------------------------------------------------------
    @rule(app=apps)
    def reset(self, app: str) -> None:
        if app in self.apps:
            self.mock.app(app).reset()
            self.apps[app] = empty()

    @rule()
    def save(self) -> None:
        self.mock.snapshot("s")
        self.kept = copied(self.apps)

    @rule()
    def restore(self) -> None:
        if self.kept is not None:
            self.mock.restore("s")
            self.apps = copied(self.kept)

    # --- laws ---------------------------------------------------------------------------
    @invariant()
    def the_server_holds_what_the_model_holds(self) -> None:
        if not hasattr(self, "mock"):
            return
        held = self.mock.state()
        assert set(held) == set(self.apps)
        for name, model in self.apps.items():
            users = {
                user["uid"].lower(): {
                    "name": user["name"],
                    "role": user.get("role", "default"),
                    "active": "deactivatedAt" not in user,
                }
                for user in held[name]["users"]
            }
            assert users == model["users"]
            assert {role["role"] for role in held[name]["roles"]} == model["roles"]
            tokens = {one["value"]: one["uid"].lower() for one in held[name]["authTokens"]}
            assert tokens == model["tokens"]


def copied(apps_: dict[str, Model]) -> dict[str, Model]:
    return {
        name: {
            "users": {uid: dict(user) for uid, user in model["users"].items()},
            "roles": set(model["roles"]),
            "tokens": dict(model["tokens"]),
        }
        for name, model in apps_.items()
    }


TestApi = ApiAgainstModel.TestCase
TestApi.settings = settings(max_examples=12, stateful_step_count=40, deadline=None)

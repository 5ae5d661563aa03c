"""Bounds: whatever grows with requests is named here, with what keeps it from growing for ever."""

import ast
import contextlib
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request
from pytest_aiohttp.plugin import AiohttpClient

from mockchat import Config, create_app
from mockchat.api import api_keys, roles
from mockchat.core import entities, faults, holds, relations, state, store, user_list, watchers
from mockchat.core.entities import User
from mockchat.core.state import App
from mockchat.core.steps import finish
from mockchat.core.user_list import UserFilter, selecting
from mockchat.wire import dispatch, handler
from mockchat.wire.app import HANDLER, STORE
from mockchat.wire.head import Heads
from tests.values import REST_KEY, Client

ROOT = Path(__file__).parent.parent
APPS = 3


@pytest.fixture
async def client(aiohttp_client: AiohttpClient) -> Client:
    return await aiohttp_client(create_app(Config(max_apps=APPS)))


def default(client: Client) -> App:
    return client.app[STORE].default


async def post(client: Client, path: str, **body: Any) -> None:
    async with client.post(path, json=body, headers=REST_KEY) as answer:
        assert answer.status < 500


# --- what fills each collection over, and returns it ------------------------------------------
async def apps(client: Client) -> Any:
    for number in range(APPS + 2):
        await client.get(f"/apps/a{number}/v3/users", headers=REST_KEY)
    return [app for app in client.app[STORE].apps() if not app.stays]


async def api_keys_(client: Client) -> Any:
    for number in range(api_keys.MAX_KEYS + 2):
        await post(client, "/apikeys", name=f"k{number}", scope="fullAccess")
    return default(client).keys


async def roles_(client: Client) -> Any:
    for number in range(roles.MAX_ROLES + 2):
        await post(client, "/roles", role=f"r{number}", name="R")
    return default(client).roles


async def auth_tokens(client: Client) -> Any:
    for _ in range(state.MAX_TOKENS_PER_USER + 2):
        await post(client, "/users/superhero1/auth_tokens", force=True)
    return default(client).user("superhero1").tokens


async def push_tokens(client: Client) -> Any:
    token = default(client).issue_token(default(client).user("superhero1"))
    for number in range(entities.MAX_PUSH_TOKENS + 2):
        body = {"platform": f"p{number}", "fcmToken": "t"}
        path, known = "/notifications/push/v1/tokens", {"authToken": token.value}
        async with client.post(path, json=body, headers=known) as answer:
            assert answer.status == 200
    return token.push_tokens


async def friends(client: Client) -> Any:
    uids = [f"u{number}" for number in range(relations.MAX_FRIENDS + 25)]
    for uid in uids:
        default(client).add_user(User(uid, uid, 1))
    for start in range(0, len(uids), 25):
        await post(client, "/users/superhero1/friends", accepted=uids[start : start + 25])
    return default(client).user("superhero1").friends


async def fault_rules(client: Client) -> Any:
    for _ in range(faults.MAX_RULES + 2):
        with contextlib.suppress(faults.FaultError):
            client.app[STORE].faults.add("latency", {})
    return client.app[STORE].faults.rules


async def idle_faults(client: Client) -> Any:
    found = client.app[STORE].faults
    for _ in range(faults.MAX_RULES + 2):
        found.remove([found.add("latency", {})])
    return found.idle


async def held_logins(client: Client) -> Any:
    for number in range(holds.MAX_HELD - 1):
        default(client).holds.hold(f"u{number}")
    for uid in ("one", "two", "three"):
        await post(client, "/_mock/logins", uid=uid)
    return default(client).holds.uids


async def snapshots(client: Client) -> Any:
    for number in range(store.MAX_SNAPSHOTS + 2):
        async with client.put(f"/_mock/snapshots/s{number}") as answer:
            assert answer.status in (200, 400)
    return client.app[STORE].snapshots


async def selections(client: Client) -> Any:
    app = default(client)
    await client.get("/users", headers=REST_KEY)
    assert not app.selections  # which the plain list needs none of
    for number in range(user_list.KEPT_SELECTIONS * 2):
        found = [finish(selecting(app, UserFilter(search_key=f"{number}"))) for _ in range(2)]
        assert found[0] is found[1]
    return app.selections


async def watched(client: Client) -> Any:
    with client.app[STORE].journals.watchers.watching(None, watchers.BACKLOG) as watcher:
        for number in range(watchers.BACKLOG + 2):
            watcher.see(number)
        return watcher.take()[0]


async def crashes(client: Client) -> Any:
    async def fail(*_: object) -> None:
        raise AssertionError("a bug")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispatch.Dispatcher, "_run", fail)
        for _ in range(handler.MOST_CRASHES + 2):
            async with client.get("/users", headers=REST_KEY) as answer:
                assert answer.status == 500
    return client.app[HANDLER].crashes


Fill = Callable[[Client], Awaitable[Any]]
FILLED: dict[str, tuple[int, Fill]] = {
    "Store._apps": (APPS, apps),
    "Entities.keys": (api_keys.MAX_KEYS, api_keys_),
    "Entities.roles": (roles.MAX_ROLES, roles_),
    "User.tokens": (state.MAX_TOKENS_PER_USER, auth_tokens),
    "AuthToken.push_tokens": (entities.MAX_PUSH_TOKENS, push_tokens),
    "User.friends": (relations.MAX_FRIENDS, friends),
    "Faults.rules": (faults.MAX_RULES, fault_rules),
    "Faults.idle": (faults.MAX_RULES, idle_faults),
    "Holds._held": (holds.MAX_HELD, held_logins),
    "Store.snapshots": (store.MAX_SNAPSHOTS, snapshots),
    "App.selections": (user_list.KEPT_SELECTIONS, selections),
    "Watcher._pending": (watchers.BACKLOG, watched),
    "RequestHandler.crashes": (handler.MOST_CRASHES, crashes),
}
# Those whose bound a test of their own shows.
SHOWN = {
    "Heads._kept": "test_only_short_heads_of_operations_that_name_a_host_are_kept_and_not_too_many",
    "Journal._exchanges": "test_of_many_or_large_exchanges_the_newest_are_kept",
    "Journals._by_use": "test_journals_of_many_apps_are_bounded_together_and_go_with_them",
    "Deliveries._lines": "test_too_many_events_that_wait_are_dropped_and_a_stop_waits_for_none",
    "Writer._lines": "test_lines_that_stderr_refuses_are_dropped_and_told_once_it_takes_some",
    "Webhooks.urls": "test_a_webhook_needs_a_url_and_there_are_not_too_many",
    "User.tags": "test_each_field_has_limits",
    "_Leaves._contexts": "test_so_many_names_that_clients_make_up_get_a_certificate",
}
# Those that something else bounds.
OTHERS = {
    "the users, which --max-users bounds": (
        "Entities._users", "Entities.tokens", "App._listed", "User.blocked", "User.blocked_by",
        "Changes._apps",
    ),
    "the apps": ("Clock.followers", "Store._seeds"),
    "requests and connections in flight": (
        "App.logins", "Holds.waiting", "Entities.trackers", "Store.trackers", "Watchers.present",
        "ClientWaits._waits", "Proxy._tasks", "Session.timers", "Hub._sessions",
        "Hub._by_token", "Hub._tasks", "Hub._untold", "Deliveries._tasks", "Log._waiting",
    ),
    "a few kinds": ("Quota._used",),
    "one call, which returns it": (
        "Contents.keys", "Contents.roles", "Contents.users", "Contents.tokens", "Contents.listed",
        "Contents.online",
    ),
    "the code and the start": (
        "Clock.listeners", "Faults.on_added", "Faults.on_removed", "Seed.keys", "Seed.users",
        "Seed.roles", "Store.listeners", "RequestHandler.observers", "_Writer._ids",
        "Router.by_name", "Router._rows", "MockChat._crashes", "MockChat._bound",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FILLED)
async def test_a_collection_that_is_filled_over_keeps_its_bound(client: Client, name: str) -> None:
    most, fill = FILLED[name]

    assert len(await fill(client)) == most


def test_the_page_on_performance_tells_the_bounds() -> None:
    page = (ROOT / "docs/performance.md").read_text()
    megabytes = store.MAX_SNAPSHOT_BYTES / 2**20
    for row in (
        f"| auth tokens of a user | {state.MAX_TOKENS_PER_USER} |",
        f"| faults | {faults.MAX_RULES:,} |",
        f"| snapshots | {store.MAX_SNAPSHOTS} of an app, {megabytes:g} MiB together |",
    ):
        assert row in page


# --- the law ----------------------------------------------------------------------------------
KINDS = {"list", "dict", "set", "deque", "OrderedDict", "defaultdict", "Counter"}


def is_collection(value: ast.expr | None) -> bool:
    if not isinstance(value, ast.Call):
        return isinstance(value, ast.List | ast.Dict | ast.Set)
    made = {key.arg: key.value for key in value.keywords}.get("default_factory", value.func)
    return isinstance(made, ast.Lambda) or ast.unparse(made) in KINDS


def collections() -> set[str]:
    """The attributes of objects that are a list, a dict, a set or a deque."""
    found = set()
    rooms = [*(ROOT / "mockchat/core").glob("*.py"), *(ROOT / "mockchat/wire").glob("*.py")]
    for path in (*rooms, ROOT / "mockchat/log.py", ROOT / "mockchat/server.py"):
        classes = [
            one for one in ast.walk(ast.parse(path.read_text())) if isinstance(one, ast.ClassDef)
        ]
        for kind in classes:
            for one in ast.walk(kind):
                if isinstance(one, ast.Assign | ast.AnnAssign) and is_collection(one.value):
                    target = one.targets[0] if isinstance(one, ast.Assign) else one.target
                    name = ast.unparse(target)
                    if name.startswith("self.") or one in kind.body:
                        found.add(f"{kind.name}.{name.removeprefix('self.')}")
    return found


def test_every_collection_has_a_bound_that_is_named() -> None:
    named = {*FILLED, *SHOWN, *(name for names in OTHERS.values() for name in names)}
    texts = "".join(path.read_text() for path in (ROOT / "tests").glob("**/test_*.py"))

    assert collections() == named
    assert not [test for test in SHOWN.values() if f"def {test}(" not in texts]


def test_every_cache_of_what_requests_send_has_a_size() -> None:
    for path in (ROOT / "mockchat").glob("**/*.py"):
        text = path.read_text()
        cached = re.findall(r"^@cache\n(?:async )?def (\w+)\(([^)]*)\)", text, re.MULTILINE)
        # By the file of the start, by classes, by the kinds of faults that there are.
        known = {
            ("_key", "file: Path | None"),
            ("columns", "entity: Any"),
            ("_header", "kind: str"),
            ("compile_print", "schema: type[Schema]"),
        }
        assert {one for one in cached if one[1]} <= known, path
        assert "maxsize=None" not in text, path


def test_only_short_heads_of_operations_that_name_a_host_are_kept_and_not_too_many() -> None:
    heads = Heads(Config(), None)

    def kept(*paths: str, host: str = "localhost") -> int:
        for path in paths:
            heads.read(make_mocked_request("GET", path, {"Host": host} if host else {}))
        return len(heads._kept)  # noqa: SLF001

    assert kept(f"/users/{'u' * 2048}") == kept("/no/such/path") == 0
    assert kept("/users", host="") == 0
    assert kept("/users", host="a b") == 0
    assert kept("/users", "/users", "/users/superhero1") == 2
    assert kept(*(f"/users/{number}" for number in range(1000))) <= 512

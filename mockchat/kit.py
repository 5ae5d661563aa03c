"""The testing kit: the verbs of a test, for one app of a server or for all of them."""

import asyncio
import contextlib
import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn, Self

from mockchat.api.requests import MAX_PER_PAGE
from mockchat.bridge import Bridge
from mockchat.core.entities import Caller, KeyCaller, Scope
from mockchat.core.fault_kinds import KINDS
from mockchat.core.faults import PRESETS
from mockchat.core.ids import camel
from mockchat.core.journal import Exchange, Filter, explain
from mockchat.core.matching import Pattern
from mockchat.core.state import App
from mockchat.core.store import Store

Json = dict[str, Any]

_PATIENCE = 5.0  # seconds that waiting takes at most, if a test does not say
_OF_PATTERN = ("operation", "method", "path", "uid")
_OF_FILTER = ("status", "code", "headers", "json", "since")
_BACK_END = KeyCaller("", Scope.FULL_ACCESS)


class Fault:
    """A fault that a test added; leaving its `with` block removes it."""

    def __init__(self, bridge: Bridge, row: Json) -> None:
        self._bridge = bridge
        self.id: int = row["id"]
        self.kind: str = row["kind"]
        self._rule = bridge.store.faults.rules.get(self.id)

    @property
    def struck(self) -> int:
        """The number of exchanges that it has struck so far."""
        return self._rule.struck if self._rule else 0

    def remove(self) -> None:
        """Remove the fault, unless it is removed already."""
        faults = self._bridge.store.faults
        if rule := faults.rules.get(self.id):
            self._bridge.call(faults.remove, [rule])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


class Hold:
    """Logins that are held open; leaving the `with` block lets them go on."""

    def __init__(self, bridge: Bridge, apps: list[App], uid: str | None) -> None:
        self._bridge = bridge
        self._apps = apps
        self._uid = uid

    def wait(self, count: int = 1, timeout: float = _PATIENCE) -> None:
        """Wait until an app holds `count` logins open; raise TimeoutError after `timeout`."""
        self._bridge.run(self._arrival(count, timeout))

    async def wait_async(self, count: int = 1, timeout: float = _PATIENCE) -> None:  # noqa: ASYNC109
        """Wait as `wait` does, without blocking the event loop of the test."""
        await self._bridge.wait(self._arrival(count, timeout))

    async def _arrival(self, count: int, seconds: float) -> None:
        if count < 1:
            raise ValueError(f"wait waits for 1 login or more, not {count}")
        arrivals = [
            asyncio.ensure_future(app.holds.arrival(self._uid, count, seconds))
            for app in self._apps
        ]
        try:
            done, _ = await asyncio.wait(arrivals, return_when=asyncio.FIRST_COMPLETED)
        finally:  # also where the caller may not wait
            for arrival in arrivals:
                arrival.cancel()
        if not any(one.result() for one in done):
            logins = "login" if count == 1 else f"{count} logins"
            whose = self._uid or "anybody"
            raise TimeoutError(f"no {logins} of {whose} arrived within {seconds:g} s")


class JournalView:
    """The requests of clients to an app, or to all apps.

    The filters are those of `find`; `wait_for`, `assert_called` and the others take the same.
    """

    def __init__(self, bridge: Bridge, app_id: str | None) -> None:
        self._bridge = bridge
        self._app_id = app_id

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self.find())

    def __len__(self) -> int:
        return len(self.find())

    def find(self, **wanted: Any) -> list[Exchange]:
        """Return the exchanges that fit, oldest first.

        `operation`, `method`, `path` (`*` for a segment, `**` for several), `uid`, `status`,
        `code`, `headers` and `json` (what must be part of the request's), `since` (an id).
        """
        return self._found(_filter(wanted))

    def last(self, **wanted: Any) -> Exchange:
        """Return the newest exchange that fits; raise LookupError, which names the nearest."""
        found = self.find(**wanted)
        if not found:
            raise LookupError(f"no such exchange: {self._explain(wanted)}")
        return found[-1]

    def count(self, **wanted: Any) -> int:
        """Return how many exchanges fit."""
        return len(self.find(**wanted))

    def wait_for(self, count: int = 1, timeout: float = _PATIENCE, **wanted: Any) -> Exchange:
        """Wait until `count` exchanges fit, those before the call counted; return the newest.

        Raises TimeoutError after `timeout` seconds, which names the nearest exchange.
        """
        return self._bridge.run(self._arrival(count, timeout, wanted))

    async def wait_for_async(
        self,
        count: int = 1,
        timeout: float = _PATIENCE,  # noqa: ASYNC109  # as its twin
        **wanted: Any,
    ) -> Exchange:
        """Wait as `wait_for` does, without blocking the event loop of the test."""
        return await self._bridge.wait(self._arrival(count, timeout, wanted))

    def assert_called(self, count: int | None = None, **wanted: Any) -> Exchange:
        """Return the newest exchange that fits; raise AssertionError where there is none.

        With `count`, exactly so many must fit. The message names the nearest exchange and the
        differences.
        """
        found = self.find(**wanted)
        if not found or (count is not None and len(found) != count):
            times = "one" if count is None else f"{count}"
            self._complain(f"{times} of {_told(wanted)}", wanted, found)
        return found[-1]

    def assert_not_called(self, **wanted: Any) -> None:
        """Raise AssertionError where an exchange fits."""
        if found := self.find(**wanted):
            self._complain(f"no {_told(wanted)}", wanted, found)

    def _complain(self, expected: str, wanted: Json, found: list[Exchange]) -> NoReturn:
        explained = self._explain(wanted)
        raise AssertionError(f"expected {expected}, got {len(found)}: {explained}")

    def clear(self) -> None:
        """Forget the exchanges."""
        self._bridge.perform("clear_journal", self._app_id, None)

    def har(self) -> Json:
        """Return the exchanges in HAR 1.2, for the network tools of browsers."""
        archive: Json = self._bridge.perform("get_har", self._app_id, None)
        return archive

    def _found(self, wanted: Filter) -> list[Exchange]:
        return self._bridge.call(self._bridge.store.journals.search, wanted, self._app_id)

    async def _arrival(self, count: int, seconds: float, wanted: Json) -> Exchange:
        if count < 1:
            raise ValueError(f"wait_for waits for 1 exchange or more, not {count}")
        journals = self._bridge.store.journals
        found = await journals.wait(_filter(wanted), self._app_id, count, seconds)
        if len(found) < count:
            raise TimeoutError(
                f"{len(found)} of {count} {_told(wanted)} came within {seconds:g} s: "
                f"{self._explain(wanted)}"
            )
        return found[-1]

    def _explain(self, wanted: Json) -> str:
        pattern = _filter(wanted)
        return explain(self._found(pattern), pattern, self._found(Filter()))


def _apps(store: Store, app_id: str | None) -> list[App]:
    """Return the app of that id if it was seen, without one all."""
    if app_id is None:
        return list(store.apps())
    app = store.find(app_id)
    return [app] if app else []


def _filter(wanted: Json) -> Filter:
    if strangers := wanted.keys() - {*_OF_PATTERN, *_OF_FILTER}:
        known = ", ".join((*_OF_PATTERN, *_OF_FILTER))
        raise TypeError(f"exchanges have no {min(strangers)!r} to look for; there are {known}")
    pattern = Pattern(**{name: value for name, value in wanted.items() if name in _OF_PATTERN})
    return Filter(pattern, **{name: wanted[name] for name in _OF_FILTER if name in wanted})


def _told(wanted: Json) -> str:
    told = ", ".join(f"{name}={value!r}" for name, value in wanted.items())
    return f"exchange with {told}" if told else "exchange"


class Users(Mapping[str, Json]):
    """Users by uid, whose case does not matter."""

    def __init__(self, rows: Iterable[Json]) -> None:
        self._rows = {row["uid"].lower(): row for row in rows}

    def __getitem__(self, uid: str) -> Json:
        return self._rows[uid.lower()]

    def __iter__(self) -> Iterator[str]:
        return (row["uid"] for row in self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return repr(dict(self))


class Kit:
    """The verbs; `app_id` None means the default app for users, every app for the rest."""

    _app_id: str | None = None

    @property
    def _bridge(self) -> Bridge:
        """The way into the loop that serves."""
        raise NotImplementedError

    # --- users --------------------------------------------------------------------------
    @property
    def users(self) -> "Users":
        """The app's users by uid, each as the REST API shows it, in the order of a list."""
        found: list[Json] = []
        for page in itertools.count(1):
            query = {"page": page, "perPage": MAX_PER_PAGE, "withTags": True}
            found += (some := self._perform("list_users", query=query))
            if len(some) < MAX_PER_PAGE:
                break
        return Users(found)

    def create_user(self, uid: str, name: str | None = None, **fields: Any) -> Json:
        """Create a user and return it; raise ApiError as the API would refuse it.

        `fields` are those of `POST /users`, in snake case: `status_message`, `metadata` …
        """
        body = {"uid": uid, "name": uid if name is None else name, **_camel(fields)}
        user: Json = self._perform("create_user", body=body)
        return user

    def delete_user(self, uid: str, *, permanent: bool = True) -> None:
        """Delete a user for good, or deactivate it."""
        self._perform("delete_user", path={"uid": uid}, body={"permanent": permanent})

    def issue_token(self, uid: str, *, force: bool = False) -> str:
        """Return an auth token of a user: the valid one that there is, unless forced."""
        row = self._perform("create_auth_token", path={"uid": uid}, body={"force": force})
        token: str = row["authToken"]
        return token

    def log_in(self, uid: str) -> Json:
        """Log a user in as SDKs do, and return the answer, with `authToken` and `jwt`.

        Raises RuntimeError while the user's logins are held: no verb waits for the end of a hold.
        """
        token = self.issue_token(uid)
        caller = self._bridge.call(self._app().user_caller, token)
        me: Json = self._perform("update_me", caller)
        return me

    def log_out(self, auth_token: str) -> None:
        """Destroy an auth token; its WebSockets are closed."""
        self._perform("logout", body={"authToken": auth_token})

    # --- faults and holds ---------------------------------------------------------------
    def fail(self, what: str | int, **knobs: Any) -> Fault:
        """Let exchanges fail: with a code of the catalogue, a status, a preset or a fault kind.

        `fail("ERR_UID_NOT_FOUND")`, `fail(503)`, `fail("token_expired")`, `fail("reset")`; the
        knobs are those of `fault`.
        """
        if isinstance(what, str) and (what in KINDS or what in PRESETS):
            return self.fault(what, **knobs)
        return self.fault("error", code=str(what), **knobs)

    def slow(self, delay: float | str, **knobs: Any) -> Fault:
        """Let answers come late, by seconds or a duration like `200ms`; `jitter` varies it."""
        return self.fault("latency", delay=delay, **knobs)

    def fault(self, kind: str, **knobs: Any) -> Fault:
        """Let exchanges go wrong in one of the ways that `/_mock/faults/kinds` lists.

        Which: `operation`, `method`, `path`, `uid`. How often: `times`, `after`, `probability`,
        `random_seed`. The rest are the kind's own parameters.
        """
        body = {"kind": kind, **_camel(knobs)}
        return Fault(self._bridge, self._control("add_fault", body=body))

    @contextlib.contextmanager
    def hold_logins(self, uid: str | None = None) -> Iterator[Hold]:
        """Keep the logins of a user, or of everybody, open for as long as the block runs.

        Another login meanwhile is refused with `ERROR_LOGIN_IN_PROGRESS`.
        """
        body = {} if uid is None else {"uid": uid}
        self._control("hold_logins", body=body)
        try:
            yield Hold(
                self._bridge, self._bridge.call(_apps, self._bridge.store, self._app_id), uid
            )
        finally:
            self._control("release_logins", body=body)

    def add_webhook(self, url: str) -> None:
        """Post the events of users to a URL, in the live shape, until the app is reset.

        The journal has each try as an exchange of the operation `webhook`. Raises ApiError.
        """
        self._control("add_webhook", body={"url": url})

    # --- state --------------------------------------------------------------------------
    def reset(self) -> None:
        """Go back to the seed: users, tokens, keys, roles, journal, faults, held logins."""
        self._control("reset")

    def seed(self, fixture: str | Mapping[str, Any] | None = None, *, users: int = 0) -> None:
        """Add a fixture, by name or itself, or any number of plausible users."""
        body = {"fixture": fixture, "users": users or None}
        given = {name: value for name, value in body.items() if value is not None}
        self._control("seed", body=given)

    def snapshot(self, name: str = "default") -> None:
        """Save the data of the app, or of all apps, by a name."""
        self._control("take_snapshot", path={"name": name})

    def restore(self, name: str = "default") -> None:
        """Return to the data of a snapshot."""
        self._control("restore_snapshot", path={"name": name})

    def state(self) -> Json:
        """Return everything that the app holds, or all apps, by app id."""
        apps: Json = self._control("get_state")["apps"]
        return apps

    @property
    def journal(self) -> JournalView:
        """The requests of clients."""
        return JournalView(self._bridge, self._app_id)

    def _app(self) -> App:
        store = self._bridge.store
        return store.claim(self._app_id) if self._app_id else store.default

    def _control(self, name: str, **parts: Any) -> Any:
        return self._bridge.perform(name, self._app_id, None, **parts)

    def _perform(self, name: str, caller: Caller = _BACK_END, **parts: Any) -> Any:
        app_id = self._app_id or self._bridge.store.default.id
        return self._bridge.perform(name, app_id, caller, **parts)["data"]


def _camel(fields: Mapping[str, Any]) -> Json:
    return {camel(name): value for name, value in fields.items()}

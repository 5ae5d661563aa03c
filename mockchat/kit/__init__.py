"""The testing kit: the verbs of a test, for one app of a server or for all of them."""

import contextlib
import itertools
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, Unpack, overload

from multidict import CIMultiDict

from mockchat.api.requests import MAX_PER_PAGE
from mockchat.bridge import Bridge
from mockchat.control.faults import PARAMETERS
from mockchat.core.clock import Duration, unix
from mockchat.core.entities import BACK_END, Caller
from mockchat.core.errors import ApiError
from mockchat.core.faults import CODES
from mockchat.core.ids import camel
from mockchat.core.state import App
from mockchat.core.words import did_you_mean
from mockchat.kit.checks import check_keywords, knowing_keywords
from mockchat.kit.handles import Fault, Hold
from mockchat.kit.journal import JournalView
from mockchat.kit.names import (
    ErrorCode,
    FaultKind,
    FaultOptions,
    PlainFaultKind,
    PresetName,
    UserFields,
)

__tracebackhide__ = True  # a refused verb shows the line of the test
Json = dict[str, Any]


@knowing_keywords
class Kit:
    """The verbs; `app_id` None means the default app for users, every app for the rest."""

    _app_id: str | None = None

    @property
    def _bridge(self) -> Bridge:
        """The way into the loop that serves."""
        raise NotImplementedError

    # --- users --------------------------------------------------------------------------
    @property
    def users(self) -> Mapping[str, Json]:
        """The app's users by uid, each as the REST API shows it, in the order of a list.

        The case of a uid does not matter.
        """
        found: CIMultiDict[Json] = CIMultiDict()
        for page in itertools.count(1):
            query = {"page": page, "perPage": MAX_PER_PAGE, "withTags": True}
            some = self._perform("list_users", query=query)
            found.update((row["uid"], row) for row in some)
            if len(some) < MAX_PER_PAGE:
                break
        return found

    def create_user(self, uid: str, name: str | None = None, **fields: Unpack[UserFields]) -> Json:
        """Create a user and return it; raise ApiError as the API would refuse it.

        `fields` are those of `POST /users`, in snake case: `status_message`, `metadata` … Any other
        one raises TypeError.
        """
        check_keywords(fields, UserFields.__annotations__, "a user has no {}")
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

    @overload
    def log_in(self, uid: str) -> Json: ...

    @overload
    def log_in(self, *, token: str) -> Json: ...

    def log_in(self, uid: str | None = None, *, token: str | None = None) -> Json:
        """Log a user in as SDKs do, by uid or auth token; return the answer with the `jwt`.

        Raises ApiError where the login is refused, and RuntimeError while the user's logins are
        held: no verb waits for the end of a hold.
        """
        if (uid is None) == (token is None):
            raise TypeError("log_in takes a uid or a token")
        if token is None:
            token = self.issue_token(str(uid))
        caller = self._bridge.call(self._app().user_caller, token)
        me: Json = self._perform("update_me", caller)
        return me

    def log_out(self, auth_token: str) -> None:
        """Destroy an auth token; its WebSockets are closed."""
        self._perform("logout", body={"authToken": auth_token})

    # --- faults and holds ---------------------------------------------------------------
    def fail(
        self,
        what: ErrorCode | FaultKind | PresetName | str | int,
        *,
        status: int | None = None,
        message: str | None = None,
        **options: Unpack[FaultOptions],
    ) -> Fault:
        """Let exchanges fail: with a code of the catalogue, a status, a preset or a fault kind.

        `fail("ERR_UID_NOT_FOUND")`, `fail(503)`, `fail("token_expired")`, `fail("reset")`. An error
        may have a `status` and a `message` other than the catalogue's; a code that the catalogue
        lacks needs a `status`. The options are those of `fault`.
        """
        own = {"status": status, "message": message}
        given = {**options, **{name: value for name, value in own.items() if value is not None}}
        if isinstance(what, str) and what in PARAMETERS:
            return self._add_fault(what, given)
        code = str(what)
        known = (*CODES, *PARAMETERS)
        if not (code in known or code.isdigit() or status is not None):
            raise ValueError(
                f"there is no error, preset or fault {code!r}: {did_you_mean(code, known)} "
                "An error of your own needs a status"
            )
        return self._add_fault("error", {"code": code, **given})

    def slow(
        self, delay: Duration, *, jitter: Duration = 0.0, **options: Unpack[FaultOptions]
    ) -> Fault:
        """Let answers come late, by seconds, a timedelta or `200ms`; `jitter` varies it."""
        return self._add_fault("latency", {"delay": delay, "jitter": jitter, **options})

    @overload
    def fault(
        self, kind: PlainFaultKind | PresetName, **options: Unpack[FaultOptions]
    ) -> Fault: ...

    @overload
    def fault(
        self,
        kind: Literal["latency"],
        *,
        delay: Duration = ...,
        jitter: Duration = ...,
        **options: Unpack[FaultOptions],
    ) -> Fault: ...

    @overload
    def fault(
        self,
        kind: Literal["error"],
        *,
        code: str = ...,
        status: int = ...,
        message: str = ...,
        **options: Unpack[FaultOptions],
    ) -> Fault: ...

    @overload
    def fault(
        self,
        kind: Literal["rate_limit"],
        *,
        retry_after: Duration = ...,
        **options: Unpack[FaultOptions],
    ) -> Fault: ...

    @overload
    def fault(
        self, kind: Literal["truncated"], *, arriving: int = ..., **options: Unpack[FaultOptions]
    ) -> Fault: ...

    @overload
    def fault(
        self,
        kind: Literal["slow_body", "ws_delay_auth"],
        *,
        delay: Duration = ...,
        **options: Unpack[FaultOptions],
    ) -> Fault: ...

    @overload
    def fault(
        self, kind: Literal["ws_refuse"], *, status: int = ..., **options: Unpack[FaultOptions]
    ) -> Fault: ...

    @overload
    def fault(
        self,
        kind: Literal["ws_close"],
        *,
        close_code: int = ...,
        delay: Duration = ...,
        **options: Unpack[FaultOptions],
    ) -> Fault: ...

    def fault(self, kind: str, **options: Any) -> Fault:
        """Let exchanges go wrong in one of the ways that `/_mock/faults/kinds` lists.

        Which: `operation`, `method`, `path`, `uid`. How often: `times`, `after`, `probability`,
        `random_seed`. The rest are the kind's own parameters. Raises TypeError for another option,
        ValueError for a kind or a value that there is not.
        """
        return self._add_fault(kind, options)

    def _add_fault(self, kind: str, options: Mapping[str, Any]) -> Fault:
        if kind not in PARAMETERS:
            raise ValueError(f"there is no fault {kind!r}; {did_you_mean(kind, PARAMETERS)}")
        check_keywords(
            options,
            (*FaultOptions.__annotations__, *PARAMETERS[kind]),
            f"the fault {kind} has no {{}}",
        )
        try:
            row = self._control("add_fault", body={"kind": kind, **_camel(options)})
        except ApiError as error:
            raise ValueError(str(error)) from None
        return Fault(self._bridge, self._app_id, row)

    @contextlib.contextmanager
    def hold_logins(self, uid: str | None = None) -> Iterator[Hold]:
        """Keep the logins of a user, or of everybody, open for as long as the block runs.

        Another login meanwhile is refused with `ERROR_LOGIN_IN_PROGRESS`.
        """
        body = {} if uid is None else {"uid": uid}
        self._control("hold_logins", body=body)
        try:
            yield Hold(self._bridge, self._app_id, uid)
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
        apps: Json = json.loads(self._control("get_state"))["apps"]
        return apps

    @property
    def journal(self) -> JournalView:
        """The requests of clients."""
        return JournalView(self._bridge, self._app_id)

    def _app(self) -> App:
        store = self._bridge.store
        return store.app(self._app_id) if self._app_id else store.default

    def _control(self, name: str, **parts: Any) -> Any:
        return self._bridge.perform(name, self._app_id, None, **parts)

    def _perform(self, name: str, caller: Caller = BACK_END, **parts: Any) -> Any:
        app_id = self._app_id or self._bridge.store.default.id
        return self._bridge.perform(name, app_id, caller, **parts)["data"]


def _camel(fields: Mapping[str, Any]) -> Json:
    return {camel(name): _plain(value) for name, value in fields.items()}


def _plain(value: Any) -> Any:
    """Return times in seconds, and any other value as it is."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    return unix(value) if isinstance(value, datetime) else value

"""Operations and calls: an API action, and one invocation of it as plain data."""

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from marshmallow import Schema

from mockchat.api.access import Access
from mockchat.api.session_jwt import SessionJwts
from mockchat.api.validation import MAX_BODY
from mockchat.core import errors
from mockchat.core.entities import Caller, User, UserCaller
from mockchat.core.errors import ErrorDef, Evidence
from mockchat.core.limits import STANDARD_LIMIT
from mockchat.core.state import App
from mockchat.core.steps import Steps, T
from mockchat.core.store import Store

if TYPE_CHECKING:
    from mockchat.core.state_file import StateFile

DEFAULT_PER_PAGE = 100
CONTROL_PREFIX = "/_mock"
_NO_HEADERS: Mapping[str, str] = {}
Sleep = Callable[[float], Awaitable[None]]  # waits for some seconds


# The errors of a uid in a path.
PATH_UID_ERRORS = (errors.UID_NOT_FOUND, errors.PATH_UID_INVALID, errors.PATH_UID_WITH_SPACE)
# Any request may have a broken body, query or header.
_EMULATED_ERRORS = (
    errors.APP_ID_MISSING,
    errors.APP_ID_INVALID,
    errors.TOO_MANY_REQUESTS,
    errors.BAD_REQUEST,
)
_MANY = 40  # steps of long work that make thousands of objects
_CONTROL_ERRORS = (
    errors.CONTROL_ORIGIN,
    errors.CONTROL_HOST,
    errors.APP_ID_MISSING,
    errors.APP_ID_INVALID,
    errors.BAD_REQUEST,
)


class Hosts(NamedTuple):
    """The hosts and ports that a client uses next, as `settings` name them."""

    admin: str
    client: str
    chat: str  # without a port
    call: str
    analytics: str
    ws_port: str
    wss_port: str
    secure: bool
    region: str
    domain: str


@dataclass(slots=True, eq=False, repr=False)
class ServerFacts:
    """The facts about the server that operations use."""

    store: Store
    jwts: SessionJwts
    ca_path: str | None = None
    https_port: int | None = None
    base_url: str | None = None  # of this server
    plain_url: str | None = None  # the same, by HTTP if the server has it
    https_url: str | None = None
    fixtures: tuple[str, ...] = ()  # named at the start
    openapi: Callable[[], dict[str, Any]] = dict  # returns the document
    state_file: "StateFile | None" = None  # where the state is saved
    relieve: Callable[[], None] = lambda: None  # called amid long work
    dashboard: bool = True  # whether it has one
    settings: Callable[[], list[dict[str, Any]]] = list  # returns those of its start
    perform: Callable[..., Awaitable[Any]] = field(init=False)  # an operation, as a back end


class Page(NamedTuple):
    """One page of a list; `cursor` is the time of its newest entry.

    `total` is None where the live service does not count; then `more` tells of another page.
    """

    items: list[Any]
    page: int
    per_page: int
    total: int | None
    cursor: int | None = None
    more: bool = False


@dataclass(slots=True, eq=False, repr=False)
class Call:
    """One invocation of an operation."""

    app: App
    caller: Caller | None
    path: Mapping[str, str]
    query: Mapping[str, Any]
    body: Mapping[str, Any]
    headers: Mapping[str, str]  # names in any case
    find_hosts: Callable[[], Hosts]
    server_url: str  # of this server; empty if the client used a live name
    sleep: Sleep
    waiting: Callable[[], AbstractAsyncContextManager[None]]  # the client may leave inside
    server: ServerFacts
    every_app: bool = False  # a control action that names no app

    @property
    def hosts(self) -> Hosts:
        """The hosts by which the client goes on."""
        return self.find_hosts()

    async def in_turns(self, steps: Steps[T]) -> T:
        """Do long work, other requests in between, and return its result."""
        done = 0
        try:
            while True:
                next(steps)
                done += 1
                if done % _MANY == 0:
                    self.server.relieve()
                await self.sleep(0)
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            steps.close()

    @property
    def apps(self) -> tuple[App, ...]:
        """The apps that a control action changes: the one that it names, else all."""
        store = self.server.store
        return tuple(store.apps()) if self.every_app else (store.find(self.app.id) or self.app,)

    @property
    def only_app(self) -> App | None:
        """The app that a control action names, if it does."""
        return None if self.every_app else self.app

    @property
    def app_id(self) -> str | None:
        """The id of the app that a control action names, if it does."""
        return None if self.every_app else self.app.id

    @property
    def user_caller(self) -> UserCaller:
        """The caller of an operation that takes auth tokens only."""
        assert isinstance(self.caller, UserCaller)  # noqa: S101  # access has checked it
        return self.caller

    @property
    def device(self) -> str | None:
        """The device of the caller: the body's `deviceId`, else the SDK's `resource` header."""
        return self.body.get("device_id") or self.headers.get("resource") or None

    @property
    def paging(self) -> tuple[int, int]:
        """The number and the size of the page that a query by `requests.Paging` asks for."""
        return self.query["page"] or 1, self.query["per_page"] or DEFAULT_PER_PAGE

    def page(self, rows: Sequence[Any]) -> Page:
        """Return the page of `rows` that the query asks for."""
        page, per_page = self.paging
        return Page(list(rows[(page - 1) * per_page : page * per_page]), page, per_page, len(rows))

    def user_in_path(self) -> User:
        """Return the user that the path names; raise UID_NOT_FOUND or PATH_UID_*."""
        return self.app.user_in_path(self.path["uid"])


class Ack(NamedTuple):
    """The answer to a command: a message."""

    message: str
    success: bool = True


class File(NamedTuple):
    """An answer that is not JSON, or is rendered already."""

    content: bytes
    content_type: str
    name: str | None = None
    headers: Mapping[str, str] = _NO_HEADERS


class Stream(NamedTuple):
    """An answer whose body comes piece by piece, until the pieces end or the client leaves."""

    pieces: AsyncGenerator[bytes, None]
    content_type: str


Handler = Callable[[Call], Any]


class Operation(NamedTuple):
    """One API action: a row from which route, validation, checks and docs are derived."""

    method: str
    path: str
    handler: Handler
    access: Access
    returns: type[Schema] | None = None
    body: type[Schema] | None = None
    query: type[Schema] | None = None
    errors: tuple[ErrorDef, ...] = ()
    limit: int = STANDARD_LIMIT  # requests a minute
    max_body: int = MAX_BODY  # bytes
    admits: Callable[[App], None] | None = None  # refuses a known caller, whatever it sends
    evidence: Evidence = Evidence.LIVE
    headers: tuple[str, ...] = ()  # read beside the credentials
    produces: str = "application/json"
    only_reads: bool = False  # although its method says that it writes
    logs_in: Callable[[Mapping[str, Any]], bool] | None = None  # whether this body makes it a login

    @property
    def id(self) -> str:
        """The operation's name: that of its function."""
        return self.handler.__name__

    @property
    def is_control(self) -> bool:
        """Whether the operation belongs to the control API."""
        return self.path.startswith(CONTROL_PREFIX)

    @property
    def summary(self) -> str:
        """The effect of the operation, in one line."""
        return (inspect.getdoc(self.handler) or "").partition("\n")[0]

    @property
    def may_raise(self) -> tuple[ErrorDef, ...]:
        """All errors that the operation can answer."""
        always = _CONTROL_ERRORS if self.is_control else _EMULATED_ERRORS
        return tuple(dict.fromkeys((*always, *self.access.errors, *self.errors)))


class OperationTable:
    """Collects operations by decorator, as aiohttp's RouteTableDef collects routes.

    `prefix` begins their paths; `common` are the columns of all rows that do not say otherwise.
    """

    def __init__(self, prefix: str = "", **common: Any) -> None:
        self.rows: list[Operation] = []
        self._prefix = prefix
        self._common = common
        self.get = partial(self.add, "GET")
        self.post = partial(self.add, "POST")
        self.put = partial(self.add, "PUT")
        self.patch = partial(self.add, "PATCH")
        self.delete = partial(self.add, "DELETE")

    def __iter__(self) -> Iterator[Operation]:
        return iter(self.rows)

    def add(self, method: str, *paths: str, **columns: Any) -> Callable[[Handler], Handler]:
        """Make the decorated function an operation; each of its paths gets a row."""

        def register(handler: Handler) -> Handler:
            row = {**self._common, **columns}
            self.rows += [Operation(method, self._prefix + path, handler, **row) for path in paths]
            return handler

        return register

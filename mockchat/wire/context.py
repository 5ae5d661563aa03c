"""A context: one request on its way through the edge, and what is found out about it."""

from collections.abc import Mapping
from typing import Any

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from mockchat.core.entities import UserCaller
from mockchat.core.fault_kinds import ShapeKind
from mockchat.core.journal import Exchange
from mockchat.core.limits import Allowance
from mockchat.core.matching import RequestSummary
from mockchat.core.state import App
from mockchat.wire.body import parse_body
from mockchat.wire.endpoint import Endpoint
from mockchat.wire.router import Found, Target

SOCKET = "websocket"  # what the chat SDKs' WebSocket is called where an operation is named
# What reading a request raises that no operation is to blame for.
CLIENT_FAULTS = (web.HTTPException, web.RequestPayloadError, HttpProcessingError, ConnectionError)
_NO_HEADERS: Mapping[str, str] = {}


class RequestContext:
    """What is known of a request so far; `app` and `caller` are found on the way."""

    __slots__ = (
        "allowance",
        "app",
        "at",
        "body",
        "caller",
        "code",
        "endpoint",
        "faults",
        "hint",
        "id",
        "is_noted",
        "path",
        "raw",
        "request",
        "shapes",
        "started",
        "target",
        "unread",
    )

    def __init__(
        self, request: web.Request, target: Target, found: Found | None, started: float
    ) -> None:
        self.request = request
        self.target = target
        self.endpoint: Endpoint | None = None
        self.path: Mapping[str, str] = {}
        if found is not None:
            self.endpoint, self.path = found
        self.started = started
        self.at = 0.0  # when that was, in unix seconds by the mock's clock
        self.id = 0
        self.app: App | None = None
        self.caller: Any = None
        self.body: Mapping[str, Any] = {}
        self.allowance: Allowance | None = None
        self.code: str | None = None
        self.hint: str | None = None
        self.raw = b""  # what was read of the body
        self.unread: Exception | None = None  # why it could not be
        self.faults: tuple[str, ...] = ()  # the names of those that struck
        self.shapes: tuple[ShapeKind, ...] = ()  # those of them that wait for the answer
        self.is_noted = False

    def enter(self, app: App) -> None:
        """Note the app that the request is of, and when it came by the app's clock."""
        if self.app is not app:
            self.app, self.at = app, app.clock.now()

    @property
    def operation(self) -> str | None:
        """The name of the operation that is asked for, if there is such a one."""
        if self.endpoint is not None:
            return self.endpoint.name
        upgrade = self.request.headers.get(hdrs.UPGRADE, "")
        return SOCKET if not self.target.segments and upgrade.lower() == SOCKET else None

    def summary(self) -> RequestSummary:
        """Return what the request asks for, as patterns see it."""
        headers, method = self.request.headers, self.request.method
        credential = "token" if "authToken" in headers else "key" if "apiKey" in headers else None
        return RequestSummary(method, self.target.path, self.operation, self._uid(), credential)

    def _uid(self) -> str | None:
        """Return whom the request is about: by path, body, or the auth token it shows."""
        uid = self.path.get("uid") or self.body.get("uid")
        if uid:
            return str(uid)
        if isinstance(self.caller, UserCaller):
            return self.caller.user.uid
        body, headers = self.body, self.request.headers
        token = body.get("auth_token") or body.get("authToken") or headers.get("authToken")
        if not token or self.app is None:
            return None
        found = self.app.tokens.get(str(token))
        return found.uid if found else None

    async def read(self) -> dict[str, Any]:
        """Return the body's fields; raise ApiError or one of CLIENT_FAULTS, however often asked."""
        request = self.request
        if not request.body_exists:
            return {}
        if self.unread is not None:
            raise self.unread
        try:
            self.raw = await request.read()
        except CLIENT_FAULTS as error:  # to go on reading would give a part for the whole
            self.unread = error
            raise
        return parse_body(self.raw, request.headers.get(hdrs.CONTENT_TYPE, ""))

    def exchange(self, response: web.StreamResponse | None, seconds: float) -> Exchange:
        """Return the exchange as the journal keeps it; None stands for no answer."""
        request, app = self.request, self.app
        assert app is not None  # noqa: S101  # whoever notes it has found one
        body = response.body if isinstance(response, web.Response) else b""
        answer = body if isinstance(body, bytes) else b""
        return Exchange(
            self.id,
            app.id,
            self.at,
            self.summary(),
            request.raw_path,
            (request.headers, self.raw),
            (_NO_HEADERS if response is None else response.headers, answer),
            0 if response is None else response.status,
            seconds,
            request.secure,
            self.code,
            self.faults,
            self.hint,
        )

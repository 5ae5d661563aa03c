"""The request context: everything that is known of a request once it is resolved."""

from collections.abc import Mapping
from typing import NamedTuple

from aiohttp import hdrs, web

from mockchat.api.requests import only_logs_in
from mockchat.api.session_jwt import claim_in
from mockchat.core.errors import ApiError
from mockchat.core.matching import RequestSummary
from mockchat.core.state import App
from mockchat.wire.body import Body
from mockchat.wire.hosts import Address
from mockchat.wire.routing import Endpoint, Target

SOCKET = "websocket"  # what the chat SDKs' WebSocket is called where an operation is named
_CREDENTIAL_IN_BODY = ("login", "logout")
_BY_JWT = "count_online_members"  # the operation that takes the session JWT
_CREDENTIAL_FIELDS = {"authKey": "key", "apiKey": "key", "authToken": "token"}


class RequestContext(NamedTuple):
    """A request, its app, its endpoint and the address by which it came; nothing here changes."""

    request: web.BaseRequest
    body: Body
    id: int  # of the exchange; 0 for the control API, whose exchanges are in no journal
    started: float  # seconds of the performance counter
    at: float  # unix seconds, by the app's clock
    target: Target
    endpoint: Endpoint | None
    path: Mapping[str, str]  # the values in the path
    address: Address
    app_id: str  # that path, sub-domain or header name; empty where none does
    app: App  # that serves the request, or the default app where `refusal` says why none does
    refusal: ApiError | None

    @property
    def is_control(self) -> bool:
        """Whether the request is for the control API."""
        return not self.id

    @property
    def method(self) -> str:
        """The method."""
        return self.request.method

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, by name in any case."""
        return self.request.headers

    @property
    def operation(self) -> str | None:
        """The name of the operation, None where the path or method has none."""
        if self.endpoint is not None:
            return self.endpoint.name
        upgrade = self.request.headers.get(hdrs.UPGRADE, "")
        return SOCKET if not self.target.segments and upgrade.lower() == SOCKET else None

    @property
    def faulty_app_id(self) -> str | None:
        """The app whose faults strike the request.

        A WebSocket whose handshake names no app has none before it authenticates.
        """
        unnamed_socket = not self.app_id and self.operation == SOCKET
        return None if self.refusal or unnamed_socket else self.app.id

    def summary(self) -> RequestSummary:
        """Return what patterns of faults and journal filters are compared with."""
        operation = self.operation
        logs_in = operation == "login" or (
            operation == "update_me" and only_logs_in(self.body.fields_or_none())
        )
        path, (kind, _) = self.target.path, self.credential()
        return RequestSummary(self.method, path, operation, self._uid(), kind, logs_in)

    def credential(self) -> tuple[str | None, str]:
        """Return the kind of the credential, `key` or `token`, and the credential itself."""
        if self.operation in _CREDENTIAL_IN_BODY:
            fields = self.body.fields_or_none()
            for field, kind in _CREDENTIAL_FIELDS.items():
                if fields.get(field):
                    return kind, str(fields[field])
        if token := self._jwt() or self.headers.get("authToken"):
            return "token", token
        key = self.headers.get("apiKey")
        return ("key", key) if key else (None, "")

    def _uid(self) -> str | None:
        """Return the uid in the path or body, or the owner of the auth token or session JWT."""
        fields = self.body.fields_or_none()
        if uid := self.path.get("uid"):
            return uid
        if uid := fields.get("uid"):
            return str(uid).lower()
        if jwt := self._jwt():
            return claim_in(jwt, "sub")
        token = self.headers.get("authToken") or fields.get("authToken")
        found = self.app.tokens.get(str(token)) if token else None
        return found.uid if found else None

    def _jwt(self) -> str:
        return self.headers.get("Authorization", "").strip() if self.operation == _BY_JWT else ""

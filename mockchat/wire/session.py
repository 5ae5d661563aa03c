"""A session: one live WebSocket, what its client asked for, and how it ends."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSCloseCode, web

from mockchat.core.entities import User, UserCaller
from mockchat.core.journal import Exchange, Journal
from mockchat.core.state import App
from mockchat.wire.context import RequestContext

_MAX_FRAME = 64 * 1024  # bytes
_GOODBYE = 0.8  # seconds that a client has to answer a close, then its connection is cut
_EVERYONE, _BY_ROLES, _FRIENDS = "ALL_USERS", "ROLES", "FRIENDS"
_ANDROID = "android"


def new_socket() -> web.WebSocketResponse:
    """Return a socket that leaves the answer to a client's close to us: aiohttp's is 1000."""
    return web.WebSocketResponse(max_msg_size=_MAX_FRAME, timeout=_GOODBYE, autoclose=False)


@dataclass(slots=True, eq=False)
class Session:
    """One live socket; who it belongs to is known once it has authenticated."""

    socket: web.WebSocketResponse
    abort: Callable[[], None]  # cuts the connection
    context: RequestContext
    exchange: Exchange  # its handshake, as the journal has or will have it
    app: App | None = None
    caller: UserCaller | None = None
    platform: str = ""  # as the client names it when it authenticates
    subscription: str = ""
    roles: frozenset[str] = frozenset()
    backlog: int = 0
    journal: Journal | None = None  # once it is known of which app the session is
    expiry: asyncio.TimerHandle | None = None
    timers: list[asyncio.TimerHandle] = field(default_factory=list)

    def heed(self, body: dict[str, Any]) -> None:
        """Take in what the body of an auth frame tells and asks for."""
        told, roles = body.get("params"), body.get("roles")
        self.platform = str(told.get("platform") or "") if isinstance(told, dict) else ""
        self.subscription = str(body.get("presenceSubscription", "")).upper()
        self.roles = frozenset(map(str, roles)) if isinstance(roles, list) else frozenset()

    @property
    def is_android(self) -> bool:
        """Whether the client is an Android SDK, by its own word, or else by that of its login."""
        login = self.caller.token.platform if self.caller else None
        return (self.platform or login or "").lower() == _ANDROID

    def wants(self, user: User) -> bool:
        """Whether the session subscribed to the presence of `user`."""
        if self.caller is None or self.caller.user is user:
            return False
        if self.subscription == _EVERYONE:
            return True
        if self.subscription == _BY_ROLES:
            return user.role in self.roles
        return self.subscription == _FRIENDS and user.key in self.caller.user.friends

    async def close(
        self, code: int = WSCloseCode.POLICY_VIOLATION, reason: bytes = b"ERR_NO_AUTH"
    ) -> None:
        """Close the socket; a client that does not take it in time is cut off."""
        asyncio.get_running_loop().call_later(_GOODBYE, self.abort)
        with contextlib.suppress(ConnectionError):
            await self.socket.close(code=code, message=reason)

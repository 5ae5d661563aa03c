"""A session: one live WebSocket, the subscription of its client, and its end."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSCloseCode, web

from mockchat.core.entities import User, UserCaller
from mockchat.core.faults import Rule
from mockchat.core.journal import Exchange, Journal
from mockchat.core.state import App
from mockchat.wire.resolve import RequestContext

GOODBYE = 0.8  # seconds that a client has to answer a close, then its connection is cut
_EVERYONE, _BY_ROLES, _FRIENDS = "ALL_USERS", "ROLES", "FRIENDS"
_ANDROID = "android"


@dataclass(slots=True, eq=False)
class Session:
    """One live socket; `app` and `caller` are known once it has authenticated."""

    socket: web.WebSocketResponse
    context: RequestContext
    exchange: Exchange  # its handshake, as the journal has or will have it
    app: App | None = None
    caller: UserCaller | None = None
    since: float = 0.0  # when it authenticated; unix seconds
    platform: str = ""  # as the client names it when it authenticates
    subscription: str = ""
    roles: frozenset[str] = frozenset()
    backlog: int = 0
    journal: Journal | None = None  # once the app is known
    timers: list[asyncio.TimerHandle] = field(default_factory=list)

    def heed(self, body: dict[str, Any]) -> None:
        """Keep the platform and the subscription in the body of an auth frame."""
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

    def strike(self, rule: Rule) -> None:
        """Note a fault in the exchange."""
        if rule.called not in self.exchange.faults:
            self.exchange.faults += (rule.called,)

    def later(self, seconds: float, function: Callable[..., Any], *arguments: Any) -> None:
        """Call a function later unless the session ends before."""
        loop = asyncio.get_running_loop()
        self.timers.append(loop.call_later(seconds, function, *arguments))

    def cancel_timers(self) -> None:
        """Call nothing later."""
        for timer in self.timers:
            timer.cancel()

    def abort(self) -> None:
        """Cut the connection."""
        if transport := self.context.request.transport:
            transport.abort()

    async def close(
        self, code: int = WSCloseCode.POLICY_VIOLATION, reason: bytes = b"ERR_NO_AUTH"
    ) -> None:
        """Close the socket; cut the connection of a client that does not answer in time."""
        asyncio.get_running_loop().call_later(GOODBYE, self.abort)
        with contextlib.suppress(ConnectionError):
            await self.socket.close(code=code, message=reason)

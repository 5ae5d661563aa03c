"""A session: one live WebSocket, from its handshake to its end (sdk-wire section 1.6)."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import WSCloseCode, WSMsgType, web

from mockchat.api import json_text
from mockchat.core.entities import User, UserCaller
from mockchat.core.fault_kinds import (
    CloseSocket,
    CredentialError,
    DelayAuth,
    IgnorePings,
    RefuseSocket,
)
from mockchat.core.faults import Rule, Struck
from mockchat.core.journal import Exchange, Frame, Journal
from mockchat.core.matching import SOCKET, RequestSummary
from mockchat.core.state import App
from mockchat.wire.resolve import RequestContext
from mockchat.wire.sending import ClientGone

if TYPE_CHECKING:
    from mockchat.wire.websocket import Hub

log = logging.getLogger("mockchat")

GOODBYE = 0.8  # seconds that a client has to answer a close, then its connection is cut
_MOST_UNSENT = 256 * 1024  # bytes that wait for one client before it is dropped as too slow
_AUTH_PATIENCE = 30.0  # seconds until an unauthenticated socket is closed
_LOGOUT_PATIENCE = 2.0  # seconds that a client has to close its socket once it logged out
_EVERYONE, _BY_ROLES, _FRIENDS = "ALL_USERS", "ROLES", "FRIENDS"
_ANDROID = "android"
_LONG, _LONGER = 126, 2**16 - 1  # lengths of frames that take more than a byte, more than two


@dataclass(slots=True, eq=False, repr=False)
class Session:
    """One live socket; `app` and `caller` are known once it has authenticated."""

    hub: "Hub"
    socket: web.WebSocketResponse
    context: RequestContext
    exchange: Exchange  # its handshake, as the journal has or will have it
    transport: asyncio.Transport | None  # None once nothing more is sent
    app: App | None = None
    caller: UserCaller | None = None
    since: float = 0.0  # when it authenticated; unix seconds
    platform: str = ""  # as the client names it when it authenticates
    subscription: str = ""
    roles: frozenset[str] = frozenset()
    journal: Journal | None = None  # once the app is known
    timers: list[asyncio.TimerHandle] = field(default_factory=list)

    # --- frames from the client ---------------------------------------------------------
    async def run(self) -> None:
        """Take frames until either side closes; answer a close with the same code."""
        self.later(_AUTH_PATIENCE, lambda: self.hub.start(self.close()))
        while True:
            message = await self.socket.receive()
            if message.type is WSMsgType.TEXT:
                self._record(Frame(True, self._now(), message.data))
                await self._receive(message.data)
            elif message.type is WSMsgType.CLOSE:
                reason = str(message.extra or "").encode()
                return await self.close(message.data or WSCloseCode.OK, reason)
            elif message.type is not WSMsgType.BINARY:
                return None

    async def _receive(self, text: str) -> None:
        try:
            frame = json_text.parse(text)
        except ValueError:
            return  # no SDK sends such a frame, and none expects an answer to it
        if not isinstance(frame, dict):
            return
        if frame.get("action") == "ping":
            self._answer_ping()
        elif frame.get("type") == "auth" and self.caller is None:
            await self._authenticate(frame)
        # JavaScript SDKs also send presence frames; the socket itself tells as much.

    def _answer_ping(self) -> None:
        if (app := self.app) and self.caller:
            # The lookup of an expired token destroys it, which ends the session.
            is_live = app.live_token(self.caller.token.value)
            if not is_live or any(self._strikes(app, self.caller.user.uid, IgnorePings)):
                return
        self._send({"action": "pong"})

    async def _authenticate(self, frame: dict[str, Any]) -> None:
        body = frame.get("body")
        body = body if isinstance(body, dict) else {}
        app = self.hub.store.find(str(frame.get("appId", "")))
        jwt = str(body.get("auth", ""))
        found = self.hub.jwts.check(app, jwt) if app else None
        if found:
            self._cancel_timers()
        if app and found and self.hub.store.faults.rules:
            # Users and tokens may change while a fault delays.
            passed = await self._let_pass(app, found[0].user.uid)
            if self.socket.closed:
                return
            found = self.hub.jwts.check(app, jwt) if passed else None
        self._place(app, found[0].user.uid if found else None)
        reply = {"type": "auth", "appId": frame.get("appId"), "deviceId": frame.get("deviceId")}
        if app is None or found is None:
            self._send({**reply, "body": {"code": "401", "status": "ERR_NO_AUTH"}})
            await self.close()
            return
        self.app, self.caller = app, found[0]
        self.hub.note(self, app, self.caller)
        self._heed(body)
        # Code and status as texts: iOS crashes on a number (sdk-wire 1.6).
        self._send({**reply, "body": {"code": "200", "status": "OK"}})
        app.open_session(self.caller)
        self.since = app.clock.now()
        self.watch_expiry()
        for closing, rule in self._strikes(app, self.caller.user.uid, CloseSocket):
            if closing.delay:
                self.later(closing.delay, self._drop, closing, rule)
            else:  # at once, before any answer to the next frame
                await self._end_by(closing)

    def _heed(self, body: dict[str, Any]) -> None:
        """Keep the platform and the subscription in the body of an auth frame."""
        told, roles = body.get("params"), body.get("roles")
        self.platform = str(told.get("platform") or "") if isinstance(told, dict) else ""
        self.subscription = str(body.get("presenceSubscription", "")).upper()
        self.roles = frozenset(map(str, roles)) if isinstance(roles, list) else frozenset()

    # --- frames to the client -----------------------------------------------------------
    def wants(self, user: User) -> bool:
        """Whether the session subscribed to the presence of `user`."""
        if self.caller is None or self.caller.user is user:
            return False
        if self.subscription == _EVERYONE:
            return True
        if self.subscription == _BY_ROLES:
            return user.role in self.roles
        return self.subscription == _FRIENDS and user.key in self.caller.user.friends

    def _send(self, message: dict[str, Any]) -> None:
        self.send(*framed(message, self._now()))

    def send(self, frame: Frame, data: bytes) -> None:
        """Send a frame without waiting; a client that does not read is dropped."""
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        if (unsent := transport.get_write_buffer_size()) > _MOST_UNSENT:
            text = "a WebSocket client that does not read was dropped: %d bytes wait for it"
            log.warning(text, unsent)
            transport.abort()
            return
        self._record(frame)
        transport.write(data)

    # --- faults and the journal ---------------------------------------------------------
    def _strikes(
        self, app: App, uid: str, kind: type[Struck], but: Callable[[Rule], bool] | None = None
    ) -> Iterator[tuple[Struck, Rule]]:
        """Yield the faults of a kind that strike the session of a user."""
        for found, rule in self.hub.store.faults.striking(app.id, _summary(uid), kind, but):
            self._note(rule)
            yield found, rule

    def _note(self, rule: Rule) -> None:
        if rule.called not in self.exchange.faults:
            self.exchange.faults += (rule.called,)

    async def _let_pass(self, app: App, uid: str) -> bool:
        """Whether no fault refuses the authentication; faults may delay it."""
        for delay, _ in self._strikes(app, uid, DelayAuth):
            await self.hub.waits.sleep(self.context.request, delay.delay)
        for _ in self._strikes(app, uid, CredentialError):
            return False

        def had_its_chance(rule: Rule) -> bool:
            """Whether the handshake told enough for the rule to strike it."""
            return rule.pattern.uid is None and bool(
                self.context.head.app_id or rule.app_id is None
            )

        for _ in self._strikes(app, uid, RefuseSocket, had_its_chance):
            self._place(app, uid)
            await self.close(WSCloseCode.TRY_AGAIN_LATER, b"refused")
            return False
        return True

    def meet(self, rule: Rule) -> None:
        """Close the socket if a new fault says so."""
        if self.app and self.caller:
            summary = _summary(self.caller.user.uid)
            if closing := rule.strike(self.app.id, summary, CloseSocket):
                self._note(rule)
                self.later(closing.delay, self._drop, closing, rule)

    def _drop(self, closing: CloseSocket, rule: Rule) -> None:
        if rule.id in self.hub.store.faults.rules:  # it was not removed meanwhile
            self.hub.start(self._end_by(closing))

    async def _end_by(self, closing: CloseSocket) -> None:
        if closing.close_code == WSCloseCode.ABNORMAL_CLOSURE:
            self._abort()
        else:
            await self.close(closing.close_code, b"a fault was asked for")

    def _place(self, app: App | None, uid: str | None = None) -> None:
        """Put the handshake into the journal of the app that the client authenticates for."""
        if self.journal is None:
            found, exchange = app or self.hub.store.default, self.exchange
            exchange.app_id = found.id
            if found is not self.context.app:
                exchange.at = found.clock.now()
            exchange.summary = exchange.summary._replace(uid=uid)
            self.journal = found.journal
            self.journal.record(exchange)

    def _now(self) -> float:
        return (self.app or self.hub.store).clock.now()

    def _record(self, frame: Frame) -> None:
        if self.journal is None:
            self.exchange.add_frame(frame)
        elif self.exchange.counted:  # otherwise the journal has dropped it
            self.journal.add_frame(self.exchange, frame)

    # --- ends ---------------------------------------------------------------------------
    def later(self, seconds: float, function: Callable[..., Any], *arguments: Any) -> None:
        """Call a function later unless the session ends before."""
        loop = asyncio.get_running_loop()
        self.timers.append(loop.call_later(seconds, function, *arguments))

    def _cancel_timers(self) -> None:
        for timer in self.timers:
            timer.cancel()

    def watch_expiry(self) -> None:
        """End the session when its token expires."""
        if (app := self.app) and self.caller and (ttl := app.rules.token_ttl) is not None:
            left = self.caller.token.created_at + ttl - app.clock.now()
            self.later(max(left, 0), app.live_token, self.caller.token.value)

    def revoke(self) -> None:
        """End the session of a dead token: Android SDKs notice a cut, but no close frame."""
        login = self.caller.token.platform if self.caller else None
        if (self.platform or login or "").lower() == _ANDROID:
            self._abort()
        else:
            self.hub.start(self.close())

    async def see_off(self) -> None:
        """Wait for the close of a client that logged out.

        Android SDKs take a close by the server for a lost connection. They connect again, with
        the dead JWT, and no later login gets a socket (sdk-wire 15.1).
        """
        with contextlib.suppress(ClientGone):
            await self.hub.waits.sleep(self.context.request, _LOGOUT_PATIENCE)
            self.revoke()

    def _abort(self) -> None:
        if transport := self.context.request.transport:
            transport.abort()

    async def close(
        self, code: int = WSCloseCode.POLICY_VIOLATION, reason: bytes = b"ERR_NO_AUTH"
    ) -> None:
        """Close the socket; cut the connection of a client that does not answer in time."""
        self.transport = None
        asyncio.get_running_loop().call_later(GOODBYE, self._abort)
        with contextlib.suppress(ConnectionError):
            await self.socket.close(code=code, message=reason)

    def end(self) -> None:
        """Call nothing later, and tell the app that the socket is gone."""
        self._place(self.context.app)
        self._cancel_timers()
        if self.app and self.caller:
            self.app.close_session(self.caller, self.since)


def _summary(uid: str) -> RequestSummary:
    """Return the summary of a socket that a user opened."""
    return RequestSummary("GET", "/", SOCKET, uid, "token")


def framed(message: dict[str, Any], at: float) -> tuple[Frame, bytes]:
    """Return a message as the journal keeps it, and as it is sent (RFC 6455, section 5.2)."""
    text = json_text.render(message)
    size = len(text)
    if size < _LONG:
        length = bytes([size])
    elif size <= _LONGER:
        length = b"\x7e" + size.to_bytes(2, "big")
    else:
        length = b"\x7f" + size.to_bytes(8, "big")
    return Frame(False, at, text.decode()), b"\x81" + length + text

"""The WebSocket: authentication by JWT, pings, presence (sdk-wire section 1.6)."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from mockchat.api import json_text
from mockchat.api.schemas import UserSchema, compile_dump, profile
from mockchat.api.session_jwt import check_jwt
from mockchat.core.entities import Event, PresenceChanged, Status, TokenDestroyed, User, UserCaller
from mockchat.core.errors import ApiError
from mockchat.core.state import App, Store

log = logging.getLogger("mockchat")

_MAX_FRAME = 64 * 1024  # bytes
_MAX_BACKLOG = 100  # frames that wait for one client before it is dropped as too slow
_GOODBYE = 1.0  # seconds that a client has to answer a close
_AUTH_PATIENCE = 30.0  # seconds until an unauthenticated socket is closed
_EVERYONE, _BY_ROLES, _FRIENDS = "ALL_USERS", "ROLES", "FRIENDS"

_HANDSHAKE = (
    "a WebSocket handshake needs Connection: Upgrade, Sec-WebSocket-Version: 13 and a "
    "Sec-WebSocket-Key of 16 bytes in base64"
)

_print_user = compile_dump(UserSchema)


@dataclass(slots=True, eq=False)
class Session:
    """One live socket; who it belongs to is known once it has authenticated."""

    socket: web.WebSocketResponse
    abort: Callable[[], None]
    app: App | None = None
    caller: UserCaller | None = None
    subscription: str = ""
    roles: frozenset[str] = frozenset()
    backlog: int = 0
    timers: list[asyncio.TimerHandle] = field(default_factory=list)

    def wants(self, user: User) -> bool:
        """Whether the session subscribed to the presence of `user`."""
        if self.caller is None or self.caller.user is user:
            return False
        if self.subscription == _EVERYONE:
            return True
        if self.subscription == _BY_ROLES:
            return user.role in self.roles
        return self.subscription == _FRIENDS and user.key in self.caller.user.friends


class Hub:
    """Owns the sockets: answers their frames and tells them what happens to users and tokens."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sessions: set[Session] = set()
        self._sends: set[asyncio.Task[Any]] = set()
        store.listeners.append(self._on_event)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Carry one socket from its handshake to its end."""
        socket = web.WebSocketResponse(max_msg_size=_MAX_FRAME, timeout=_GOODBYE)
        try:
            await socket.prepare(request)
        except (web.HTTPBadRequest, ValueError):  # aiohttp decodes a key without a look at it
            raise web.HTTPBadRequest(text=_HANDSHAKE) from None
        transport = request.transport
        session = Session(socket, transport.abort if transport else lambda: None)
        self._sessions.add(session)
        session.timers.append(
            asyncio.get_running_loop().call_later(_AUTH_PATIENCE, self._check_in, session)
        )
        try:
            with contextlib.suppress(ConnectionError):  # gone in the middle of an answer
                async for message in socket:
                    if message.type is WSMsgType.TEXT:
                        await self._receive(session, message.data)
        finally:
            self._forget(session)
        return socket

    async def close(self) -> None:
        """Close every socket, as a server that goes away does."""
        goodbyes = [
            session.socket.close(code=WSCloseCode.GOING_AWAY, message=b"Server shutdown")
            for session in self._sessions
        ]
        await asyncio.gather(*goodbyes, return_exceptions=True)

    # --- frames -------------------------------------------------------------------------
    async def _receive(self, session: Session, text: str) -> None:
        try:
            frame = json_text.parse(text)
        except ValueError:
            return  # no SDK sends such a frame, and none expects an answer to it
        if not isinstance(frame, dict):
            return
        if frame.get("action") == "ping":
            # Its token may have expired since: a dead one ends the session, not a pong.
            if not self._end_if_dead(session):
                self._send(session, {"action": "pong"})
            return
        # JavaScript SDKs also send presence frames; the socket itself tells as much.
        if frame.get("type") == "auth":
            await self._authenticate(session, frame)

    async def _authenticate(self, session: Session, frame: dict[str, Any]) -> None:
        body = frame.get("body")
        body = body if isinstance(body, dict) else {}
        if session.caller is not None:
            return
        try:
            app = self._store.app(str(frame.get("appId", "")))
        except ApiError:
            app = None
        found = check_jwt(app, str(body.get("auth", ""))) if app else None
        reply = {"type": "auth", "appId": frame.get("appId"), "deviceId": frame.get("deviceId")}
        if app is None or found is None:
            refusal = {**reply, "body": {"code": "401", "status": "ERR_NO_AUTH"}}
            await session.socket.send_str(json_text.render(refusal).decode())
            await session.socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"ERR_NO_AUTH")
            return
        session.app, session.caller = app, found[0]
        session.subscription = str(body.get("presenceSubscription", "")).upper()
        roles = body.get("roles")
        session.roles = frozenset(map(str, roles)) if isinstance(roles, list) else frozenset()
        # Code and status as texts: iOS crashes on a number (sdk-wire 1.6).
        self._send(session, {**reply, "body": {"code": "200", "status": "OK"}})
        app.open_session(session.caller.user)
        self._watch_expiry(session)

    def _send(self, session: Session, frame: dict[str, Any]) -> None:
        """Send without waiting; a client that does not read is dropped, not waited for."""
        if session.backlog >= _MAX_BACKLOG:
            session.abort()
            return
        session.backlog += 1
        task = asyncio.get_running_loop().create_task(
            self._deliver(session, json_text.render(frame).decode())
        )
        self._sends.add(task)
        task.add_done_callback(self._sends.discard)

    @staticmethod
    async def _deliver(session: Session, text: str) -> None:
        try:
            with contextlib.suppress(ConnectionError):
                await session.socket.send_str(text)
        finally:
            session.backlog -= 1

    # --- ends ---------------------------------------------------------------------------
    def _check_in(self, session: Session) -> None:
        if session.caller is None:
            self._end(session)

    def _watch_expiry(self, session: Session) -> None:
        ttl = self._store.rules.token_ttl
        if ttl is None or session.app is None or session.caller is None:
            return
        left = session.caller.token.created_at + ttl - session.app.clock.now()
        loop = asyncio.get_running_loop()
        session.timers.append(loop.call_later(max(left, 0), self._end_if_dead, session))

    def _end_if_dead(self, session: Session) -> bool:
        """Close a session whose token died; looking it up destroys an expired one."""
        if session.app is None or session.caller is None:
            return False
        return session.app.live_token(session.caller.token.value) is None

    def _end(self, session: Session) -> None:
        task = asyncio.get_running_loop().create_task(
            session.socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"ERR_NO_AUTH")
        )
        self._sends.add(task)
        task.add_done_callback(self._sends.discard)

    def _forget(self, session: Session) -> None:
        self._sessions.discard(session)
        for timer in session.timers:
            timer.cancel()
        if session.app and session.caller:
            session.app.close_session(session.caller.user)

    # --- events -------------------------------------------------------------------------
    def _on_event(self, event: Event) -> None:
        if isinstance(event, TokenDestroyed):
            for session in tuple(self._sessions):
                if session.caller and session.caller.token.value == event.token:
                    self._end(session)
        elif isinstance(event, PresenceChanged):
            self._tell_presence(event)

    def _tell_presence(self, event: PresenceChanged) -> None:
        online = event.user.status is Status.AVAILABLE
        frame = {
            "type": "presence",
            "appId": event.app_id,
            "deviceId": "",  # nobody's: SDKs drop what their own device sent
            "sender": event.user.uid,
            "body": {
                "action": "online" if online else "offline",
                "timestamp": event.at,
                "user": _print_user(profile(event.user, public=True)),
            },
        }
        for session in tuple(self._sessions):
            if session.app and session.app.id == event.app_id and session.wants(event.user):
                self._send(session, frame)

"""The WebSocket: authentication by JWT, pings, presence (sdk-wire section 1.6)."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Iterator
from http import HTTPStatus
from typing import Any, NamedTuple

from aiohttp import WSCloseCode, WSMsgType, web

from mockchat.api import json_text
from mockchat.api.schemas import UserSchema, compile_dump, profile
from mockchat.api.session_jwt import SessionJwts
from mockchat.api.validation import refuse
from mockchat.core.entities import AppRestored, ConnectionChanged, Event, TokenDestroyed, UserCaller
from mockchat.core.fault_kinds import (
    CloseSocket,
    CredentialError,
    DelayAuth,
    IgnorePings,
    RefuseSocket,
)
from mockchat.core.faults import Rule, Struck
from mockchat.core.journal import Exchange, Frame
from mockchat.core.matching import SOCKET, RequestSummary
from mockchat.core.pictures import address_for
from mockchat.core.state import App
from mockchat.core.store import Store
from mockchat.wire.answers import Answer
from mockchat.wire.faults import ClientGone, ClientWaits
from mockchat.wire.resolve import RequestContext
from mockchat.wire.session import GOODBYE, Session

log = logging.getLogger("mockchat")

_MAX_BACKLOG = 100  # frames that wait for one client before it is dropped as too slow
_AUTH_PATIENCE = 30.0  # seconds until an unauthenticated socket is closed
_LOGOUT_PATIENCE = 2.0  # seconds that a client has to close its socket once it logged out

_HANDSHAKE = (
    "a WebSocket handshake needs Connection: Upgrade, Sec-WebSocket-Version: 13 and a "
    "Sec-WebSocket-Key of 16 bytes in base64"
)
_MAX_FRAME = 64 * 1024  # bytes
_LONG, _LONGER = 126, 2**16 - 1  # lengths of frames that take more than a byte, more than two

_print_user = compile_dump(UserSchema)


class Upgraded(NamedTuple):
    """A WebSocket that has ended, and its exchange."""

    socket: web.WebSocketResponse
    exchange: Exchange


def _summary(uid: str) -> RequestSummary:
    """Return the summary of a socket that a user opened."""
    return RequestSummary("GET", "/", SOCKET, uid, "token")


class Hub:
    """Owns the sockets: answers their frames and tells them of changed users and tokens."""

    def __init__(self, store: Store, jwts: SessionJwts, waits: ClientWaits) -> None:
        self._store = store
        self._jwts = jwts
        self._waits = waits
        self._loop: asyncio.AbstractEventLoop | None = None  # that it serves in
        self._sessions: set[Session] = set()
        self._by_token: dict[tuple[str, str], set[Session]] = {}  # by app id and auth token
        self._tasks: set[asyncio.Task[None]] = set()
        store.listeners.append(self._on_event)
        store.faults.on_added.append(self._on_fault)
        store.clock.listeners.append(self._on_clock)

    async def serve(self, context: RequestContext, faults: tuple[str, ...]) -> Upgraded:
        """Carry one socket from its handshake, struck by `faults`, to its end."""
        request = context.request
        self._loop = asyncio.get_running_loop()
        # Without autoclose the hub answers a client's close: aiohttp always answers 1000.
        socket = web.WebSocketResponse(max_msg_size=_MAX_FRAME, timeout=GOODBYE, autoclose=False)
        socket.headers["X-Mock-Exchange"] = str(context.id)
        try:
            await socket.prepare(request)
        except (web.HTTPBadRequest, ValueError):  # aiohttp decodes a key without a look at it
            raise refuse("request", "broken", reason=_HANDSHAKE) from None
        except ConnectionError:
            raise ClientGone from None
        switched = Answer(HTTPStatus.SWITCHING_PROTOCOLS, dict(socket.headers), faults=faults)
        exchange = switched.exchange(context)
        session = Session(socket, context, exchange)
        self._sessions.add(session)
        session.later(_AUTH_PATIENCE, lambda: self._start(session.close()))
        try:
            with contextlib.suppress(ConnectionError, ClientGone):  # gone amid an answer
                await self._read(session)
        finally:
            self._forget(session)
        return Upgraded(socket, exchange)

    async def close(self) -> None:
        """Close every socket with code 1001."""
        goodbyes = [
            session.close(WSCloseCode.GOING_AWAY, b"Server shutdown") for session in self._sessions
        ]
        await asyncio.gather(*goodbyes, return_exceptions=True)

    # --- frames -------------------------------------------------------------------------
    async def _read(self, session: Session) -> None:
        """Take frames until either side closes; answer a close with the same code."""
        while True:
            message = await session.socket.receive()
            if message.type is WSMsgType.TEXT:
                self._record(session, message.data, sent=True)
                await self._receive(session, message.data)
            elif message.type is WSMsgType.CLOSE:
                reason = str(message.extra or "").encode()
                return await session.close(message.data or WSCloseCode.OK, reason)
            elif message.type is not WSMsgType.BINARY:
                return None

    async def _receive(self, session: Session, text: str) -> None:
        try:
            frame = json_text.parse(text)
        except ValueError:
            return  # no SDK sends such a frame, and none expects an answer to it
        if not isinstance(frame, dict):
            return
        if frame.get("action") == "ping":
            self._answer_ping(session)
        elif frame.get("type") == "auth" and session.caller is None:
            await self._authenticate(session, frame)
        # JavaScript SDKs also send presence frames; the socket itself tells as much.

    def _answer_ping(self, session: Session) -> None:
        if (app := session.app) and session.caller:
            uid, token = session.caller.user.uid, session.caller.token.value
            # The lookup of an expired token destroys it, which ends the session.
            if not app.live_token(token) or any(self._strikes(session, app, uid, IgnorePings)):
                return
        self._send(session, {"action": "pong"})

    async def _authenticate(self, session: Session, frame: dict[str, Any]) -> None:
        body = frame.get("body")
        body = body if isinstance(body, dict) else {}
        app = self._store.find(str(frame.get("appId", "")))
        jwt = str(body.get("auth", ""))
        found = self._jwts.check(app, jwt) if app else None
        if found:
            session.cancel_timers()
        if app and found and self._store.faults.rules:
            # Users and tokens may change while a fault delays.
            passed = await self._let_pass(session, app, found[0].user.uid)
            if session.socket.closed:
                return
            found = self._jwts.check(app, jwt) if passed else None
        self._place(session, app, found[0].user.uid if found else None)
        reply = {"type": "auth", "appId": frame.get("appId"), "deviceId": frame.get("deviceId")}
        if app is None or found is None:
            refusal = {**reply, "body": {"code": "401", "status": "ERR_NO_AUTH"}}
            text = json_text.render(refusal).decode()
            self._record(session, text, sent=False)
            await session.socket.send_str(text)
            await session.close()
            return
        session.app, session.caller = app, found[0]
        self._by_token.setdefault((app.id, session.caller.token.value), set()).add(session)
        session.heed(body)
        # Code and status as texts: iOS crashes on a number (sdk-wire 1.6).
        self._send(session, {**reply, "body": {"code": "200", "status": "OK"}})
        app.open_session(session.caller)
        session.since = app.clock.now()
        self._watch_expiry(session, app, session.caller)
        uid = session.caller.user.uid
        for closing, rule in self._strikes(session, app, uid, CloseSocket):
            session.later(closing.delay, self._drop, session, closing, rule)

    def _send(self, session: Session, frame: dict[str, Any]) -> None:
        self._send_text(session, json_text.render(frame).decode())

    def _send_text(self, session: Session, text: str) -> None:
        """Send without waiting; a client that does not read is dropped, not waited for."""
        if session.backlog >= _MAX_BACKLOG:
            session.abort()
            return
        session.backlog += 1
        self._record(session, text, sent=False)
        self._start(self._deliver(session, text))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @staticmethod
    async def _deliver(session: Session, text: str) -> None:
        try:
            with contextlib.suppress(ConnectionError):
                await session.socket.send_str(text)
        finally:
            session.backlog -= 1

    # --- faults and the journal ---------------------------------------------------------
    def _strikes(
        self,
        session: Session,
        app: App,
        uid: str,
        kind: type[Struck],
        but: Callable[[Rule], bool] | None = None,
    ) -> Iterator[tuple[Struck, Rule]]:
        """Yield the faults of a kind that strike the session of a user."""
        for found, rule in self._store.faults.striking(app.id, _summary(uid), kind, but):
            session.strike(rule)
            yield found, rule

    async def _let_pass(self, session: Session, app: App, uid: str) -> bool:
        """Whether no fault refuses the authentication; faults may delay it."""
        for delay, _ in self._strikes(session, app, uid, DelayAuth):
            await self._waits.sleep(session.context.request, delay.delay)
        for _ in self._strikes(session, app, uid, CredentialError):
            return False

        def had_its_chance(rule: Rule) -> bool:
            """Whether the handshake told enough for the rule to strike it."""
            return rule.pattern.uid is None and bool(session.context.app_id or rule.app_id is None)

        for _ in self._strikes(session, app, uid, RefuseSocket, had_its_chance):
            self._place(session, app, uid)
            await session.close(WSCloseCode.TRY_AGAIN_LATER, b"refused")
            return False
        return True

    def _on_fault(self, rule: Rule) -> None:
        """Close open sockets where a new fault says so."""
        for session, app, caller in self._known():
            if closing := rule.strike(app.id, _summary(caller.user.uid), CloseSocket):
                session.strike(rule)
                session.later(closing.delay, self._drop, session, closing, rule)

    def _known(self) -> Iterator[tuple[Session, App, UserCaller]]:
        """Yield the sessions that have authenticated."""
        for session in tuple(self._sessions):
            if session.app and session.caller:
                yield session, session.app, session.caller

    def _drop(self, session: Session, closing: CloseSocket, rule: Rule) -> None:
        if rule.id not in self._store.faults.rules:
            return  # it was removed meanwhile
        if closing.close_code == WSCloseCode.ABNORMAL_CLOSURE:
            session.abort()
        else:
            self._start(session.close(closing.close_code, b"a fault was asked for"))

    def _place(self, session: Session, app: App | None, uid: str | None = None) -> None:
        """Put the handshake into the journal of the app that the client authenticates for."""
        if session.journal is None:
            found, exchange = app or self._store.default, session.exchange
            exchange.app_id = found.id
            if found is not session.context.app:
                exchange.at = found.clock.now()
            exchange.summary = exchange.summary._replace(uid=uid)
            session.journal = found.journal
            session.journal.add(session.exchange)

    def _record(self, session: Session, text: str, *, sent: bool) -> None:
        frame = Frame(sent, (session.app or self._store).clock.now(), text)
        if session.journal is None:
            session.exchange.add_frame(frame)
        else:
            session.journal.add_frame(session.exchange, frame)

    # --- ends ---------------------------------------------------------------------------
    def _watch_expiry(self, session: Session, app: App, caller: UserCaller) -> None:
        if (ttl := app.rules.token_ttl) is not None:
            left = caller.token.created_at + ttl - app.clock.now()
            session.later(max(left, 0), app.live_token, caller.token.value)

    def _revoke(self, session: Session) -> None:
        """End the session of a dead token: Android SDKs notice a cut, but no close frame."""
        if session.is_android:
            session.abort()
        else:
            self._start(session.close())

    async def _see_off(self, session: Session) -> None:
        """Wait for the close of a client that logged out.

        Android SDKs take a close by the server for a lost connection. They connect again, with
        the dead JWT, and no later login gets a socket (sdk-wire 15.1).
        """
        with contextlib.suppress(ClientGone):
            await self._waits.sleep(session.context.request, _LOGOUT_PATIENCE)
            self._revoke(session)

    def _forget(self, session: Session) -> None:
        self._sessions.discard(session)
        self._place(session, session.context.app)
        session.cancel_timers()
        if session.app and session.caller:
            key = (session.app.id, session.caller.token.value)
            self._by_token[key].discard(session)
            if not self._by_token[key]:
                del self._by_token[key]
            session.app.close_session(session.caller, session.since)

    # --- events -------------------------------------------------------------------------
    def _on_event(self, event: Event) -> None:
        if isinstance(event, TokenDestroyed):
            for session in tuple(self._by_token.get((event.app_id, event.token), ())):
                if event.by_logout:
                    self._start(self._see_off(session))
                else:
                    self._revoke(session)
        elif isinstance(event, ConnectionChanged):
            if event.presence_changed:
                self._tell_presence(event)
        elif isinstance(event, AppRestored):
            self._rejoin(event.app_id)

    def _rejoin(self, app_id: str) -> None:
        """Give the sessions of a restored app its present users and tokens."""
        for session, app, caller in self._known():
            token = app.tokens.get(caller.token.value)
            if app.id == app_id and token:
                session.caller = UserCaller(app.user(token.uid), token)
                app.rejoin_session(session.caller.user)

    def _on_clock(self) -> None:
        """Restart the timers of tokens: time was moved, perhaps by another thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # a loop that is closed has no sessions
                self._loop.call_soon_threadsafe(self._watch_all)

    def _watch_all(self) -> None:
        for known in self._known():
            self._watch_expiry(*known)

    def _tell_presence(self, event: ConnectionChanged) -> None:
        rendered: dict[str, tuple[str, bytes]] = {}  # by the URL of the server that clients know
        for session, app, _ in self._known():
            if app.id == event.app_id and session.wants(event.user):
                server = session.context.server
                if server not in rendered:
                    text = json_text.render(_presence(event, server))
                    rendered[server] = (text.decode(), _framed(text))
                self._tell(session, *rendered[server])

    def _tell(self, session: Session, text: str, frame: bytes) -> None:
        """Send a frame that many get, without a task for each."""
        transport = session.context.request.transport
        if transport is None or transport.get_write_buffer_size() or session.backlog:
            self._send_text(session, text)  # after what waits
        elif not session.socket.closed:
            self._record(session, text, sent=False)
            transport.write(frame)


def _framed(text: bytes) -> bytes:
    """Return a text as a frame (RFC 6455, section 5.2)."""
    size = len(text)
    if size < _LONG:
        length = bytes([size])
    elif size <= _LONGER:
        length = b"\x7e" + size.to_bytes(2, "big")
    else:
        length = b"\x7f" + size.to_bytes(8, "big")
    return b"\x81" + length + text


def _presence(event: ConnectionChanged, server: str) -> dict[str, Any]:
    """Return the presence frame for a client that reaches pictures of this server by `server`."""
    user = {**_print_user(profile(event.user, public=True)), "uid": event.user.key}
    if "avatar" in user:
        user["avatar"] = address_for(user["avatar"], server)
    return {
        "type": "presence",
        "appId": event.app_id,
        "deviceId": "",  # nobody's: SDKs drop frames of their own device
        "sender": event.user.key,
        "body": {
            "action": "online" if event.connected else "offline",
            "timestamp": int(event.at),
            "user": user,
        },
    }

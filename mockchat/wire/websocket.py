"""The WebSockets: their handshakes, and the presence that they tell (sdk-wire section 1.6)."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from aiohttp import WSCloseCode, web

from mockchat.api.schemas import print_user, profile
from mockchat.api.session_jwt import SessionJwts
from mockchat.api.validation import refuse
from mockchat.core.entities import AppRestored, ConnectionChanged, Event, TokenDestroyed, UserCaller
from mockchat.core.faults import Rule
from mockchat.core.journal import Exchange, Frame
from mockchat.core.state import App
from mockchat.core.store import Store
from mockchat.wire.resolve import RequestContext
from mockchat.wire.sending import Answer, ClientGone, ClientWaits
from mockchat.wire.session import GOODBYE, Session, framed

_HANDSHAKE = (
    "a WebSocket handshake needs Connection: Upgrade, Sec-WebSocket-Version: 13 and a "
    "Sec-WebSocket-Key of 16 bytes in base64"
)
_MAX_FRAME = 64 * 1024  # bytes
_TOLD_AT_ONCE = 250  # sessions that hear of a presence before other clients are served


class Hub:
    """Owns the sockets, and tells them of changed users, tokens, faults and time."""

    def __init__(
        self,
        store: Store,
        jwts: SessionJwts,
        waits: ClientWaits,
        tell: Callable[[Exchange], None],
    ) -> None:
        self.store, self.jwts, self.waits, self._tell = store, jwts, waits, tell
        self._loop: asyncio.AbstractEventLoop | None = None  # that it serves in
        self._sessions: set[Session] = set()
        self._by_token: dict[tuple[str, str], set[Session]] = {}  # by app id and auth token
        self._tasks: set[asyncio.Task[None]] = set()
        self._untold: deque[tuple[Session, tuple[Frame, bytes]]] = deque()  # frames of presence
        store.listeners.append(self._on_event)
        store.faults.on_added.append(self._on_fault)
        store.clock.listeners.append(self._on_clock)

    async def serve(
        self, context: RequestContext, faults: tuple[str, ...]
    ) -> web.WebSocketResponse:
        """Carry one socket from its handshake, struck by `faults`, to its end.

        Raises BAD_REQUEST for a handshake that is none, ClientGone if the client left.
        """
        self._loop = asyncio.get_running_loop()
        # Without autoclose the session answers a client's close: aiohttp always answers 1000.
        socket = web.WebSocketResponse(max_msg_size=_MAX_FRAME, timeout=GOODBYE, autoclose=False)
        socket.headers["X-Mock-Exchange"] = str(context.id)
        try:
            await socket.prepare(context.request)
        except (web.HTTPBadRequest, ValueError):  # aiohttp decodes a key without a look at it
            raise refuse("request", "broken", reason=_HANDSHAKE) from None
        except ConnectionError:
            raise ClientGone from None
        switched = Answer(HTTPStatus.SWITCHING_PROTOCOLS, dict(socket.headers), faults=faults)
        exchange = switched.exchange(context)
        session = Session(self, socket, context, exchange, context.request.transport)
        self._sessions.add(session)
        try:
            with contextlib.suppress(ConnectionError, ClientGone):  # gone amid an answer
                await session.run()
        finally:
            self._forget(session)
        self._tell(exchange)
        return socket

    async def close(self) -> None:
        """Close every socket with code 1001."""
        goodbyes = [
            session.close(WSCloseCode.GOING_AWAY, b"Server shutdown") for session in self._sessions
        ]
        await asyncio.gather(*goodbyes, return_exceptions=True)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Do work of a session in the background."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def note(self, session: Session, app: App, caller: UserCaller) -> None:
        """Note the token by which a session has authenticated."""
        self._by_token.setdefault((app.id, caller.token.value), set()).add(session)

    def _forget(self, session: Session) -> None:
        self._sessions.discard(session)
        if session.app and session.caller:
            key = (session.app.id, session.caller.token.value)
            self._by_token[key].discard(session)
            if not self._by_token[key]:
                del self._by_token[key]
        session.end()

    # --- events -------------------------------------------------------------------------
    def _on_fault(self, rule: Rule) -> None:
        for session in tuple(self._sessions):
            session.meet(rule)

    def _on_event(self, event: Event) -> None:
        if isinstance(event, TokenDestroyed):
            for session in tuple(self._by_token.get((event.app_id, event.token), ())):
                if event.by_logout:
                    self.start(session.see_off())
                else:
                    session.revoke()
        elif isinstance(event, ConnectionChanged):
            if event.presence_changed:
                self._tell_presence(event)
        elif isinstance(event, AppRestored):
            self._rejoin(event.app_id)

    def _rejoin(self, app_id: str) -> None:
        """Give the sessions of a restored app its present users and tokens."""
        for session in tuple(self._sessions):
            app, caller = session.app, session.caller
            if app is None or caller is None or app.id != app_id:
                continue
            if token := app.tokens.get(caller.token.value):
                session.caller = UserCaller(app.user(token.uid), token)
                app.rejoin_session(session.caller.user)

    def _on_clock(self) -> None:
        """Restart the timers of tokens: time was moved, perhaps by another thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # a loop that is closed has no sessions
                self._loop.call_soon_threadsafe(self._watch_all)

    def _watch_all(self) -> None:
        for session in self._sessions:
            session.watch_expiry()

    def _tell_presence(self, event: ConnectionChanged) -> None:
        """Tell the sessions that subscribed; if they are many, serve others in between."""
        is_telling = bool(self._untold)
        while self._untold:  # of the change before: each session hears of both in order
            self._tell_some()
        told: dict[str, tuple[Frame, bytes]] = {}  # by the URL of the server that clients know
        for session in self._sessions:
            if session.app and session.app.id == event.app_id and session.wants(event.user):
                server = session.context.head.server
                if server not in told:
                    told[server] = framed(_presence(event, server), event.at)
                self._untold.append((session, told[server]))
        if not is_telling:
            self._tell_in_slices()

    def _tell_in_slices(self) -> None:
        if len(self._untold) > _TOLD_AT_ONCE:
            asyncio.get_running_loop().call_soon(self._tell_in_slices)
        self._tell_some()

    def _tell_some(self) -> None:
        some = [self._untold.popleft() for _ in range(min(_TOLD_AT_ONCE, len(self._untold)))]
        for session, frame in some:
            session.send(*frame)


def _presence(event: ConnectionChanged, server: str) -> dict[str, Any]:
    """Return the presence frame for a client that reaches pictures of this server by `server`."""
    return {
        "type": "presence",
        "appId": event.app_id,
        "deviceId": "",  # nobody's: SDKs drop frames of their own device
        "sender": event.user.key,
        "body": {
            "action": "online" if event.connected else "offline",
            "timestamp": int(event.at),
            "user": print_user(profile(event.user, public=True), server),
        },
    }

"""Deliveries: events of users, posted to the webhooks of their app (reference section 15.5)."""

import asyncio
import logging
import re
import time
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar

from mockchat.api import json_text
from mockchat.api.operation import Sleep
from mockchat.core.entities import BlocksChanged, ConnectionChanged, Event, Status, User
from mockchat.core.journal import Exchange
from mockchat.core.matching import RequestSummary
from mockchat.core.pictures import address_for
from mockchat.core.relations import conversation_id
from mockchat.core.state import App
from mockchat.core.store import Store
from mockchat.core.webhooks import OPERATION, Webhooks
from mockchat.version import __version__

log = logging.getLogger("mockchat")

_PAUSES = (0.0, 0.5, 2.0)  # seconds before the first try and each further one
_TIME_LIMIT = 5.0  # seconds of a try
_MAX_WAITING = 1000  # deliveries for one URL
_MAX_ANSWER = 64 * 1024  # bytes of an answer that the journal keeps
_HEADERS = {"Content-Type": "application/json", "User-Agent": f"mockchat/{__version__}"}


class Delivery(NamedTuple):
    """An event for one webhook."""

    app: App
    webhooks: Webhooks
    webhook: str
    url: str
    uid: str
    body: bytes

    @property
    def receiver(self) -> str:
        """The URL without the name and the password that it may have."""
        return re.sub(r"//[^/?#@]*@", "//", self.url)

    @property
    def is_wanted(self) -> bool:
        """Whether the app still has the webhook, and was not reset since the event."""
        is_same = self.app.webhooks is self.webhooks and not self.app.journal.closed
        return is_same and self.webhook in self.webhooks.urls


class Deliveries:
    """Posts events without holding anything up: each URL has a line of its own.

    A line keeps the order of events: a delivery that fails is tried again before the next one.
    `tell` hears of each try, which is an exchange in the app's journal.
    """

    def __init__(
        self,
        store: Store,
        region: str,
        server_url: Callable[[], str],
        sleep: Sleep,
        tell: Callable[[Exchange], None],
    ) -> None:
        self._store = store
        self._region = region
        self._server_url = server_url  # where receivers find the pictures of this server
        self._sleep = sleep
        self._tell = tell
        self._lines: dict[tuple[str, str], deque[Delivery]] = {}  # by app id and URL
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: ClientSession | None = None
        self._closed = False
        store.listeners.append(self._on_event)

    async def close(self) -> None:
        """Drop the deliveries that wait, end those that are on their way, and take no more."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    # --- events -------------------------------------------------------------------------
    def _on_event(self, event: Event) -> None:
        if not isinstance(event, ConnectionChanged | BlocksChanged):
            return
        app = self._store.find(event.app_id)
        if self._closed or app is None or not app.webhooks.urls:
            return
        trigger, data = self._described(event)
        told = {"trigger": trigger, "data": data, "appId": app.id, "region": self._region}
        for webhook, url in app.webhooks.urls.items():
            body = json_text.render({**told, "webhook": webhook})
            self._queue(Delivery(app, app.webhooks, webhook, url, event.user.key, body))

    def _described(self, event: ConnectionChanged | BlocksChanged) -> tuple[str, dict[str, Any]]:
        """Return the trigger and the data of an event, as the vendor's pages have them."""
        shown = self._entity(event.user)
        if isinstance(event, BlocksChanged):
            users = {
                one.key: {**self._entity(one), "conversationId": conversation_id(event.user, one)}
                for one in event.others
            }
            trigger = "user_blocked" if event.blocked else "user_unblocked"
            return trigger, {"users": users, "by": shown}
        online = event.user.status is Status.AVAILABLE
        return "user_connection_status_changed", {
            "timestamp": int(event.at * 1000),
            "user": shown,
            "status": "online" if online else "offline",
            "currentConnection": _connection(event),
            "userPresenceChanged": event.presence_changed,
        }

    def _entity(self, user: User) -> dict[str, Any]:
        return _without_nulls(
            {
                "uid": user.key,
                "name": user.name,
                "avatar": user.avatar and address_for(user.avatar, self._server_url()),
                "status": user.status.value,
                "role": user.role,
                "lastActiveAt": user.last_active_at,
            }
        )

    # --- lines --------------------------------------------------------------------------
    def _queue(self, delivery: Delivery) -> None:
        key = (delivery.app.id.lower(), delivery.url)
        line = self._lines.get(key)
        if line is None:
            line = self._lines[key] = deque()
            task = asyncio.get_running_loop().create_task(self._work_off(key, line))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if len(line) < _MAX_WAITING:
            line.append(delivery)
        else:
            url = delivery.receiver
            log.warning("%s: %s events wait already; one is dropped", url, _MAX_WAITING)

    async def _work_off(self, key: tuple[str, str], line: deque[Delivery]) -> None:
        try:
            while line:
                await self._deliver(line.popleft())
        finally:
            del self._lines[key]

    async def _deliver(self, delivery: Delivery) -> None:
        """Post an event until the receiver takes it, or the tries are used up."""
        exchange = None
        for pause in _PAUSES:
            if pause:
                await self._sleep(pause)
            if not delivery.is_wanted:
                return
            exchange = await self._post(delivery)
            delivery.app.journal.record(exchange)
            self._tell(exchange)
            if HTTPStatus.OK <= exchange.status < HTTPStatus.MULTIPLE_CHOICES:
                return
        reason = exchange and (exchange.hint or f"status {exchange.status}")
        log.warning("%s took no event in %s tries: %s", delivery.receiver, len(_PAUSES), reason)

    async def _post(self, delivery: Delivery) -> Exchange:
        started = time.perf_counter()
        status, reason = 0, None
        answered: tuple[Any, bytes] = ({}, b"")
        if self._session is None:
            self._session = ClientSession(cookie_jar=DummyCookieJar(), auto_decompress=False)
        try:
            async with self._session.post(
                delivery.url,
                data=delivery.body,
                headers=_HEADERS,
                allow_redirects=False,
                timeout=ClientTimeout(total=_TIME_LIMIT),
            ) as answer:
                content = await answer.content.read(_MAX_ANSWER)
                status, answered = answer.status, (answer.headers, content)
        except TimeoutError:
            reason = f"no answer came within {_TIME_LIMIT:g} seconds"
        except (ClientError, OSError, ValueError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
        app, url = delivery.app, delivery.receiver
        return Exchange(
            self._store.journals.next_id(),
            app.id,
            app.clock.now(),
            RequestSummary("POST", urlsplit(url).path or "/", OPERATION, delivery.uid),
            url,
            (_HEADERS, delivery.body),
            answered,
            status,
            time.perf_counter() - started,
            url.lower().startswith("https:"),
            hint=reason,
        )


def _connection(event: ConnectionChanged) -> dict[str, Any]:
    token = event.token
    try:
        info = json_text.parse(token.app_info or "null")
    except ValueError:
        info = token.app_info
    return _without_nulls(
        {
            "action": "connected" if event.connected else "disconnected",
            "appInfo": info,
            "platform": token.platform,
            "userAgent": token.user_agent,
            "connectedAt": int(event.since * 1000),
        }
    )


def _without_nulls(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}

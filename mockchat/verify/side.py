"""One side of the comparison: its addresses, its values, and requests to it that are patient."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from aiohttp import (
    ClientError,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    WSMsgType,
    WSServerHandshakeError,
)

from mockchat.verify.probe import SOCKET, Probe, Raw, filled
from mockchat.version import __version__
from mockchat.wire.hosts import is_loopback

PER_MINUTE = 400  # requests; the smallest plan allows 500 (reference section 1.2)
IMPORTS_PER_MINUTE = 50  # of 60
_WINDOW = 60.0  # seconds
_LONGEST_WAIT = 300  # seconds; a longer Retry-After is not waited for
_TRIES = 4  # for each request
_PAUSE = 1.0  # seconds after a lost connection, longer each time
_LOST_IN_A_ROW = 4  # requests, after which the service counts as gone
_GATEWAY = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)
_AGENT = {"User-Agent": f"mockchat-verify/{__version__}"}

Sleep = Callable[[float], Awaitable[None]]


class NoAnswerError(Exception):
    """The service has not answered a request."""


class LostError(NoAnswerError):
    """The connection broke, and it is not known whether the service received the request."""


class Request(NamedTuple):
    """A request as it is sent; the body of a WebSocket is the list of its frames."""

    method: str
    url: str
    headers: dict[str, str]
    body: Any = None

    @property
    def content(self) -> str | None:
        """The text of the body."""
        if isinstance(self.body, Raw):
            return self.body.text
        return None if self.body is None else json.dumps(self.body)


class Answer(NamedTuple):
    """An answer; the text of a WebSocket is the JSON list of the received frames."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:
        """The JSON document, or None if the text is none."""
        return _document(self.text)

    @property
    def succeeded(self) -> bool:
        """Whether the request succeeded."""
        return self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def error(self) -> str:
        """The code and the message of the error, or the status if the body names none."""
        return told(self.at("error")) or f"HTTP {self.status}"

    def at(self, *place: str) -> Any:
        """Return the value at a place in the body, or None."""
        found = self.body
        for key in place:
            found = found.get(key) if isinstance(found, dict) else None
        return found


def _document(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def told(error: Any) -> str:
    """Return the code and the message of an error as text; empty if it is none."""
    return f"{error.get('code')}: {error.get('message')}" if isinstance(error, dict) else ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an app is served: by the live host names of its region, or at `base_url`."""

    app_id: str
    region: str = "us"
    base_url: str = ""

    def url(self, service: str, app_id: str | None = None) -> str:
        """Return the base URL of a service: `api`, `apiclient` or `websocket`."""
        is_socket = service == "websocket"
        if self.base_url:
            return self.base_url.replace("http", "ws", 1) if is_socket else self.base_url
        app = self.app_id if app_id is None else app_id
        host = f"{app}.{service}" if app else service
        name = f"{host}-{self.region}.cometchat.io"
        return f"wss://{name}" if is_socket else f"https://{name}/v3"

    def __str__(self) -> str:
        return self.base_url or f"the live service ({self.region})"

    @property
    def is_local(self) -> bool:
        """Whether the address can only be this machine."""
        return is_loopback(urlsplit(self.base_url).hostname or "") if self.base_url else False


class Pace:
    """Keeps requests under a number a minute, if there is one."""

    def __init__(
        self, per_minute: int | None, sleep: Sleep, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._sleep, self._now = sleep, now
        self._times: deque[float] = deque(maxlen=per_minute)

    async def wait(self) -> None:
        """Wait until one more request is allowed."""
        if len(self._times) == self._times.maxlen:
            await self._sleep(max(0.0, self._times[0] + _WINDOW - self._now()))
        self._times.append(self._now())


class Side:
    """One service that answers probes; `values` are the named values of its requests."""

    def __init__(
        self,
        place: Place,
        values: Mapping[str, str],
        *,
        sleep: Sleep = asyncio.sleep,
        timeout: float = 30.0,  # seconds for each answer
        per_minute: int | None = PER_MINUTE,  # requests
    ) -> None:
        self.place, self.values = place, dict(values)
        self.sleep = sleep
        self._pace = Pace(per_minute, sleep)
        self._timeout = timeout
        self._session: ClientSession | None = None
        self._lost = 0  # requests in a row
        self.gone = ""  # why the service counts as gone, and is asked no more

    async def __aenter__(self) -> Self:
        self._session = ClientSession(
            cookie_jar=DummyCookieJar(),
            timeout=ClientTimeout(total=self._timeout),
            trust_env=not self.place.is_local,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session:
            await self._session.close()

    @property
    def names(self) -> dict[str, str]:
        """The values, each with the name that stands for it."""
        return {value: f"<{name}>" for name, value in self.values.items()}

    def request(self, probe: Probe) -> Request:
        """Return the request of a probe; raise KeyError for a value that is not known."""
        headers = filled(dict(probe.headers), self.values)
        app_id = filled(probe.app, self.values)
        service = "apiclient" if "authToken" in headers else "api"
        if probe.method == SOCKET:
            service = "websocket"
        if app_id:
            headers["appId"] = app_id
        body = filled(probe.body, self.values)
        if body is not None and probe.method != SOCKET:
            kind = body.content_type if isinstance(body, Raw) else "application/json"
            headers["Content-Type"] = kind
        url = self.place.url(service, app_id) + filled(probe.path, self.values)
        return Request(probe.method, url, headers, body)

    async def call(self, method: str, path: str, body: Any = None) -> Answer:
        """Return the answer to a request that may be sent again, with the key of full access."""
        request = self.request(Probe("", f"{method} {path}", body))
        return await self.ask(request, again=True)

    async def ask(self, request: Request, *, last: bool = False, again: bool = False) -> Answer:
        """Return the answer of the service, waiting as long as a 429 asks for.

        Requests that only read, and those that `again` allows, are sent again if the connection
        breaks or a gateway fails; any other then raises LostError. `last` takes the error of a
        gateway for an answer. Raises NoAnswerError if the service does not answer any more, or
        refuses for longer than verify waits.
        """
        again = again or request.method in ("GET", SOCKET)
        for attempt in range(1, _TRIES + 1):
            await self._pace.wait()
            is_last = attempt == _TRIES or not again
            try:
                answer = await self._try(request, is_final=is_last and (again or last))
            except LostError:
                if is_last:
                    raise
                await self.sleep(_PAUSE * attempt)
                continue
            if answer.status != HTTPStatus.TOO_MANY_REQUESTS:
                return answer
            told = answer.headers.get("retry-after", "")
            seconds = int(told) if told.isdecimal() else int(_WINDOW)
            if seconds > _LONGEST_WAIT:
                raise NoAnswerError(f"the service answered 429 and asks to wait {seconds} seconds")
            await self.sleep(seconds)
        raise NoAnswerError(f"the service answered 429 {_TRIES} times")

    async def _try(self, request: Request, *, is_final: bool) -> Answer:
        """Return the answer to a request; raise LostError or NoAnswerError.

        The error of a gateway is the `final` answer, or else none.
        """
        if self.gone:
            raise NoAnswerError(self.gone)
        try:
            answer = await self._send(request)
        except WSServerHandshakeError as error:
            answer = Answer(error.status, {}, "")
        except (ClientError, OSError, TimeoutError) as error:
            reason = str(error) or type(error).__name__
            reason = "no answer in time" if isinstance(error, TimeoutError) else reason
            # A WebSocket may be closed to this machine while HTTP is not.
            self._lost += request.method != SOCKET
            if self._lost < _LOST_IN_A_ROW:
                raise LostError(reason) from None
            self.gone = f"the service no longer answers: {reason}"
            raise NoAnswerError(self.gone) from None
        self._lost = 0
        if answer.status in _GATEWAY and not is_final:
            raise LostError(f"HTTP {answer.status}")
        return answer

    async def _send(self, request: Request) -> Answer:
        assert self._session is not None  # noqa: S101  # asked inside the context only
        if request.method == SOCKET:
            return await self._talk(self._session, request)
        method, url, headers, _ = request
        data = None if request.content is None else request.content.encode()
        async with self._session.request(
            method, url, headers={**_AGENT, **headers}, data=data, allow_redirects=False
        ) as response:
            text = (await response.read()).decode("utf-8", "backslashreplace")
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, headers, text)

    async def _talk(self, session: ClientSession, request: Request) -> Answer:
        """Send each frame and wait for one frame; the answer has a frame or a close for each."""
        frames: list[Any] = []
        async with session.ws_connect(request.url, headers=request.headers) as socket:
            for frame in request.body:
                await socket.send_json(frame)
                try:
                    message = await socket.receive(timeout=self._timeout)
                except TimeoutError:
                    frames.append("no frame in time")
                    break
                if message.type is not WSMsgType.TEXT:
                    frames.append({"closed": socket.close_code})
                    break
                frames.append(_document(message.data))
        return Answer(HTTPStatus.SWITCHING_PROTOCOLS, {}, json.dumps(frames))

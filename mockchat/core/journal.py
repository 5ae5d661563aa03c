"""The journal: what clients really sent and what they were answered, bounded per app."""

import asyncio
import json
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from mockchat.core.matching import Asked, Pattern

_OVERHEAD = 2048  # bytes that an exchange takes beyond its bodies, roughly
_JOURNALS_IN_FULL = 32  # how many times `journal_bytes` all journals of a server may take
MAX_FRAMES = 500  # of one WebSocket, the oldest fall out


class Message:
    """What one side of an exchange sent: headers by name in any case, and bytes."""

    def __init__(self, headers: Mapping[str, str], body: bytes) -> None:
        self.headers = headers
        self.body = body

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")

    @cached_property
    def json(self) -> Any:
        """The body as JSON has it, None where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


class Frame(NamedTuple):
    """One message of a WebSocket; `sent` by the client, or by the server."""

    sent: bool
    at: float  # unix seconds
    text: str


@dataclass(slots=True, eq=False, repr=False)
class Exchange:
    """A request and its answer; `status` 0 means that there was, or is yet, none."""

    id: int
    app_id: str
    at: float  # unix seconds, by the mock's clock
    asked: Asked
    target: str  # path and query as they were sent
    sent: tuple[Mapping[str, str], bytes]
    answered: tuple[Mapping[str, str], bytes]
    status: int
    seconds: float
    secure: bool
    code: str | None = None  # of the error that it was refused with
    faults: tuple[str, ...] = ()  # the kinds that struck
    hint: str | None = None  # what came nearest to being right
    is_kept: bool = False  # by a journal
    frames: deque[Frame] | tuple[()] = ()  # of a WebSocket
    entry: int = 0  # which one it was that the journals took in, all together

    @property
    def request(self) -> Message:
        """What the client sent."""
        return Message(*self.sent)

    @property
    def response(self) -> Message:
        """What it was answered."""
        return Message(*self.answered)

    def __str__(self) -> str:
        fault = f" fault: {', '.join(self.faults)}" if self.faults else ""
        outcome = f"{self.status or 'no answer'}{f' {self.code}' if self.code else ''}"
        return f"#{self.id} {self.asked.method} {self.target} -> {outcome}{fault}"

    @property
    def method(self) -> str:
        """The method."""
        return self.asked.method

    @property
    def path(self) -> str:
        """The path without version, app and query."""
        return self.asked.path

    @property
    def operation(self) -> str | None:
        """The name of the operation, if there is such a one."""
        return self.asked.operation

    @property
    def uid(self) -> str | None:
        """The uid that the request names or whose auth token it shows."""
        return self.asked.uid

    def add_frame(self, frame: Frame) -> None:
        """Note a message of the WebSocket; the oldest falls out of many."""
        if not isinstance(self.frames, deque):
            self.frames = deque(maxlen=MAX_FRAMES)
        self.frames.append(frame)

    @property
    def size(self) -> int:
        """How many bytes it counts for."""
        return _OVERHEAD + len(self.target) + len(self.sent[1]) + len(self.answered[1])


class Filter(NamedTuple):
    """Which exchanges are looked for; what is None fits all.

    `json` must be part of the request's JSON, `headers` of its headers. `since` is the id of an
    exchange: only those are meant that began later. `cursor` is an entry: only those are meant
    that were taken in later, those that took long among them.
    """

    pattern: Pattern = Pattern()
    status: int | None = None
    code: str | None = None
    headers: Mapping[str, str] | None = None
    json: Any = None
    since: int | None = None
    cursor: int | None = None

    def misses(self, exchange: Exchange) -> Iterator[str]:
        """Say in what an exchange differs; nothing where it is looked for."""
        yield from self.pattern.misses(exchange.asked)
        if self.status is not None and self.status != exchange.status:
            yield f"status is {exchange.status or 'none'}, not {self.status}"
        if self.code is not None and self.code != exchange.code:
            yield f"code is {exchange.code or 'none'}, not {self.code}"
        for name, value in (self.headers or {}).items():
            if (given := exchange.request.headers.get(name)) != value:
                yield f"header {name} is {given!r}, not {value!r}"
        if self.json is not None:
            yield from _json_misses(exchange.request.json, self.json, "json")
        if self.since is not None and exchange.id <= self.since:
            yield f"exchange #{exchange.id} is not later than #{self.since}"
        if self.cursor is not None and exchange.entry <= self.cursor:
            yield f"exchange #{exchange.id} was there at {self.cursor}"

    def fits(self, exchange: Exchange) -> bool:
        """Whether an exchange is looked for."""
        return next(self.misses(exchange), None) is None


def _json_misses(given: Any, wanted: Any, place: str) -> Iterator[str]:
    if isinstance(wanted, Mapping) and isinstance(given, Mapping):
        for key, value in wanted.items():
            if key in given:
                yield from _json_misses(given[key], value, f"{place}.{key}")
            else:
                yield f"{place}.{key} is missing, not {value!r}"
    elif given != wanted:
        yield f"{place} is {given!r}, not {wanted!r}"


class Journal:
    """The exchanges of one app, oldest first; the oldest fall out."""

    def __init__(self, book: "JournalBook") -> None:
        self._book = book
        self._exchanges: deque[Exchange] = deque()
        self.bytes = 0

    def __iter__(self) -> Iterator[Exchange]:
        return iter(tuple(self._exchanges))

    def __len__(self) -> int:
        return len(self._exchanges)

    def add(self, exchange: Exchange) -> None:
        """Take in an exchange."""
        book, exchanges = self._book, self._exchanges
        book.entries += 1
        exchange.entry = book.entries
        exchange.is_kept = True
        exchanges.append(exchange)
        self._count(exchange.size)
        while len(exchanges) > book.most or (self.bytes > book.most_bytes and len(exchanges) > 1):
            self.drop_oldest()
        book.added(self)

    def add_frame(self, exchange: Exchange, frame: Frame) -> None:
        """Take in a message of a WebSocket whose handshake is `exchange`."""
        if exchange.is_kept:
            oldest = next(iter(exchange.frames), None)
            gone = len(oldest.text) if oldest and len(exchange.frames) == MAX_FRAMES else 0
            self._count(len(frame.text) - gone)
        exchange.add_frame(frame)

    def drop_oldest(self) -> None:
        """Forget the oldest exchange."""
        oldest = self._exchanges.popleft()
        oldest.is_kept = False
        self._count(-oldest.size - sum(len(frame.text) for frame in oldest.frames))

    def clear(self) -> None:
        """Forget all exchanges."""
        for exchange in self._exchanges:
            exchange.is_kept = False
        self._exchanges.clear()
        self._count(-self.bytes)

    def _count(self, size: int) -> None:
        self.bytes += size
        self._book.bytes += size


class JournalBook:
    """The journals of all apps: their ids, their bounds and who waits for what."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self.most = most
        self.most_bytes = most_bytes
        self.bytes = 0
        self.entries = 0
        self._last_id = 0
        self._by_use: OrderedDict[Journal, None] = OrderedDict()
        self._watchers: list[asyncio.Event] = []
        self._ended = False

    def next_id(self) -> int:
        """Return the id of the next exchange; ids grow."""
        self._last_id += 1
        return self._last_id

    def added(self, journal: Journal) -> None:
        """Note that a journal grew: whoever waits is told, the longest unused one makes room."""
        self._by_use[journal] = None
        self._by_use.move_to_end(journal)
        while self.bytes > _JOURNALS_IN_FULL * self.most_bytes and len(self._by_use) > 1:
            oldest = next(iter(self._by_use))
            if len(oldest):
                oldest.drop_oldest()
            else:
                del self._by_use[oldest]
        for grown in self._watchers:
            grown.set()

    def forget(self, journal: Journal) -> None:
        """Let a journal go, with the app that it is of."""
        journal.clear()
        self._by_use.pop(journal, None)

    def end_waits(self) -> None:
        """Let everyone go who waits, now and from now on."""
        self._ended = True
        for watch in self._watchers:
            watch.set()

    async def wait(
        self,
        search: Callable[[], list[Exchange]],
        count: int,
        timeout: float,  # noqa: ASYNC109  # a wait that a caller may cut short
    ) -> list[Exchange]:
        """Return what `search` finds once it finds `count`, or when `timeout` seconds passed.

        The seconds are real ones, whatever the mock's clock says.
        """
        grown = asyncio.Event()
        self._watchers.append(grown)
        try:
            async with asyncio.timeout(timeout):
                while len(search()) < count and not self._ended:
                    grown.clear()
                    await grown.wait()
        except TimeoutError:
            pass
        finally:
            self._watchers.remove(grown)
        return search()


def explain(found: list[Exchange], wanted: Filter, journal: list[Exchange]) -> str:
    """Return what an assertion says that `wanted` did not hold for: the nearest and what differed.

    `found` fit, `journal` is everything that was looked through.
    """
    if found:
        return "there were:\n" + "\n".join(f"  {one}" for one in found)
    if not journal:
        return "the journal is empty: nothing has reached this app"
    misses = [(len(list(wanted.misses(one))), -one.id, one) for one in journal]
    nearest = min(misses, key=lambda miss: miss[:2])[2]
    differences = "\n".join(f"    {miss}" for miss in wanted.misses(nearest))
    body = f"\n    sent: {nearest.request.text[:1000]}" if nearest.request.body else ""
    others = "\n".join(f"  {one}" for one in journal[-10:])
    return f"the nearest was {nearest}, but\n{differences}{body}\n  received (last 10):\n{others}"

"""The journal: what clients really sent and what they were answered, bounded per app."""

import json
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any, NamedTuple

from mockchat.core.matching import Pattern, RequestSummary
from mockchat.core.notifier import Notifier

_OVERHEAD = 2048  # bytes that an exchange takes beyond its bodies, roughly
_JOURNALS_IN_FULL = 32  # how many times `journal_bytes` all journals of a server may take
_FRAME_OVERHEAD = 200  # bytes that a frame takes beyond its text, roughly
MAX_FRAMES = 500  # of one WebSocket, the oldest fall out
MAX_FRAME_BYTES = 2**20  # of one WebSocket, likewise


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

    @property
    def size(self) -> int:
        """How many bytes it takes."""
        return _FRAME_OVERHEAD + len(self.text)


@dataclass(slots=True, eq=False, repr=False)
class Exchange:
    """A request and its answer; `status` 0 means that there was, or is yet, none."""

    id: int
    app_id: str
    at: float  # unix seconds, by the mock's clock
    summary: RequestSummary
    target: str  # path and query as they were sent
    sent: tuple[Mapping[str, str], bytes]
    answered: tuple[Mapping[str, str], bytes]
    status: int
    seconds: float
    secure: bool
    code: str | None = None  # of the error that it was refused with
    faults: tuple[str, ...] = ()  # the kinds that struck
    hint: str | None = None  # what came nearest to being right
    frames: deque[Frame] | tuple[()] = ()  # of a WebSocket
    sequence: int = 0  # which one it was that the journals took in, all together
    counted: int = 0  # bytes that a journal counts it for; 0 as long as none keeps it
    _frame_bytes: int = 0

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
        return f"#{self.id} {self.summary.method} {self.target} -> {outcome}{fault}"

    @property
    def method(self) -> str:
        """The method."""
        return self.summary.method

    @property
    def path(self) -> str:
        """The path without version, app and query."""
        return self.summary.path

    @property
    def operation(self) -> str | None:
        """The name of the operation, if there is such a one."""
        return self.summary.operation

    @property
    def uid(self) -> str | None:
        """The uid that the request names or whose auth token it shows."""
        return self.summary.uid

    def add_frame(self, frame: Frame) -> int:
        """Note a message of the WebSocket, the oldest fall out of many; return the growth."""
        if not isinstance(self.frames, deque):
            self.frames = deque()
        before = self._frame_bytes
        self.frames.append(frame)
        self._frame_bytes += frame.size
        while len(self.frames) > MAX_FRAMES or self._frame_bytes > MAX_FRAME_BYTES:
            self._frame_bytes -= self.frames.popleft().size
        return self._frame_bytes - before

    @property
    def size(self) -> int:
        """How many bytes it takes."""
        (asked, sent), (told, answered) = self.sent, self.answered
        headers = sum(map(len, asked.values())) + sum(map(len, told.values()))
        return (
            _OVERHEAD + len(self.target) + len(sent) + len(answered) + headers + self._frame_bytes
        )


class Filter(NamedTuple):
    """Which exchanges are looked for; what is None fits all.

    `json` must be part of the request's JSON, `headers` of its headers. `since` is the id of an
    exchange: only later ones are meant. `cursor` is a sequence number: only exchanges recorded
    after it are meant.
    """

    pattern: Pattern = Pattern()
    status: int | None = None
    code: str | None = None
    headers: Mapping[str, str] | None = None
    json: Any = None
    since: int | None = None
    cursor: int | None = None

    def mismatches(self, exchange: Exchange) -> Iterator[str]:
        """Say in what an exchange differs; nothing where it is looked for."""
        yield from self.pattern.mismatches(exchange.summary)
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
        if self.cursor is not None and exchange.sequence <= self.cursor:
            yield f"exchange #{exchange.id} was there at {self.cursor}"

    def fits(self, exchange: Exchange) -> bool:
        """Whether an exchange is looked for."""
        return next(self.mismatches(exchange), None) is None


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

    def __init__(self, journals: "Journals") -> None:
        self._journals = journals
        self._exchanges: deque[Exchange] = deque()
        self.bytes = 0

    def __iter__(self) -> Iterator[Exchange]:
        return iter(tuple(self._exchanges))

    def __len__(self) -> int:
        return len(self._exchanges)

    def add(self, exchange: Exchange) -> None:
        """Take in an exchange."""
        self._journals.sequence += 1
        exchange.sequence = self._journals.sequence
        exchange.counted = exchange.size
        self._exchanges.append(exchange)
        self._count(exchange.counted)
        self._fit()
        self._journals.grew(self)

    def add_frame(self, exchange: Exchange, frame: Frame) -> None:
        """Take in a message of a WebSocket whose handshake is `exchange`."""
        if exchange.counted:  # else nobody can look at it any more
            growth = exchange.add_frame(frame)
            exchange.counted += growth
            self._count(growth)
            self._fit()
            self._journals.grew(self)

    def drop_oldest(self) -> None:
        """Forget the oldest exchange."""
        oldest = self._exchanges.popleft()
        self._count(-oldest.counted)
        oldest.counted = 0

    def clear(self) -> None:
        """Forget all exchanges."""
        while self._exchanges:
            self.drop_oldest()

    def _fit(self) -> None:
        journals, exchanges = self._journals, self._exchanges
        while len(exchanges) > journals.most or (
            self.bytes > journals.most_bytes and len(exchanges) > 1
        ):
            self.drop_oldest()

    def _count(self, size: int) -> None:
        self.bytes += size
        self._journals.bytes += size


_sequence = attrgetter("sequence")


def search(journals: Iterable[Journal], wanted: Filter) -> list[Exchange]:
    """Return the exchanges that are looked for, in the order in which they were taken in.

    That is the order of their ends: a slow one has a lower id than those that overtook it.
    """
    found = [one for journal in journals for one in journal if wanted.fits(one)]
    return sorted(found, key=_sequence)


class Journals:
    """The journals of all apps: their ids, their bounds and who waits for what."""

    def __init__(self, most: int, most_bytes: int, sequence: int = 0) -> None:
        self.most = most
        self.most_bytes = most_bytes
        self.bytes = 0
        self.sequence = (
            sequence  # taken in so far; a client that counts on from there misses nothing
        )
        self.notifier = Notifier()
        self._last_id = 0
        self._by_use: OrderedDict[Journal, None] = OrderedDict()

    def next_id(self) -> int:
        """Return the id of the next exchange; ids grow."""
        self._last_id += 1
        return self._last_id

    def grew(self, journal: Journal) -> None:
        """Note that a journal grew: whoever waits is told, the longest unused one makes room."""
        self._by_use[journal] = None
        self._by_use.move_to_end(journal)
        while self.bytes > _JOURNALS_IN_FULL * self.most_bytes and len(self._by_use) > 1:
            oldest = next(iter(self._by_use))
            if len(oldest):
                oldest.drop_oldest()
            else:
                del self._by_use[oldest]
        self.notifier.notify()

    def forget(self, journal: Journal) -> None:
        """Let a journal go, with the app that it is of."""
        journal.clear()
        self._by_use.pop(journal, None)

    async def wait(
        self,
        search: Callable[[], list[Exchange]],
        count: int,
        timeout: float,  # noqa: ASYNC109  # a wait that a caller may cut short
    ) -> list[Exchange]:
        """Return what `search` finds once it finds `count`, or when `timeout` seconds passed."""
        await self.notifier.until(lambda: len(search()) >= count, timeout)
        return search()


def explain(found: list[Exchange], wanted: Filter, journal: list[Exchange]) -> str:
    """Return what an assertion says that `wanted` did not hold for: the nearest and what differed.

    `found` fit, `journal` is everything that was looked through.
    """
    if found:
        return "there were:\n" + "\n".join(f"  {one}" for one in found)
    if not journal:
        return "the journal is empty: nothing has reached this app"
    mismatches = [(len(list(wanted.mismatches(one))), -one.id, one) for one in journal]
    nearest = min(mismatches, key=lambda miss: miss[:2])[2]
    differences = "\n".join(f"    {miss}" for miss in wanted.mismatches(nearest))
    body = f"\n    sent: {nearest.request.text[:1000]}" if nearest.request.body else ""
    others = "\n".join(f"  {one}" for one in journal[-10:])
    return f"the nearest was {nearest}, but\n{differences}{body}\n  received (last 10):\n{others}"

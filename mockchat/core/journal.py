"""The journal: the requests of clients with their answers, bounded for each app and in all."""

import json
from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from typing import Any, NamedTuple

from mockchat.core.masking import Mask, masked_target
from mockchat.core.matching import Pattern, RequestSummary
from mockchat.core.watchers import Watchers
from mockchat.core.words import word

_OVERHEAD = 2048  # bytes of an exchange beyond its bodies, roughly
_FRAME_OVERHEAD = 200  # bytes of a frame beyond its text, roughly
_JOURNALS_IN_FULL = 32  # all journals together take at most so many times `journal_bytes`
MAX_FRAMES, MAX_FRAME_BYTES = 500, 2**20  # of one WebSocket
_sequence = attrgetter("sequence")


class Message:
    """The message of one side: headers, found by name in any case, and a body."""

    def __init__(self, headers: Mapping[str, str], body: bytes) -> None:
        self.headers = headers
        self.body = body

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")

    @cached_property
    def json(self) -> Any:
        """The body as JSON has it; None if it is no JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


class Headers(Mapping[str, str]):
    """Headers by name in any case, read-only."""

    def __init__(self, plain: Mapping[str, str]) -> None:
        self._plain = plain
        self._values = {name.lower(): value for name, value in plain.items()}

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._plain)

    def __len__(self) -> int:
        return len(self._plain)


class Frame(NamedTuple):
    """One message of a WebSocket; `sent` by the client, or by the server."""

    sent: bool
    at: float  # unix seconds
    text: str

    @property
    def size(self) -> int:
        """The bytes that it takes."""
        return _FRAME_OVERHEAD + len(self.text)


@dataclass(slots=True, eq=False, repr=False)
class Exchange:
    """A request and its answer; `status` 0 means that there is no answer."""

    id: int
    app_id: str
    at: float  # unix seconds, by the mock's clock
    summary: RequestSummary
    target: str  # path and query as they were sent
    sent: tuple[Mapping[str, str], bytes]
    answered: tuple[Mapping[str, str], bytes]  # found by name in one case
    status: int
    seconds: float
    secure: bool
    code: str | None = None  # of the error
    faults: tuple[str, ...] = ()  # names of the faults that struck
    hint: str | None = None  # the nearest valid request
    # Messages of a WebSocket; replaced as a whole, for other threads.
    frames: tuple[Frame, ...] = field(default=(), init=False)
    sequence: int = field(default=0, init=False)  # its place among those of all journals
    counted: int = field(default=0, init=False)  # bytes; 0 if no journal holds it
    _frame_bytes: int = field(default=0, init=False)

    @property
    def request(self) -> Message:
        """The message of the client."""
        return Message(*self.sent)

    @property
    def response(self) -> Message:
        """The message of the server."""
        headers, body = self.answered
        return Message(Headers(headers), body)

    def __str__(self) -> str:
        faults = f" fault: {', '.join(self.faults)}" if self.faults else ""
        target = masked_target(self.method, self.target)
        return f"#{self.id} {self.method} {target} -> {self.outcome()}{faults}"

    def outcome(self) -> str:
        """Return the status, and the error code, the operation and the uid where there are any."""
        _, _, operation, uid, _, _ = self.summary
        code = f" {word(self.code)}" if self.code else ""  # a fault's own may be any text
        named = f" {operation}" if operation else ""
        whose = f" uid={word(uid)}" if uid else ""
        return f"{self.status or 'no answer'}{code}{named}{whose}"

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
        """The name of the operation, if there is one."""
        return self.summary.operation

    @property
    def uid(self) -> str | None:
        """The uid in the request, or that of its auth token."""
        return self.summary.uid

    def add_frame(self, frame: Frame) -> int:
        """Add a message of the WebSocket, drop the oldest of too many; return the growth."""
        frames, before, dropped = (*self.frames, frame), self._frame_bytes, 0
        self._frame_bytes += frame.size
        while len(frames) - dropped > MAX_FRAMES or self._frame_bytes > MAX_FRAME_BYTES:
            self._frame_bytes -= frames[dropped].size
            dropped += 1
        self.frames = frames[dropped:]
        return self._frame_bytes - before

    @property
    def size(self) -> int:
        """The bytes that it takes, roughly: the answer's headers are part of the overhead."""
        asked, sent = self.sent
        texts = len(self.target) + len(sent) + len(self.answered[1]) + self._frame_bytes
        return sum(map(len, asked.values()), _OVERHEAD + texts)


class Filter(NamedTuple):
    """The exchanges to search for; None fits all.

    `json` must be part of the request's JSON, `headers` of its headers. Exchanges up to the id
    `since` or the sequence number `cursor` do not fit.
    """

    pattern: Pattern = Pattern()
    status: int | None = None
    code: str | None = None
    headers: Mapping[str, str] | None = None
    json: Any = None
    since: int | None = None
    cursor: int | None = None

    def mismatches(self, exchange: Exchange) -> Iterator[str]:
        """Yield each difference of an exchange; none if it fits."""
        yield from self.pattern.mismatches(exchange.summary)
        if self.status is not None and self.status != exchange.status:
            yield f"status is {exchange.status or 'none'}, not {self.status}"
        if self.code is not None and self.code != exchange.code:
            yield f"code is {exchange.code or 'none'}, not {self.code}"
        for name, value in (self.headers or {}).items():
            if (given := exchange.request.headers.get(name)) != value:
                yield f"header {name} is {given!r}, not {value!r}"
        if self.json is not None:
            yield from _json_mismatches(exchange.request.json, self.json, "json")
        if self.since is not None and exchange.id <= self.since:
            yield f"exchange #{exchange.id} is not later than #{self.since}"
        if self.cursor is not None and exchange.sequence <= self.cursor:
            yield f"exchange #{exchange.id} was there at {self.cursor}"

    def fits(self, exchange: Exchange) -> bool:
        """Whether an exchange fits."""
        return next(self.mismatches(exchange), None) is None


def _json_mismatches(given: Any, wanted: Any, place: str) -> Iterator[str]:
    if isinstance(wanted, Mapping) and isinstance(given, Mapping):
        for key, value in wanted.items():
            if key in given:
                yield from _json_mismatches(given[key], value, f"{place}.{key}")
            else:
                yield f"{place}.{key} is missing, not {value!r}"
    elif given != wanted:
        yield f"{place} is {given!r}, not {wanted!r}"


class Journal:
    """The exchanges of one app, oldest first; a full journal drops the oldest."""

    def __init__(self, journals: "Journals", app_id: str = "") -> None:
        self.app_id = app_id.lower()
        self.bytes = 0
        self.closed = False
        self._journals = journals
        self._exchanges: deque[Exchange] = deque()

    def __iter__(self) -> Iterator[Exchange]:
        return iter(tuple(self._exchanges))

    def __len__(self) -> int:
        return len(self._exchanges)

    def record(self, exchange: Exchange) -> None:
        """Add an exchange, unless the journal is closed."""
        if self.closed:
            return
        journals = self._journals
        journals.sequence = exchange.sequence = journals.sequence + 1
        exchange.counted = size = exchange.size
        self._exchanges.append(exchange)
        self._grow(size)
        if journals.watchers.present:
            journals.watchers.tell(self.app_id, exchange)

    def add_frame(self, exchange: Exchange, frame: Frame) -> None:
        """Add a message of the WebSocket whose handshake is `exchange`."""
        if exchange.counted:  # otherwise the journal has dropped the exchange
            growth = exchange.add_frame(frame)
            exchange.counted += growth
            self._grow(growth)

    def drop_oldest(self) -> None:
        """Drop the oldest exchange."""
        oldest = self._exchanges.popleft()
        self.bytes -= oldest.counted
        self._journals.bytes -= oldest.counted
        oldest.counted = 0

    def clear(self) -> None:
        """Drop all exchanges."""
        while self._exchanges:
            self.drop_oldest()

    def close(self) -> None:
        """Drop all exchanges and refuse new ones."""
        self.closed = True
        self.clear()
        self._journals.forget(self)

    def _grow(self, size: int) -> None:
        journals, exchanges = self._journals, self._exchanges
        self.bytes += size
        journals.bytes += size
        most, most_bytes = journals.most, journals.most_bytes
        while len(exchanges) > most or (self.bytes > most_bytes and len(exchanges) > 1):
            self.drop_oldest()
        journals.make_room(self)


class Journals:
    """The journals of all apps, bounded together, searched and waited for by app id.

    `sequence` counts the exchanges added: a client that asks for later ones misses none.
    """

    def __init__(self, most: int, most_bytes: int, sequence: int = 0) -> None:
        self.most = most
        self.most_bytes = most_bytes
        self.bytes = 0
        self.sequence = sequence
        self.watchers = Watchers()
        self._last_id = 0
        self._by_use: OrderedDict[Journal, None] = OrderedDict()

    def of(self, app_id: str) -> Journal:
        """Return the journal of an app, a new one if there is none with exchanges."""
        key = app_id.lower()
        journals = tuple(self._by_use)  # at once: a test's thread asks, too
        held = (one for one in journals if one.app_id == key)
        return next(held, None) or Journal(self, app_id)

    def next_id(self) -> int:
        """Return the id of the next exchange; ids grow."""
        self._last_id += 1
        return self._last_id

    def make_room(self, journal: Journal) -> None:
        """Note that a journal grew; if all are too large, unused ones drop exchanges."""
        self._by_use[journal] = None
        self._by_use.move_to_end(journal)
        while self.bytes > _JOURNALS_IN_FULL * self.most_bytes and len(self._by_use) > 1:
            oldest = next(iter(self._by_use))
            if len(oldest):
                oldest.drop_oldest()
            else:
                self.forget(oldest)

    def forget(self, journal: Journal) -> None:
        """Remove a journal from searches."""
        self._by_use.pop(journal, None)

    def clear(self, app_id: str | None = None) -> int:
        """Drop all exchanges of an app, or of all; return their number."""
        journals = [one for one in self._by_use if app_id in (None, one.app_id)]
        dropped = sum(map(len, journals))
        for journal in journals:
            journal.clear()
        return dropped

    def search(self, wanted: Filter, app_id: str | None = None) -> list[Exchange]:
        """Return the exchanges of an app, or of all, that fit, in the order in which they ended."""
        key = app_id and app_id.lower()
        journals = [one for one in self._by_use if key is None or one.app_id == key]
        found = [one for journal in journals for one in journal if wanted.fits(one)]
        return sorted(found, key=_sequence)

    async def wait(
        self,
        wanted: Filter,
        app_id: str | None,
        count: int,
        timeout: float,  # noqa: ASYNC109  # the wait ends early with enough exchanges
    ) -> list[Exchange]:
        """Return the result of `search` once it has `count`, or after `timeout` real seconds.

        Cancelling ends the wait. New exchanges cost one look each, not another search.
        """
        missing = count - len(self.search(wanted, app_id))

        def are_there(new: list[Exchange]) -> bool:
            nonlocal missing
            missing -= sum(map(wanted.fits, new))
            if new and missing <= 0:  # some may be forgotten meanwhile
                missing = count - len(self.search(wanted, app_id))
            return missing <= 0

        await self.watchers.until(are_there, timeout, app_id)
        return self.search(wanted, app_id)


def explain(found: list[Exchange], wanted: Filter, journal: list[Exchange]) -> str:
    """Return the text of a failed assertion: the nearest exchange of a journal, and how it differs.

    If some exchanges fit (`found`), it lists those.
    """
    if found:
        return "there were:\n" + "\n".join(f"  {one}" for one in found)
    if not journal:
        return "the journal is empty: nothing has reached this app"
    nearest = min(journal, key=lambda one: (len(list(wanted.mismatches(one))), -one.id))
    differences = "\n".join(f"    {one}" for one in wanted.mismatches(nearest))
    body = (
        f"\n    sent: {Mask(nearest)(nearest.request.text)[:1000]}" if nearest.request.body else ""
    )
    others = "\n".join(f"  {one}" for one in journal[-10:])
    return f"the nearest was {nearest}, but\n{differences}{body}\n  received (last 10):\n{others}"

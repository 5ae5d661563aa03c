"""The journal's bounds: by count and bytes, for an app and for all apps together."""

import asyncio
import weakref
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockchat.core.journal import (
    MAX_FRAME_BYTES,
    MAX_FRAMES,
    Exchange,
    Filter,
    Frame,
    Journal,
    Journals,
)
from mockchat.core.matching import Pattern, RequestSummary
from mockchat.core.watchers import Watchers
from mockchat.wire import sending
from mockchat.wire.app import STORE
from tests.answers import body_of
from tests.helpers import journal_of, steer, until_watched
from tests.sessions import connect, log_in
from tests.values import PATIENCE, REST_KEY, Client, Serve


# --- bounds ---------------------------------------------------------------------------------
async def test_of_many_or_large_exchanges_the_newest_are_kept(serve: Serve) -> None:
    by_number = await serve(journal_size=3)
    by_bytes = await serve(journal_bytes=20_000)
    for number in range(5):
        await by_number.get(f"/users/u{number}", headers=REST_KEY)
        await by_bytes.get(f"/nowhere?{'x' * 5000}", headers=REST_KEY)

    kept = [one["path"] for one in await journal_of(by_number)]
    assert kept == ["/users/u2", "/users/u3", "/users/u4"]
    assert 1 <= len(await journal_of(by_bytes)) <= 3
    for _ in range(5):
        await by_bytes.get("/nowhere", headers={"X-Long": "x" * 7000})
    assert 1 <= len(await journal_of(by_bytes)) <= 2


async def test_a_list_is_of_the_newest_hundred_exchanges(client: Client) -> None:
    for number in range(103):
        await client.options(f"/users/u{number}")

    found = await body_of(client.get("/_mock/journal?limit=2"))
    assert found["count"] == 103
    assert [one["path"] for one in found["exchanges"]] == ["/users/u101", "/users/u102"]
    assert len(await journal_of(client)) == 100
    assert len(await journal_of(client, limit="")) == 100
    assert len(await journal_of(client, limit=103)) == 103


# --- what it costs --------------------------------------------------------------------------
async def test_frames_count_once_and_are_forgotten_with_the_exchange(client: Client) -> None:
    owner = client.app[STORE].journals
    early = await client.ws_connect("/")
    await early.send_str("x" * 5000)
    await early.close()
    await journal_of(client, operation="websocket", wait="5s")
    assert owner.bytes > 5000

    socket = await connect(client, await log_in(client, "superhero1"))
    await steer(client, "DELETE", "journal")
    await socket.send_json({"action": "ping", "more": "x" * 1000})
    await socket.receive_json(timeout=PATIENCE)

    assert owner.bytes == 0


async def test_many_messages_make_older_exchanges_go(serve: Serve) -> None:
    client = await serve(journal_bytes=30_000)
    await client.get("/users/superhero1", headers=REST_KEY)
    socket = await connect(client, await log_in(client, "superhero1"))
    for _ in range(10):
        await socket.send_json({"action": "ping", "more": "x" * 3000})
        await socket.receive_json(timeout=PATIENCE)

    assert [one["operation"] for one in await journal_of(client)] == ["websocket"]


async def test_journals_of_many_apps_are_bounded_together_and_go_with_them(serve: Serve) -> None:
    client = await serve(journal_bytes=8_000)
    for number in range(150):
        path = f"/apps/app{number}/v3/users/superhero1"
        await client.get(path, headers={**REST_KEY, "X-Long": "x" * 3000})

    store = client.app[STORE]
    assert store.journals.bytes <= 32 * 8_000
    apps = [one["app"] for one in await journal_of(client)]
    assert 10 < len(apps) < 100
    assert apps[-1] == "app149"
    for app in apps:
        store.close(app)
    assert store.journals.bytes == 0
    assert await body_of(client.get("/_mock/journal"))


# --- the core -------------------------------------------------------------------------------
def exchange(number: int, body: bytes = b"") -> Exchange:
    asked = RequestSummary("GET", "/", None, None)
    return Exchange(
        number, "APP_ID", 0.0, asked, "/", ({}, body), ({}, b""), 200, 0.0, secure=False
    )


def test_of_many_or_large_messages_of_a_websocket_the_newest_are_kept() -> None:
    many, large = exchange(1), exchange(2)
    for number in range(MAX_FRAMES + 5):
        many.add_frame(Frame(sent=True, at=0.0, text=str(number)))
    for _ in range(40):
        large.add_frame(Frame(sent=True, at=0.0, text="x" * 60_000))

    assert [frame.text for frame in many.frames][:1] == ["5"]
    assert len(many.frames) == MAX_FRAMES
    assert sum(frame.size for frame in large.frames) <= MAX_FRAME_BYTES
    assert large.size <= MAX_FRAME_BYTES + 5000
    largest = MAX_FRAME_BYTES - Frame(sent=True, at=0.0, text="").size
    large.add_frame(Frame(sent=True, at=0.0, text="x" * largest))
    assert [len(frame.text) for frame in large.frames] == [largest]


def test_an_exchange_is_as_large_as_what_it_holds() -> None:
    small = exchange(1)
    changes: list[dict[str, Any]] = [
        {"target": "/" + "x" * 100},
        {"sent": ({}, b"x" * 100)},
        {"sent": ({"A": "x" * 100}, b"")},
        {"answered": ({}, b"x" * 100)},
    ]

    for change in changes:
        assert replace(small, **change).size - small.size == 100, change
    before = small.size
    assert small.add_frame(Frame(sent=True, at=0.0, text="x" * 100)) == small.size - before > 100
    journal = Journal(Journals(most=10, most_bytes=2 * before))
    for number in range(3):
        journal.record(exchange(number))
    assert [one.id for one in journal] == [1, 2]


def kept(journals: list[Journal]) -> Iterator[Exchange]:
    for journal in journals:
        yield from journal


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["add", "add", "frame", "early frame", "clear", "forget", "drop"]),
        st.integers(0, 3),
        st.integers(0, 40_000),
    ),
    max_size=40,
)


@given(ACTIONS)
def test_what_is_counted_is_what_is_kept_and_never_too_much(actions: list[Any]) -> None:
    owner = Journals(most=5, most_bytes=30_000)
    journals = [Journal(owner) for _ in range(4)]
    made: list[list[Exchange]] = [[], [], [], []]

    for number, (action, place, size) in enumerate(actions):
        journal, frame = journals[place], Frame(sent=True, at=0.0, text="x" * size)
        if action == "add":
            made[place].append(exchange(number, b"x" * size))
            journal.record(made[place][-1])
        elif action == "early frame":
            made[place].append(exchange(number))
            made[place][-1].add_frame(frame)
            journal.record(made[place][-1])
        elif action == "frame" and made[place]:
            journal.add_frame(made[place][0], frame)
        elif action == "clear":
            journal.clear()
        elif action == "forget":
            journal.close()
            made[place], journals[place] = [], Journal(owner)
        elif len(journal):
            journal.drop_oldest()

        assert owner.bytes == sum(one.size for one in kept(journals))
        assert [one.bytes for one in journals] == [sum(x.size for x in one) for one in journals]
        assert all(len(one) <= 5 for one in journals)
        assert all(one.bytes <= 30_000 or len(one) == 1 for one in journals)


@given(ACTIONS)
def test_all_journals_together_are_bounded(actions: list[Any]) -> None:
    owner = Journals(most=1000, most_bytes=1)
    journals = [Journal(owner) for _ in range(50)]
    for number, (_, place, size) in enumerate(actions * 5):
        journals[(place + number) % 50].record(exchange(number, b"x" * (size // 1000)))

    assert owner.bytes <= 32 or sum(map(len, journals)) == 1


def test_of_all_journals_the_longest_unused_drop_exchanges_and_the_newest_stays() -> None:
    owner = Journals(most=10, most_bytes=exchange(1).size)  # which leaves room for 32 in all
    journals = [Journal(owner, f"app{number}") for number in range(40)]
    for number in (*range(10), 0, *range(10, 40)):
        journals[number].record(exchange(number))

    assert [number for number in range(40) if len(journals[number])] == [0, *range(9, 40)]
    journals[3].record(exchange(40, b"x" * 100_000))
    assert [number for number in range(40) if len(journals[number])] == [3]


def test_exchanges_are_found_in_the_order_of_their_ends() -> None:
    owner = Journals(10, 10**6)
    one, other = Journal(owner, "One"), Journal(owner, "other")
    for journal, number in ((one, 3), (other, 1), (one, 2), (other, 4)):
        journal.record(exchange(number))

    assert owner.of("ONE") is one
    for cursor in (None, 0, 2, 9):
        found = [exchange.id for exchange in owner.search(Filter(cursor=cursor))]
        assert found == [3, 1, 2, 4][cursor or 0 :], cursor
    assert [exchange.id for exchange in owner.search(Filter(), "ONE")] == [3, 2]
    one.close()
    one.record(late := exchange(5))  # a closed journal takes nothing in
    one.add_frame(late, Frame(sent=True, at=0.0, text="x"))
    assert (len(one), owner.search(Filter(), "one")) == (0, [])
    assert owner.bytes == other.bytes
    gone = weakref.ref(one)
    del one
    assert gone() is None


def test_frames_may_be_read_while_more_come() -> None:
    handshake = exchange(1)
    for number in range(3):
        handshake.add_frame(Frame(sent=True, at=0.0, text=str(number)))
    frames = iter(handshake.frames)

    next(frames)
    handshake.add_frame(Frame(sent=True, at=0.0, text="3"))  # from the thread that serves

    assert [frame.text for frame in frames] == ["1", "2"]


# --- waits ----------------------------------------------------------------------------------
def get(number: int, path: str) -> Exchange:
    one = exchange(number)
    one.summary = RequestSummary("GET", path, None, None)
    return one


async def test_a_wait_looks_at_each_new_exchange_once(monkeypatch: pytest.MonkeyPatch) -> None:
    owner, wanted = Journals(1000, 10**6), Filter(Pattern(path="/wanted"))
    journal, other = Journal(owner, "one"), Journal(owner, "other")
    for number in range(100):
        journal.record(get(number, "/old"))
    looked_at: list[int] = []
    fits = Filter.fits

    def look(wanted: Filter, one: Exchange) -> bool:
        looked_at.append(one.id)
        return fits(wanted, one)

    monkeypatch.setattr(Filter, "fits", look)
    wait = asyncio.create_task(owner.wait(wanted, "ONE", 2, PATIENCE))
    await asyncio.sleep(0)
    assert looked_at == [*range(100)]

    looked_at.clear()
    for number in range(1000, 1010):
        journal.record(get(number, "/wanted" if number == 1005 else "/other"))
        other.record(get(number + 1000, "/wanted"))
        await asyncio.sleep(0)
    assert looked_at == [*range(1000, 1010)]
    journal.record(get(3000, "/wanted"))

    assert [one.id for one in await wait] == [1005, 3000]
    assert not owner.watchers.present


async def test_exchanges_that_are_forgotten_do_not_count_for_a_wait() -> None:
    owner = Journals(2, 10**6)
    journal = Journal(owner, "one")
    wait = await waiting(owner, 2)

    journal.record(exchange(1))
    journal.clear()
    for number in (2, 3):
        assert not wait.done()
        journal.record(exchange(number))
        await asyncio.sleep(0)

    assert [one.id for one in await wait] == [2, 3]


async def waiting(owner: Journals, count: int = 1, seconds: float = PATIENCE) -> asyncio.Task[Any]:
    """A wait for exchanges that has begun."""
    wait = asyncio.create_task(owner.wait(Filter(), None, count, seconds))
    await asyncio.sleep(0)
    assert not wait.done()
    return wait


async def test_a_wait_ends_with_its_time_its_task_and_the_server() -> None:
    owner = Journals(10, 10**6)
    assert await owner.wait(Filter(), None, 1, 0) == []

    cancelled = await waiting(owner, seconds=0.9)
    cancelled.cancel()
    await asyncio.wait([cancelled])
    assert not owner.watchers.present

    ended = await waiting(owner)
    owner.watchers.end()
    assert await ended == []
    assert await owner.wait(Filter(), None, 1, PATIENCE) == []


async def test_a_watcher_counts_what_it_was_too_slow_for_since_it_last_looked() -> None:
    with Watchers().watching(None, backlog=2) as watcher:
        for number in range(5):
            watcher.see(number)

        assert watcher.take() == ([3, 4], 3)
        watcher.see(5)
        assert watcher.take() == ([5], 0)


async def test_the_wait_of_a_client_that_left_ends(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_GLANCE", 0.001)
    journals = client.app[STORE].journals
    asking = asyncio.create_task(journal_of(client, wait="60s"))
    await until_watched(client)
    async with asyncio.timeout(PATIENCE):
        asking.cancel()
        while journals.watchers.present:
            await body_of(client.get("/_mock/health"))

    assert await journal_of(client) == []


async def test_a_wait_that_the_server_s_end_ends_was_in_vain_and_changes_are_counted() -> None:
    watchers = Watchers()
    watchers.change()
    watchers.change()

    watchers.end()

    assert watchers.changes == 2
    assert await watchers.until(lambda _came: False, 60) is False

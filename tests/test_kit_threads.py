"""MockChat among threads and loops: many at once, verbs from everywhere, crashes, ends."""

import asyncio
import os
import threading
import warnings
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from mockchat import Config, MockApp, MockChat
from mockchat.bridge import Bridge, loop_in_thread
from mockchat.core.state import App
from tests.clients import log_in, send
from tests.values import PATIENCE

HTTP_ONLY = Config(port=0, https_port=None, login_latency=0)
STOPPED = "this MockChat was stopped"


class BugError(Exception):
    """What nobody expected."""


@pytest.fixture
def bug(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on nobody gets an auth token."""

    def broken(*_: Any, **__: Any) -> None:
        raise BugError("no tokens today")

    monkeypatch.setattr(App, "issue_token", broken)


def bridge_of(mock: MockChat) -> Bridge:
    return mock._bridge  # noqa: SLF001  # what a test may hold on to


# --- many -----------------------------------------------------------------------------------
async def test_servers_in_loops_and_threads_serve_side_by_side_and_share_nothing() -> None:
    async with MockChat(HTTP_ONLY) as own:
        with MockChat(HTTP_ONLY).in_thread() as other, MockChat(HTTP_ONLY).in_thread() as third:
            own.create_user("ann")
            other.clock.freeze(1_700_000_000)
            replies = [
                await asyncio.to_thread(log_in, str(mock.url), "ann")
                for mock in (own, other, third)
            ]
            assert third.create_user("ann")["createdAt"] > 1_700_000_000

    assert [reply.status for reply in replies] == [200, 404, 404]


def test_verbs_may_be_used_from_several_threads_at_once(mockchat: MockApp) -> None:
    def use(number: int) -> int:
        mockchat.create_user(f"user-{number}")
        token = mockchat.issue_token(f"user-{number}")
        return send("GET", f"{mockchat.url}/v3/me", authToken=token).status

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(use, range(40))) == {200}
    assert mockchat.journal.count(operation="get_me") == 40


# --- in the loop's own thread ---------------------------------------------------------------
async def test_in_the_loop_that_serves_verbs_work_and_only_async_twins_wait() -> None:
    async with MockChat(HTTP_ONLY) as mock:
        mock.seed(users=500)
        token = mock.log_in("superhero1")["authToken"]
        mock.snapshot()
        reply = await asyncio.to_thread(send, "GET", f"{mock.url}/v3/me", authToken=token)
        assert (reply.status, mock.journal.last().operation) == (200, "get_me")

        with pytest.raises(RuntimeError, match="use the async twin"):
            mock.journal.wait_for(operation="login")
        with mock.hold_logins() as hold:
            with pytest.raises(RuntimeError, match="use the async twin"):
                hold.wait()
            with pytest.raises(RuntimeError, match="this login is held"):
                mock.log_in("superhero1")
            login = asyncio.create_task(asyncio.to_thread(log_in, str(mock.url)))
            await hold.wait_async()
        exchange = await mock.journal.wait_for_async(operation="login")

        assert exchange.status == (await login).status == 200
        assert mock.log_in("superhero1")["uid"] == "SUPERHERO1"


def test_a_verb_raises_at_once_where_it_would_wait_for_a_hold(mockchat: MockApp) -> None:
    """Nobody else may lift the hold: it is the same thread that holds and logs in."""
    for hold in (
        mockchat.hold_logins(),
        mockchat.hold_logins("SuperHero1"),
        mockchat.server.hold_logins(),
    ):
        mockchat.issue_token("superhero1")  # makes the app, whose logins are held then
        with hold:
            with pytest.raises(RuntimeError, match="this login is held"):
                mockchat.log_in("superhero1")
            assert mockchat.state()[mockchat.app_id]
        assert mockchat.log_in("superhero1")["uid"] == "SUPERHERO1"

    with mockchat.hold_logins("superhero1"):
        assert mockchat.log_in("superhero2")["uid"] == "SUPERHERO2"


async def test_a_held_login_that_never_comes_ends_the_async_wait(mockchat: MockApp) -> None:
    with (
        mockchat.hold_logins() as hold,
        pytest.raises(TimeoutError, match="no login of anybody arrived"),
    ):
        await hold.wait_async(timeout=0.01)


async def test_a_cancelled_wait_is_cancelled_and_a_foreign_loop_is_refused(
    mockchat: MockApp,
) -> None:
    wait = asyncio.create_task(mockchat.journal.wait_for_async())
    await asyncio.sleep(0)
    wait.cancel()
    with pytest.raises(asyncio.CancelledError):
        await wait

    def without_asyncio() -> None:
        mockchat.journal.wait_for_async().send(None)

    with pytest.raises(RuntimeError, match="call the twin without _async in a thread"):
        await asyncio.to_thread(without_asyncio)


# --- the end --------------------------------------------------------------------------------
def test_verbs_before_the_start_and_after_the_stop_say_so() -> None:
    mock = MockChat(HTTP_ONLY)
    app = mock.app("own")
    with pytest.raises(RuntimeError, match="this MockChat is not started"):
        app.create_user("ann")

    with mock.in_thread():
        app.create_user("ann")

    with pytest.raises(RuntimeError, match="this MockChat is not started"):
        app.create_user("bob")


async def test_what_outlives_its_server_says_so_and_does_not_hang() -> None:
    with MockChat(HTTP_ONLY).in_thread() as mock:
        journal, fault, bridge = mock.journal, mock.fail(503), bridge_of(mock)

    for verb in (journal.find, journal.wait_for, fault.remove, lambda: bridge.call(int)):
        with pytest.raises(RuntimeError, match=STOPPED):
            verb()
    with pytest.raises(RuntimeError, match=STOPPED):
        await journal.wait_for_async()


def test_a_new_thread_with_the_id_of_the_one_that_served_is_not_that_one() -> None:
    with MockChat(HTTP_ONLY).in_thread() as mock:
        bridge = bridge_of(mock)
        ended = bridge.call(threading.get_ident)
    together = threading.Barrier(20)

    def look() -> tuple[int, bool]:
        together.wait(PATIENCE)
        return threading.get_ident(), bridge.is_here

    with ThreadPoolExecutor(20) as pool:
        found = dict(task.result(PATIENCE) for task in [pool.submit(look) for _ in range(20)])

    assert ended in found, "no new thread got this id; the test shows nothing"
    assert not any(found.values())


def hanging(started: threading.Event) -> Coroutine[Any, Any, None]:
    async def hang() -> None:
        started.set()
        await asyncio.Event().wait()

    return hang()


async def test_what_still_waits_when_the_thread_ends_is_let_go() -> None:
    events = threading.Event(), threading.Event()
    with MockChat(HTTP_ONLY).in_thread() as mock:
        waiting = [
            asyncio.create_task(asyncio.to_thread(bridge_of(mock).run, hanging(events[0]))),
            asyncio.create_task(bridge_of(mock).wait(hanging(events[1]))),
        ]
        for started in events:
            assert await asyncio.to_thread(started.wait, PATIENCE)

    for one in waiting:
        with pytest.raises(RuntimeError, match=STOPPED):
            await one


def test_what_waits_for_a_loop_that_somebody_stopped_is_let_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mockchat.bridge._GLANCE", 0.01)
    mock, loop = MockChat(HTTP_ONLY), asyncio.new_event_loop()
    is_up, started = threading.Event(), threading.Event()

    def serve() -> None:
        loop.run_until_complete(mock.start())
        loop.call_soon(is_up.set)
        loop.run_forever()  # until the test stops it; nobody stops the server

    with ThreadPoolExecutor(2) as pool:
        serving = pool.submit(serve)
        assert is_up.wait(PATIENCE)
        waiting = pool.submit(bridge_of(mock).run, hanging(started))
        assert started.wait(PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        with pytest.raises(RuntimeError, match=STOPPED):
            waiting.result(PATIENCE)
        serving.result(PATIENCE)
    loop.run_until_complete(mock.stop())
    loop.close()


def test_tasks_that_the_thread_s_loop_still_has_are_cancelled_at_its_end() -> None:
    started, ended = threading.Event(), threading.Event()

    async def last() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with loop_in_thread() as loop:
        asyncio.run_coroutine_threadsafe(last(), loop)
        assert started.wait(PATIENCE)

    assert ended.is_set()


# --- crashes --------------------------------------------------------------------------------
def test_leaving_the_block_raises_what_mockchat_itself_failed_with(bug: None) -> None:
    with pytest.raises(ExceptionGroup, match="mockchat failed to answer") as raised:  # noqa: SIM117
        with MockChat(HTTP_ONLY).in_thread() as mock:
            assert log_in(str(mock.url)).code == "ERR_EXCEPTION"

    (crash,) = raised.value.exceptions
    assert isinstance(crash, BugError)
    assert crash.__notes__ == ["while answering POST /login"]


async def test_leaving_the_async_block_raises_it_too(bug: None) -> None:
    with pytest.raises(ExceptionGroup, match="mockchat failed to answer"):
        async with MockChat(HTTP_ONLY) as mock:
            await asyncio.to_thread(log_in, str(mock.url))


def test_errors_of_the_block_come_first_and_a_look_at_crashes_forgets_them(
    bug: None, mockchat: MockApp
) -> None:
    with pytest.raises(LookupError), MockChat(HTTP_ONLY).in_thread() as mock:  # noqa: PT012
        log_in(str(mock.url))
        raise LookupError

    with MockChat(HTTP_ONLY).in_thread() as mock:
        log_in(str(mock.url))
        with pytest.raises(ExceptionGroup):
            mock.check()
        mock.check()

    with pytest.raises(BugError, match="no tokens today"):  # a verb raises it where it was called
        mockchat.issue_token("superhero1")


def test_a_verb_in_a_forked_child_is_refused_at_once(mockchat: MockApp) -> None:
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of threads beside a fork, which is the point
        child = os.fork()
    if child == 0:
        try:
            mockchat.create_user("bob")
        except RuntimeError as error:
            os.write(writing, str(error).encode())
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as told:  # noqa: PTH123  # it has no path
        assert b"this one was forked from: call it by HTTP" in told.read()
    os.waitpid(child, 0)

"""The journal of the testing kit: looked through, waited for, asserted on."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from mockchat import MockApp, MockChat
from tests.clients import create, log_in, send


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    """Where clients run while the test goes on."""
    with ThreadPoolExecutor() as pool:
        yield pool


@pytest.fixture
def used(mockchat: MockApp) -> MockApp:
    """An app that two users were created in, one of them in vain, and one logged in to."""
    create(mockchat.url, "ann", "Ann")
    create(mockchat.url, "two words", "Two")
    log_in(mockchat.url, "ann")
    return mockchat


# --- looked through -------------------------------------------------------------------------
def test_the_journal_is_what_clients_sent_oldest_first(used: MockApp) -> None:
    assert len(used.journal) == 3
    assert [one.operation for one in used.journal] == ["create_user", "create_user", "login"]


def test_what_verbs_do_is_not_in_the_journal(mockchat: MockApp) -> None:
    mockchat.log_in("superhero1")

    assert len(mockchat.journal) == 0


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({}, 3),
        ({"operation": "create_user"}, 2),
        ({"method": "post", "path": "/users"}, 2),
        ({"path": "/*"}, 3),
        ({"uid": "ANN"}, 2),
        ({"status": 400}, 1),
        ({"code": "ERROR_UID_WITH_SPACE"}, 1),
        ({"json": {"name": "Ann"}}, 1),
        ({"headers": {"ApiKey": "REST_API_KEY"}}, 2),
    ],
)
def test_exchanges_are_found_by_what_was_sent(
    used: MockApp, wanted: dict[str, object], count: int
) -> None:
    assert used.journal.count(**wanted) == count == len(used.journal.find(**wanted))


def test_exchanges_are_found_since_another_one(used: MockApp) -> None:
    first = used.journal.find()[0]

    assert used.journal.count(since=first.id) == 2


def test_the_last_exchange_has_what_was_sent_and_answered(used: MockApp) -> None:
    last = used.journal.last(operation="create_user")

    assert last.request.json == {"uid": "two words", "name": "Two"}
    assert last.request.headers["APIKEY"] == "REST_API_KEY"
    assert last.response.json["error"]["code"] == last.code == "ERROR_UID_WITH_SPACE"


def test_what_is_not_there_cannot_be_the_last(used: MockApp) -> None:
    with pytest.raises(LookupError, match=r"nearest was #\d+ POST .*/login"):
        used.journal.last(operation="logout", uid="ann")


def test_a_filter_that_is_none_is_refused(mockchat: MockApp) -> None:
    with pytest.raises(TypeError, match="no 'verb' to look for; there are operation, method, path"):
        mockchat.journal.find(verb="POST")


def test_a_cleared_journal_is_empty(used: MockApp) -> None:
    used.journal.clear()

    assert list(used.journal) == []


def test_the_journal_can_be_had_in_har(used: MockApp) -> None:
    entries = used.journal.har()["log"]["entries"]

    assert [entry["response"]["status"] for entry in entries] == [200, 400, 200]


def test_the_journal_of_the_server_has_the_exchanges_of_every_app(
    mockchat_server: MockChat, used: MockApp
) -> None:
    send("GET", f"{mockchat_server.url}/v3/nowhere")

    apps = [one.app_id for one in mockchat_server.journal.find()]

    assert apps[-4:] == [used.app_id] * 3 + ["APP_ID"]


# --- waited for -----------------------------------------------------------------------------
def test_what_comes_from_another_thread_is_waited_for(
    mockchat: MockApp, thread: ThreadPoolExecutor
) -> None:
    thread.submit(create, mockchat.url, "ann")

    assert mockchat.journal.wait_for(operation="create_user").status == 200


def test_what_was_there_before_is_waited_for_no_longer(used: MockApp) -> None:
    assert used.journal.wait_for(count=2, operation="create_user", timeout=0).status == 400


async def test_a_test_s_own_loop_is_not_blocked_by_waiting(mockchat: MockApp) -> None:
    client = asyncio.create_task(asyncio.to_thread(create, mockchat.url, "ann"))

    exchange = await mockchat.journal.wait_for_async(operation="create_user")

    assert exchange.uid == "ann"
    await client


def test_what_never_comes_is_told_with_the_nearest(used: MockApp) -> None:
    with pytest.raises(TimeoutError) as late:
        used.journal.wait_for(count=2, timeout=0.01, operation="login", uid="bob")

    text = str(late.value)
    assert text.startswith("0 of 2 exchange with operation='login', uid='bob' came within 0.01 s:")
    assert "uid is ann, not bob" in text


async def test_what_never_comes_ends_the_wait_of_a_loop_too(mockchat: MockApp) -> None:
    with pytest.raises(TimeoutError, match="nothing has reached this app"):
        await mockchat.journal.wait_for_async(timeout=0.01)


# --- asserted on ----------------------------------------------------------------------------
def test_what_was_called_is_asserted_and_returned(used: MockApp) -> None:
    assert used.journal.assert_called(operation="login").uid == "ann"
    assert used.journal.assert_called(count=2, operation="create_user").status == 400


def test_an_assertion_tells_the_nearest_exchange_and_what_differed(used: MockApp) -> None:
    with pytest.raises(AssertionError) as failed:
        used.journal.assert_called(operation="create_user", json={"uid": "ann", "name": "Bob"})

    text = str(failed.value)
    assert "expected one of exchange with operation='create_user'" in text
    assert "json.name is 'Ann', not 'Bob'" in text
    assert "POST" in text


def test_an_assertion_counts(used: MockApp) -> None:
    with pytest.raises(AssertionError, match=r"expected 1 of .*, got 2: there were:"):
        used.journal.assert_called(count=1, operation="create_user")


def test_what_was_not_called_is_asserted(used: MockApp) -> None:
    used.journal.assert_not_called(operation="logout")

    with pytest.raises(AssertionError, match=r"expected no exchange with .*, got 1: there were:"):
        used.journal.assert_not_called(operation="login")

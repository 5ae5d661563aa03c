"""The journal of the testing kit: looked through, waited for, asserted on."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mockchat import MockApp, MockChat
from mockchat.core.journal import Exchange
from tests.clients import create, log_in, send


@pytest.fixture
def used(mockchat: MockApp) -> MockApp:
    """An app that two users were created in, one of them in vain, and one logged in to."""
    create(mockchat.url, "ann", "Ann")
    create(mockchat.url, "two words", "Two")
    log_in(mockchat.url, "ann")
    return mockchat


# --- looked through -------------------------------------------------------------------------
def test_exchanges_of_clients_are_found_by_what_was_sent(used: MockApp) -> None:
    used.log_in("superhero1")  # what verbs do is not in the journal
    rows: list[tuple[dict[str, Any], int]] = [
        ({}, 3),
        ({"operation": "create_user"}, 2),
        ({"method": "post", "path": "/users"}, 2),
        ({"path": "/*"}, 3),
        ({"uid": "ANN"}, 2),
        ({"status": 400}, 1),
        ({"code": "ERROR_UID_WITH_SPACE"}, 1),
        ({"json": {"name": "Ann"}}, 1),
        ({"headers": {"ApiKey": "REST_API_KEY"}}, 2),
        ({"since": used.journal.find()[0].id}, 2),
    ]

    for wanted, count in rows:
        assert used.journal.count(**wanted) == count == len(used.journal.find(**wanted)), wanted
    assert len(used.journal) == 3
    assert [one.operation for one in used.journal] == ["create_user", "create_user", "login"]
    entries = used.journal.har()["log"]["entries"]
    assert [entry["response"]["status"] for entry in entries] == [200, 400, 200]
    used.journal.clear()
    assert list(used.journal) == []


def test_the_last_exchange_has_what_was_sent_and_answered(used: MockApp) -> None:
    last = used.journal.last(operation="create_user")

    assert last.request.json == {"uid": "two words", "name": "Two"}
    assert last.request.headers["APIKEY"] == "REST_API_KEY"
    assert len(last.response.headers) == len([*last.response.headers]) > 1
    assert last.response.json["error"]["code"] == last.code == "ERROR_UID_WITH_SPACE"
    with pytest.raises(LookupError, match=r"nearest was #\d+ POST .*/login"):
        used.journal.last(operation="logout", uid="ann")


def test_the_journal_of_the_server_has_the_exchanges_of_every_app(
    mockchat_server: MockChat, used: MockApp
) -> None:
    send("GET", f"{mockchat_server.url}/v3/nowhere")

    apps = [one.app_id for one in mockchat_server.journal.find()]

    assert apps[-4:] == [used.app_id] * 3 + ["APP_ID"]


# --- waited for -----------------------------------------------------------------------------
async def test_what_comes_is_waited_for_in_a_thread_and_in_the_test_s_own_loop(
    mockchat: MockApp,
) -> None:
    journal = mockchat.journal
    waits: list[Callable[[], Awaitable[Exchange]]] = [
        lambda: asyncio.to_thread(journal.wait_for, operation="create_user"),
        lambda: journal.wait_for_async(operation="create_user"),
    ]
    for wait in waits:
        client = asyncio.create_task(asyncio.to_thread(create, mockchat.url, "ann"))

        exchange = await wait()

        assert (exchange.uid, exchange.status) == ("ann", 200)
        await client
        mockchat.reset()

    with pytest.raises(TimeoutError, match="nothing has reached this app"):
        await mockchat.journal.wait_for_async(timeout=0.01)


def test_what_never_comes_is_told_with_the_nearest(used: MockApp) -> None:
    assert used.journal.wait_for(count=2, operation="create_user", timeout=0).status == 400
    with pytest.raises(TimeoutError) as late:
        used.journal.wait_for(count=2, timeout=0.01, operation="login", uid="bob")

    text = str(late.value)
    assert text.startswith("0 of 2 exchanges with operation='login', uid='bob' came within 0.01 s:")
    assert "uid is ann, not bob" in text


# --- asserted on ----------------------------------------------------------------------------
def test_what_was_called_is_asserted_counted_and_returned(used: MockApp) -> None:
    assert used.journal.assert_called(operation="login").uid == "ann"
    assert used.journal.assert_called(count=2, operation="create_user").status == 400
    used.journal.assert_not_called(operation="logout")

    with pytest.raises(AssertionError) as failed:
        used.journal.assert_called(operation="create_user", json={"uid": "ann", "name": "Bob"})
    text = str(failed.value)
    assert "expected at least one exchange with operation='create_user'" in text
    assert "json.name is 'Ann', not 'Bob'" in text
    assert "POST" in text
    with pytest.raises(
        AssertionError, match=r"expected exactly 1 exchange with .*, got 2: there were:"
    ):
        used.journal.assert_called(count=1, operation="create_user")
    with pytest.raises(AssertionError, match=r"expected no exchange with .*, got 1: there were:"):
        used.journal.assert_not_called(operation="login")


def test_a_count_below_one_is_no_wait(mockchat: MockApp) -> None:
    for count in (0, -1):
        with pytest.raises(ValueError, match=f"not {count}"):
            mockchat.journal.wait_for(count=count)
        with mockchat.hold_logins() as hold, pytest.raises(ValueError, match=f"not {count}"):
            hold.wait(count=count)

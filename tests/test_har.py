"""The journal as HAR 1.2; `tests/sdk/test_har.py` holds it to the published schema."""

from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import FormData
from yarl import URL

from mockchat import __version__
from mockchat.core.clock import Clock
from tests.answers import body_of, details_of
from tests.raw import get_as_encoded, send_raw
from tests.sessions import connect, log_in
from tests.values import NOW, REST_KEY, Client, Json


async def entries_of(client: Client, **query: Any) -> list[Json]:
    archive = await body_of(client.get("/_mock/journal.har", params=query))
    entries: list[Json] = archive["log"]["entries"]
    return entries


async def entry_of(client: Client) -> Json:
    (entry,) = await entries_of(client)
    return entry


async def test_an_archive_says_what_it_is_and_who_wrote_it(client: Client) -> None:
    archive = await body_of(client.get("/_mock/journal.har"))

    creator = {"name": "mockchat", "version": __version__}
    assert archive == {"log": {"version": "1.2", "creator": creator, "entries": []}}


async def test_an_entry_has_the_request_as_it_was_sent_and_the_answer(client: Client) -> None:
    answer = await client.post("/v3/users?a=1&b=", json={"uid": "u1"}, headers=REST_KEY)
    text = await answer.text()

    entry = await entry_of(client)

    request, response = entry["request"], entry["response"]
    assert request["method"] == "POST"
    assert request["url"] == str(client.make_url("/v3/users?a=1&b="))
    assert request["queryString"] == [{"name": "a", "value": "1"}, {"name": "b", "value": ""}]
    assert {"name": "apikey", "value": "REST_*****"} in request["headers"]
    assert request["postData"] == {"mimeType": "application/json", "text": '{"uid": "u1"}'}
    assert request["bodySize"] == 13
    assert (response["status"], response["statusText"]) == (400, "Bad Request")
    kind = "application/json"
    assert response["content"] == {"size": len(text), "mimeType": kind, "text": text}


async def test_times_are_the_mock_s_and_a_request_without_an_answer_has_the_status_0(
    client: Client, clock: Clock
) -> None:
    clock.advance(0.25)
    with pytest.raises(OSError, match=r".*"):
        await client.get("/users", headers={**REST_KEY, "X-Mock-Fault": "reset"})

    entry = await entry_of(client)

    started = datetime.fromtimestamp(NOW + 0.25, UTC)
    assert datetime.fromisoformat(entry["startedDateTime"]) == started
    assert entry["time"] == sum(entry["timings"].values()) > 0
    assert (entry["response"]["status"], entry["response"]["statusText"]) == (0, "")
    assert "fault: reset" in entry["comment"]


async def test_a_websocket_has_its_messages(client: Client) -> None:
    await connect(client, await log_in(client, "superhero1"))

    (entry,) = await entries_of(client, operation="websocket")

    assert entry["_resourceType"] == "websocket"
    assert [one["type"] for one in entry["_webSocketMessages"]] == ["send", "receive"]
    assert {one["opcode"] for one in entry["_webSocketMessages"]} == {1}


async def test_an_archive_is_of_all_exchanges_that_fit(client: Client) -> None:
    for number in range(120):
        await client.options(f"/users/u{number}")
    await client.get("/users", headers=REST_KEY)

    assert len(await entries_of(client)) == 121
    assert len(await entries_of(client, method="GET")) == 1
    assert "limit" in await details_of(client.get("/_mock/journal.har?limit=5"))


async def test_urls_hold_nothing_that_no_url_may_hold(client: Client) -> None:
    await client.post("/users", data=FormData({"uid": "ü"}), headers=REST_KEY)
    for path in ('/a"b<c>', "/%00", "/a?b[]={}|^`"):
        await get_as_encoded(client, path, {})
    odd = [
        (b"http://a.example/users", b"a.example", "http://a.example/users"),
        (b"*", b"a.example", "http://a.example/*"),
        (b"/users", b"", "http://localhost/users"),
        (b"/users", b"b\xfc c", "http://b%FC%20c/users"),
    ]
    for target, host, _ in odd:
        await send_raw(client, b"OPTIONS " + target + b" HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")

    form, *requests = [entry["request"] for entry in await entries_of(client)]

    assert form["postData"]["text"] == "uid=%C3%BC"
    assert form["postData"]["mimeType"] == "application/x-www-form-urlencoded"
    urls = [request["url"] for request in requests]
    for url in urls[:3]:
        assert url.isascii(), url
        assert not set(url) & set('"<>{}|^` '), url
        assert URL(url).host == "127.0.0.1", url
    assert urls[3:] == [url for *_, url in odd]

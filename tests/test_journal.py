"""The journal: what clients really sent, whatever became of it, and how it is asked for."""

import json

from mockchat.core import errors
from mockchat.core.clock import Clock
from mockchat.wire.app import STORE
from tests.answers import assert_error, body_of, details_of
from tests.faulty import add_fault
from tests.helpers import journal_of
from tests.raw import raw_request, send_raw
from tests.sessions import auth_frame, by_token, connect, issue_token, log_in
from tests.values import NOW, PATIENCE, REST_KEY, Client, Json, Serve


async def last_of(client: Client) -> Json:
    return (await journal_of(client))[-1]


# --- what is recorded -----------------------------------------------------------------------
async def test_what_was_sent_and_what_was_answered_are_recorded(client: Client) -> None:
    body = {"uid": "U1", "name": "User"}
    answer = await client.post("/v3//users?x=1", json=body, headers=REST_KEY)

    found = await last_of(client)

    told = {name: found[name] for name in ("method", "path", "target", "operation", "uid")}
    assert told == {
        "method": "POST",
        "path": "/users",
        "target": "/v3//users?x=1",
        "operation": "create_user",
        "uid": "u1",
    }
    assert found["request"]["body"] == body
    assert ["apikey", "REST_API_KEY"] in found["request"]["headers"]
    assert (found["status"], found["response"]["body"]) == (200, await answer.json())


async def test_a_refusal_is_recorded_with_its_code_and_a_token_s_user(client: Client) -> None:
    token = await issue_token(client, "superhero1")
    await client.get("/users/nobody", headers=REST_KEY)
    refused = await last_of(client)

    await body_of(client.get("/me", headers=by_token(token)))

    assert (refused["status"], refused["code"]) == (404, "ERR_UID_NOT_FOUND")
    assert refused["response"]["body"]["error"]["code"] == "ERR_UID_NOT_FOUND"
    assert (await last_of(client))["uid"] == "SUPERHERO1"
    await body_of(client.delete("/me", headers=by_token(token)))
    assert (await last_of(client))["uid"] == "SUPERHERO1"  # although the token is no more


async def test_times_are_those_of_the_mock_s_clock(client: Client, clock: Clock) -> None:
    await client.get("/users", headers=REST_KEY)
    clock.advance("1h")
    await client.get("/users", headers=REST_KEY)

    first, second = await journal_of(client)

    assert (first["at"], second["at"]) == (NOW, NOW + 3600)
    assert first["milliseconds"] > 0


async def test_what_is_no_json_or_too_deep_is_recorded_as_text(client: Client) -> None:
    deep = ["[" * depth + "]" * depth for depth in (65, 1000, 5000)]
    for sent in (b"a=1&b=2", b"{", b"\xff", *deep):
        await client.post("/users", data=sent, headers=REST_KEY)
        assert (await body_of(client.get("/_mock/journal.har")))["log"]["entries"]

    texts = [one["request"]["body"] for one in await journal_of(client)]
    assert texts == ["a=1&b=2", "{", "\ufffd", *deep]


async def test_a_body_is_recorded_even_where_nobody_reads_it(client: Client) -> None:
    for method, path, headers in (
        ("POST", "/nowhere", REST_KEY),
        ("POST", "/users", {}),
        ("POST", "/users", {**REST_KEY, "X-Mock-Fault": "error=503"}),
        ("GET", "/users", REST_KEY),
        ("POST", "/groups", REST_KEY),
    ):
        await client.request(method, path, json={"uid": "u1"}, headers=headers)

        assert (await last_of(client))["request"]["body"] == {"uid": "u1"}, (method, path)
    await details_of(client.post("/users", data=b"x" * 20_000, headers=REST_KEY))
    assert (await last_of(client))["request"]["body"] is None  # of one that is too large


async def test_a_body_that_never_comes_keeps_no_refusal_waiting_for_long(serve: Serve) -> None:
    client = await serve(client_timeout=0.01)
    request = raw_request("POST /users HTTP/1.1", b"Content-Length: 9").replace(b"apikey", b"nokey")

    status, _ = await send_raw(client, request)

    assert status == 401
    assert (await last_of(client))["request"]["body"] is None


async def test_a_preflight_is_recorded_in_the_app_it_names_and_makes_none(client: Client) -> None:
    headers = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    await client.get("/apps/one/v3/users", headers=REST_KEY)

    for app in ("one", "unseen"):
        await client.options(f"/apps/{app}/v3/users", headers=headers)

    assert [one["method"] for one in await journal_of(client, app="one")] == ["GET", "OPTIONS"]
    assert (await last_of(client))["app"] == "APP_ID"
    assert not client.app[STORE].find("unseen")


async def test_a_websocket_is_recorded_with_its_messages(client: Client) -> None:
    socket = await client.ws_connect("/")
    await socket.send_str("nonsense")
    await socket.close()
    (closed,) = await journal_of(client, operation="websocket", wait="5s")
    socket = await client.ws_connect("/")
    await socket.send_json(auth_frame("no.such.jwt"))
    await socket.receive_json(timeout=PATIENCE)
    socket = await connect(client, await log_in(client, "superhero1"))
    await socket.send_json({"action": "ping"})
    await socket.receive_json(timeout=PATIENCE)

    _, refused, found = await journal_of(client, operation="websocket")

    assert [frame["text"] for frame in closed["frames"]] == ["nonsense"]
    assert "uid" not in refused
    assert json.loads(refused["frames"][1]["text"])["body"]["code"] == "401"
    assert (found["status"], found["uid"]) == (101, "SUPERHERO1")
    assert [frame["sent"] for frame in found["frames"]] == [True, False, True, False]
    texts = [json.loads(frame["text"]) for frame in found["frames"]]
    assert texts[2:] == [{"action": "ping"}, {"action": "pong"}]


# --- ids ------------------------------------------------------------------------------------
async def test_every_answer_carries_the_id_of_its_exchange(client: Client) -> None:
    answers = [
        await client.get("/users", headers=REST_KEY),
        await client.get("/users"),
        await client.get("/nowhere"),
        await client.get("/"),
        await client.options("/users"),
        await client.get("/users", headers={"Expect": "miracles"}),
    ]

    ids = [answer.headers["X-Mock-Exchange"] for answer in answers]
    found = [await body_of(client.get(f"/_mock/journal/{one}")) for one in ids]
    assert [one["status"] for one in found] == [answer.status for answer in answers]
    for path in ("health", "journal", "state", "nope"):  # the control API's own calls
        assert "X-Mock-Exchange" not in (await client.get(f"/_mock/{path}")).headers
    assert len(await journal_of(client)) == len(answers)


async def test_a_handshake_carries_the_id_of_its_exchange(client: Client) -> None:
    socket = await client.ws_connect("/")
    number = socket._response.headers["X-Mock-Exchange"]  # noqa: SLF001  # shown nowhere else
    await socket.close()
    await connect(client, await log_in(client, "superhero1"))

    assert (await body_of(client.get(f"/_mock/journal/{number}")))["status"] == 101
    for other in ("0", "999", "1x", "%C2%B2", "-1"):
        await assert_error(client.get(f"/_mock/journal/{other}"), errors.MOCK_NOT_FOUND)


# --- apps -----------------------------------------------------------------------------------
async def test_every_app_has_a_journal_of_its_own(client: Client) -> None:
    for app in ("one", "two", "one"):
        answer = await client.get(f"/apps/{app}/v3/users", headers=REST_KEY)
    number = answer.headers["X-Mock-Exchange"]

    assert [one["app"] for one in await journal_of(client, app="one")] == ["one", "one"]
    assert [one["app"] for one in await journal_of(client)] == ["one", "two", "one"]
    assert await body_of(client.get(f"/_mock/journal/{number}?app=one"))
    await assert_error(client.get(f"/_mock/journal/{number}?app=two"), errors.MOCK_NOT_FOUND)
    told = await body_of(client.delete("/_mock/journal?app=one"))
    assert told["message"] == "2 exchanges are forgotten."
    assert [one["app"] for one in await journal_of(client)] == ["two"]


async def test_a_refused_request_is_found_by_the_uid_in_its_body_whatever_faults_there_are(
    client: Client,
) -> None:
    for number in range(2):
        if number:
            await add_fault(client, "latency", operation="get_me")
        await client.post("/users", json={"uid": "N1", "name": "N"}, headers={"apikey": "wrong"})

        found = await journal_of(client, uid="n1")
        assert [(one["uid"], one["status"]) for one in found] == [("n1", 401)] * (number + 1)

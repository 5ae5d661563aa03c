"""Faults under odd circumstances: clients that leave, connections that go on, rules without end."""

import asyncio
from socket import SHUT_RDWR
from typing import Any

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from mockchat import MockChat
from mockchat.core.fault_kinds import KINDS, EarlyKind, HttpKind
from mockchat.core.faults import MAX_RULES, PRESETS
from mockchat.core.matching import Pattern
from mockchat.wire import sending
from mockchat.wire.app import HANDLER, STORE
from tests.answers import body_of
from tests.faulty import Gate, Recorder, Wire, add_fault, strikes_of
from tests.raw import raw_request, send_raw
from tests.rows import each_row
from tests.sessions import auth_frame
from tests.strategies import hostile, json_values
from tests.values import PATIENCE, REST_KEY, Client, Serve

HTTP = [name for name, kind in KINDS.items() if issubclass(kind, HttpKind)]
SHAPES = [name for name in HTTP if not issubclass(KINDS[name], EarlyKind)]
WAITING: dict[str, Any] = {"hang": {}, "latency": {"delay": "1d"}, "slow_body": {"delay": "1d"}}
GOES_ON = raw_request("GET /users/superhero1 HTTP/1.1")
IS_LAST = raw_request("GET /users/superhero2 HTTP/1.1", b"Connection: close")


def knobs_of(kind: str) -> dict[str, Any]:
    """Parameters with which a kind does its worst in no time."""
    known: dict[str, dict[str, Any]] = {
        "error": {"status": 503},
        "latency": {"delay": 0},
        "slow_body": {"delay": 0},
    }
    return known.get(kind, {})


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server looks after its clients often."""
    monkeypatch.setattr(sending, "_GLANCE", 0.01)


# --- clients that leave ---------------------------------------------------------------------
def farewells(mock: MockChat) -> asyncio.Queue[str]:
    """Tells of each request that the server is done with."""
    done: asyncio.Queue[str] = asyncio.Queue()
    mock.observe(lambda exchange: done.put_nowait(exchange.target))
    return done


@each_row("kind", WAITING)
async def test_nothing_is_left_of_clients_that_leave(wire: Wire, kind: Any, hasty: None) -> None:
    done = farewells(wire.mock)
    wire.mock.reset()
    wire.mock.fault(kind, **WAITING[kind])
    struck = strikes_of(wire.mock)
    before = asyncio.all_tasks()

    async with asyncio.timeout(PATIENCE):
        for _ in range(10):
            async with wire.asking():
                await struck.get()
            await done.get()
    await asyncio.sleep(0)

    assert asyncio.all_tasks() <= before


async def test_a_client_that_leaves_behind_a_huge_body_is_noticed(wire: Wire, hasty: None) -> None:
    done = farewells(wire.mock)
    wire.mock.fault("hang")
    struck = strikes_of(wire.mock)

    async with asyncio.timeout(PATIENCE):
        async with wire.asking("POST /users HTTP/1.1", b"x" * 2**21):
            await struck.get()
        assert await done.get() == "/users"


async def test_a_client_that_leaves_during_a_late_authentication_is_noticed(
    wire: Wire, hasty: None
) -> None:
    done = farewells(wire.mock)
    wire.mock.fault("ws_delay_auth", delay="1d")
    struck = strikes_of(wire.mock)
    jwt = wire.mock.log_in("superhero1")["jwt"]

    async with asyncio.timeout(PATIENCE), ClientSession() as session:
        socket = await session.ws_connect(str(wire.mock.url))
        await socket.send_json(auth_frame(jwt))
        await struck.get()
        socket.get_extra_info("socket").shutdown(SHUT_RDWR)

        assert await done.get() == "/"


@pytest.mark.parametrize("kind", WAITING)
async def test_a_server_with_clients_that_wait_stops_within_a_second(wire: Wire, kind: Any) -> None:
    wire.mock.fault(kind, **WAITING[kind])
    struck = strikes_of(wire.mock)

    async with asyncio.timeout(PATIENCE), wire.asking() as first, wire.asking() as second:
        for _ in range(2):
            await struck.get()
        async with asyncio.timeout(1):
            await wire.mock.stop()
        ends = [await reader.read() for reader in (first, second)]

    assert all(end == b"" or kind == "slow_body" for end in ends)


async def test_a_server_that_stops_lets_no_new_wait_begin(serve: Serve) -> None:
    gate = Gate()
    client = await serve(sleep=gate)
    await add_fault(client, "latency", delay="1d")
    client.app[HANDLER]._waits.end()  # noqa: SLF001

    assert await send_raw(client, GOES_ON) == (0, b"")


# --- connections that go on -----------------------------------------------------------------
@each_row("kind", [name for name in HTTP if name != "hang"])
async def test_a_head_request_is_struck_without_a_body(client: Client, kind: str) -> None:
    await add_fault(client, kind, **knobs_of(kind))

    head = raw_request("HEAD /users/superhero1 HTTP/1.1")
    status, body = await send_raw(client, head)

    wanted = {"reset": 0, "empty": 0, "error": 503, "rate_limit": 429}
    assert (status, body) == (wanted.get(kind, 200), b"")
    if kind in SHAPES:  # there is no body to use it up
        assert [row["struck"] for row in await body_of(client.get("/_mock/faults"))] == [0]
        response = await client.head("/users", headers=REST_KEY)
        assert "X-Mock-Fault" not in response.headers


async def everything(client: Client, *requests: bytes) -> bytes:
    """What comes back for requests that are sent in one go."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    try:
        writer.write(b"".join(requests))
        async with asyncio.timeout(PATIENCE):
            return await reader.read()
    finally:
        writer.close()


async def answers(client: Client, *requests: bytes) -> list[bytes]:
    """The status lines of what comes back."""
    text = await everything(client, *requests)
    return [part.partition(b"\r\n")[0] for part in text.split(b"HTTP/1.1 ")[1:]]


@each_row(
    ("kind", "statuses"),
    [
        ("latency", [b"200 OK", b"200 OK"]),
        ("error", [b"503 Service Unavailable", b"200 OK"]),
        ("rate_limit", [b"429 Too Many Requests", b"200 OK"]),
        ("reset", []),
        ("empty", []),
        ("truncated", [b"200 OK"]),
        ("malformed", [b"200 OK"]),
        ("slow_body", [b"200 OK"]),
    ],
)
async def test_pipelined_requests_are_answered_in_order_until_the_connection_ends(
    client: Client, kind: str, statuses: list[bytes]
) -> None:
    await add_fault(client, kind, times=1, **knobs_of(kind))

    try:
        found = await answers(client, GOES_ON, IS_LAST)
    except ConnectionResetError:
        found = []

    assert found == statuses


@each_row("shape", SHAPES)
async def test_any_status_in_any_shape_leaves_good_connections(client: Client, shape: str) -> None:
    await add_fault(client, shape, **knobs_of(shape))
    for status in (200, 204, 205, 304, 599):
        await add_fault(client, "error", status=status, times=1)

        found = await answers(client, GOES_ON, IS_LAST)

        assert found[0].partition(b" ")[0] == str(status).encode()
        assert found[1:] in ([], [b"200 OK"]), status


@each_row("shape", [None, *SHAPES])
async def test_a_status_without_a_body_has_none(client: Client, shape: str | None) -> None:
    if shape:
        await add_fault(client, shape, **knobs_of(shape))
    for status in (204, 304):
        await add_fault(client, "error", status=status, times=1)

        text = await everything(client, IS_LAST)

        assert text.startswith(b"HTTP/1.1 %d " % status)
        assert text.partition(b"\r\n\r\n")[2] == b"", status


async def test_a_struck_body_is_not_taken_for_the_next_request(client: Client) -> None:
    await add_fault(client, "error", status=503, times=1)
    body = b"GET /users/superhero3 HTTP/1.1\r\nHost: x\r\n\r\n" * 500

    found = await answers(client, raw_request("POST /users HTTP/1.1", body=body), IS_LAST)

    assert found in ([b"503 Service Unavailable"], [b"503 Service Unavailable", b"200 OK"])


async def test_the_end_of_a_body_that_is_too_large_is_not_taken_for_all_of_it(serve: Serve) -> None:
    gate = Gate()
    client = await serve(sleep=gate)
    await add_fault(client, "latency", delay=1)
    start, rest = b" " * 20_000, b'{"uid":"new","name":"New"}'
    request = raw_request("POST /users HTTP/1.1", b"Connection: close", body=start + rest)
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(request[: -len(rest)])
    await gate.asleep.acquire()

    writer.write(rest)
    gate.wake.release()

    async with asyncio.timeout(PATIENCE):
        assert b"may not be greater than 10240 bytes" in await reader.read()
    writer.close()


# --- rules without end ----------------------------------------------------------------------
async def test_a_thousand_rules_or_faults_of_a_header_stop_nothing(serve: Serve) -> None:
    recorder = Recorder()
    client = await serve(sleep=recorder)
    for number in range(MAX_RULES):
        pattern = Pattern(path=f"/users/{number}/**", uid=f"u{number}")
        client.app[STORE].faults.add("error", {"status": 503}, pattern=pattern)

    refused = await client.post("/_mock/faults", json={"kind": "reset"})

    assert refused.status == 400
    assert "remove some" in await refused.text()
    assert (await client.get("/users", headers=REST_KEY)).status == 200
    assert (await client.get("/users/999", headers=REST_KEY)).status == 404
    headers = {**REST_KEY, "X-Mock-Fault": ",".join(["latency=1d"] * 500)}
    assert (await client.get("/users", headers=headers)).status == 200
    assert recorder.slept == [86_400] * 500


# --- anything -------------------------------------------------------------------------------
@hostile
@given(
    st.dictionaries(
        st.sampled_from(["kind", "match", "times", "path", "uid", "delay", "code", "status"]),
        st.sampled_from([*KINDS, *PRESETS]) | json_values,
    )
)
async def test_any_fault_is_made_or_refused(client: Client, knobs: dict[str, Any]) -> None:
    response = await client.post("/_mock/faults", json=knobs)

    assert response.status in (200, 400)
    await body_of(client.delete("/_mock/faults"))


async def test_a_wait_that_ends_already_is_ended_by_a_stop_without_a_word() -> None:
    waits = sending.ClientWaits(asyncio.sleep)
    waiting = asyncio.create_task(waits.sleep(make_mocked_request("GET", "/"), 60))
    await asyncio.sleep(0)

    waits.end()
    await asyncio.sleep(0)  # its time is up, and it does not know that yet
    waits.end()

    with pytest.raises(sending.ClientGone):
        await waiting

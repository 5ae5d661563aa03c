"""Faults as clients meet them: every kind of HTTP fault over a real socket."""

import asyncio
import json
import re
from itertools import product
from typing import Any

import pytest
from aiohttp import StreamReader
from hypothesis import given
from hypothesis import strategies as st

from mockchat.core import errors
from mockchat.core.errors import CATALOGUE
from mockchat.core.fault_kinds import Kind, Malformed, SlowBody, Truncated
from mockchat.core.faults import Faults
from mockchat.core.matching import Pattern, RequestSummary
from tests.answers import assert_error, body_of, error_of, face_of
from tests.faulty import Gate, Recorder, Wire, add_fault, proves
from tests.rows import each_row, telling
from tests.values import NOW, PATIENCE, REST_KEY, Client, Json, Serve

HEAD = re.compile(rb"\r\nContent-Length: ([0-9]+)\r\n")


async def head_of(reader: asyncio.StreamReader) -> tuple[bytes, int]:
    """The head of an answer, and how long it says that its body is."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = HEAD.search(head)
    assert length is not None, head
    return head, int(length[1])


# --- late -----------------------------------------------------------------------------------
@proves("latency")
async def test_latency_lets_an_answer_come_late(serve: Serve) -> None:
    gate = Gate()
    client = await serve(sleep=gate)
    await add_fault(client, "latency", delay="200ms")

    answer = asyncio.create_task(body_of(client.get("/users/superhero1", headers=REST_KEY)))
    await gate.asleep.acquire()

    assert not answer.done()
    gate.wake.release()
    assert (await answer)["data"]["uid"] == "SUPERHERO1"
    assert gate.slept == [0.2]


async def test_jitter_varies_the_latency_within_its_bounds_but_not_below_zero(serve: Serve) -> None:
    recorder = Recorder()
    client = await serve(sleep=recorder)
    for delay, jitter, least, most in ((1, "400ms", 0.6, 1.4), (0, 1, 0, 1)):
        recorder.slept.clear()
        await body_of(client.delete("/_mock/faults"))
        await add_fault(client, "latency", delay=delay, jitter=jitter, randomSeed=1)

        for _ in range(20):
            await client.get("/users", headers=REST_KEY)

        assert len(set(recorder.slept)) == 20 or min(recorder.slept) == 0 < max(recorder.slept)
        assert all(least <= slept <= most for slept in recorder.slept), recorder.slept

    await body_of(client.delete("/_mock/faults"))
    recorder.slept.clear()
    for length in ("1s", "2s"):  # latencies add up
        await add_fault(client, "latency", delay=length)
    response = await client.get("/users", headers=REST_KEY)
    assert recorder.slept == [1, 2]
    assert response.headers["X-Mock-Fault"] == "latency, latency"


# --- refused --------------------------------------------------------------------------------
@proves("error")
async def test_any_error_can_be_asked_for_by_name_or_code(client: Client) -> None:
    for row, dialect in product(CATALOGUE.values(), ("documented", "live")):
        face = face_of(row, dialect)
        with telling(row=row.name, dialect=dialect):
            fault = await add_fault(client, "error", code=row.name)
            response = await client.get("/me", headers={"X-Mock-Errors": dialect})
            await body_of(client.delete(f"/_mock/faults/{fault['id']}"))

            assert response.status == face.status
            assert (await response.json())["error"]["code"] == face.code
            assert response.headers["X-Mock-Fault"] == "error"
    await add_fault(client, "error", code="AUTH_ERR_EMPTY_APIKEY")
    for dialect in ("documented", "live"):
        error = await error_of(client.get("/me", headers={"X-Mock-Errors": dialect}), 401)
        assert error["code"] == "AUTH_ERR_EMPTY_APIKEY"


async def test_a_message_is_filled_with_what_the_request_names(client: Client) -> None:
    await add_fault(client, "error", code="ERR_UID_NOT_FOUND")

    await assert_error(client.get("/users/SuperHero1"), errors.UID_NOT_FOUND, uid="superhero1")
    await assert_error(client.get("/users"), errors.UID_NOT_FOUND, uid="...")


@each_row(
    ("knobs", "status", "code", "message"),
    [
        ({"status": 503}, 503, "MOCK_FAULT_503", "A fault was asked for."),
        (
            {"code": "MY_OWN", "status": 418, "message": "{uid} is a teapot"},
            *(418, "MY_OWN", "{uid} is a teapot"),
        ),
    ],
)
async def test_a_status_alone_or_an_error_of_one_s_own_is_answered(
    client: Client, knobs: Json, status: int, code: str, message: str
) -> None:
    for wrong in ({}, {"code": "NOPE"}, {"status": 600}, {"status": 101}):
        await error_of(client.post("/_mock/faults", json={"kind": "error", **wrong}), 400)
    assert await body_of(client.get("/_mock/faults")) == []  # what means nothing is refused
    await add_fault(client, "error", **knobs)

    error = await error_of(client.get("/me"), status)

    assert (error["code"], error["message"]) == (code, message)


@proves("rate_limit")
async def test_a_rate_limit_tells_when_to_come_back(client: Client) -> None:
    await add_fault(client, "error", code="ERR_TOO_MANY_REQUESTS", times=1)
    by_code = await client.get("/users", headers=REST_KEY)
    await add_fault(client, "rate_limit", retryAfter="30s")

    response = await client.get("/users", headers=REST_KEY)

    face = errors.TOO_MANY_REQUESTS.live
    message = face.message.format(limit=20_000, seconds=30)
    assert response.status == 429
    assert (await response.json())["error"]["message"] == message
    assert response.headers["Retry-After"] == "30"
    assert response.headers["X-Rate-Limit-Reset"] == str(NOW + 30)
    assert response.headers["X-RateLimit-Remaining"] == "0"
    assert (by_code.status, by_code.headers["Retry-After"]) == (429, "60")


# --- cut off --------------------------------------------------------------------------------
@proves("reset", "empty")
async def test_a_reset_is_a_reset_and_an_empty_answer_an_orderly_end(wire: Wire) -> None:
    with wire.mock.fault("reset"):
        async with wire.asking() as reader:
            with pytest.raises(ConnectionResetError):
                await reader.read()

    wire.mock.fault("empty")
    async with wire.asking() as reader:
        assert await reader.read() == b""


@proves("hang")
async def test_a_hung_request_gets_no_byte_until_the_fault_is_removed(wire: Wire) -> None:
    fault = wire.mock.fault("hang")

    async with wire.asking() as reader:
        exchange = await wire.mock.journal.wait_for_async(path="/users")
        assert exchange.status == 0
        fault.remove()
        assert await reader.read() == b""


# --- misshapen ------------------------------------------------------------------------------
@proves("truncated")
async def test_a_truncated_answer_ends_before_the_length_that_it_told(wire: Wire) -> None:
    """Half of it arrives, or as much as was asked for, but never all."""
    rows: list[tuple[Any, int | None]] = [({}, None), ({"arriving": 0}, 0), ({"arriving": 5}, 5)]
    for knobs, arrives in rows:
        with wire.mock.fault("truncated", **knobs):
            async with wire.asking() as reader:
                head, length = await head_of(reader)
                body = await reader.read()

        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert length > len(body) == (length // 2 if arrives is None else arrives)
    wire.mock.fault("truncated", arriving=10**9)
    async with wire.asking() as reader:
        _, length = await head_of(reader)
        assert len(await reader.read()) == length - 1


@proves("malformed")
async def test_a_malformed_answer_is_complete_and_no_json(wire: Wire) -> None:
    wire.mock.fault("malformed")

    async with wire.asking() as reader:
        head, length = await head_of(reader)
        body = await reader.read()

    assert b"Content-Type: application/json" in head
    assert length == len(body) > 0
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


@proves("slow_body")
async def test_a_slow_body_follows_its_head_in_drops(serve: Serve) -> None:
    gate = Gate()
    client = await serve(sleep=gate)
    await add_fault(client, "slow_body", delay="5s")

    response = await client.get("/users", headers=REST_KEY)
    drops = [await drop(gate, response.content) for _ in range(10)]

    length = int(response.headers["Content-Length"])
    assert gate.slept == [0.5] * 10
    assert len(set(map(len, drops[:-1]))) == 1
    assert sum(map(len, drops)) == length
    assert len(json.loads(b"".join(drops))["data"]) == 10


async def drop(gate: Gate, content: StreamReader) -> bytes:
    """What arrives with the next awakening."""
    await gate.asleep.acquire()
    gate.wake.release()
    async with asyncio.timeout(PATIENCE):
        return await content.readany()


@given(st.binary(max_size=30), st.integers(0, 40))
def test_any_body_is_cut_broken_or_sent_slowly(body: bytes, arriving: int) -> None:
    length = len(body)
    for cut, end in ((Truncated(), length // 2), (Truncated(arriving), min(arriving, length - 1))):
        assert cut.shape(body) == ((body[: max(end, 0)],), max(length, 1), 0.0)
    half = body[: length // 2] or b"{"
    assert Malformed().shape(body) == ((half,), len(half), 0.0)
    pieces, told, pause = SlowBody(3.0).shape(body)
    assert (b"".join(pieces), told) == (body, length)
    assert len(pieces) == length or 5 < len(pieces) <= 10
    assert pause * max(1, len(pieces)) == pytest.approx(3)


def test_a_rule_is_told_with_its_pattern_its_age_and_how_often_it_struck() -> None:
    rule = Faults().add("error", {"code": "503"}, pattern=Pattern(method="GET", uid="u1"))
    rule.added, rule.struck = 100.0, 1

    assert str(rule) == "fault 1 (error, method='GET', uid='u1')"
    assert rule.told(130.4) == (
        "fault 1 (error) struck; it was added 30 s ago and struck 1 time so far; "
        "DELETE /_mock/faults/1 removes it"
    )
    rule.struck = 2
    assert "added 0 s ago and struck 2 times so far;" in rule.told(99.0)


def test_a_fault_without_probability_never_strikes() -> None:
    rule = Faults().add("error", {"code": "503"}, probability=0.0)
    rule.chance = lambda: 0.0  # the lowest

    assert rule.strike("app", RequestSummary("GET", "/me", "me", None, "key"), Kind) is None


async def test_refusals_and_the_errors_of_other_faults_are_misshapen_too(wire: Wire) -> None:
    rows: Any = (("truncated", {}), ("malformed", {}), ("slow_body", {"delay": "1ms"}))
    for kind, knobs in rows:
        with wire.mock.fault(kind, **knobs):
            async with wire.asking(key="WRONG") as reader:
                head, _ = await head_of(reader)
        assert head.startswith(b"HTTP/1.1 401 ")
        assert f"\r\nX-Mock-Fault: {kind}\r\n".encode() in head

    wire.mock.fault("malformed")
    wire.mock.fail(503)
    async with wire.asking() as reader:
        head, length = await head_of(reader)
        body = await reader.read()
    assert head.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nX-Mock-Fault: malformed, error\r\n" in head
    assert length == len(body) < 100

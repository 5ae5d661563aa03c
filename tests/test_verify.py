"""`verify`: what it finds, what it leaves behind, and how it bears a difficult service."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pytest_aiohttp.plugin import AiohttpClient

from docs.differences import DIFFERENCES
from mockchat import Config, create_app
from mockchat.api import OPERATIONS, after_login
from mockchat.api.validation import TEXTS
from mockchat.core.clock import Clock
from mockchat.core.errors import Evidence
from mockchat.verify import VerifyError, cassette, report
from mockchat.verify.run import Plan, Run, Verdict, codes_and_rules
from mockchat.verify.side import PER_MINUTE, Pace, Place
from mockchat.verify.table import GROUPS, NOT_ASKED
from mockchat.wire.app import STORE
from tests.answers import body_of
from tests.faulty import add_fault
from tests.recordings import read_recording
from tests.rows import telling
from tests.stand_in import (
    Change,
    Mutant,
    StandIn,
    differing,
    document,
    header,
    refused,
    removed,
    status,
    text,
    turned,
)
from tests.test_recordings import replay
from tests.values import Serve


@pytest.fixture
async def live(aiohttp_client: AiohttpClient) -> AsyncIterator[StandIn]:
    """A mockchat that stands in for the live service."""
    stand_in = StandIn()
    app = create_app(Config(errors="live", strict_apps=True, login_latency=0, journal_size=5000))
    app.middlewares.insert(0, stand_in.disturb)
    stand_in.client = await aiohttp_client(app)
    before = stand_in.contents
    yield stand_in
    assert stand_in.contents == before, "verify has left something behind"


NO_PROBE = "no probe asks for it: add one, or say in NOT_ASKED of mockchat/verify/table.py why not"


# --- the table ------------------------------------------------------------------------------
async def test_the_same_service_differs_in_nothing_and_nothing_in_reach_is_left_unasked(
    live: StandIn,
) -> None:
    run = await live.verify()

    assert differing(run) == {}
    assert run.agrees
    assert {one.verdict for one in run.outcomes} == {Verdict.SAME, Verdict.NEWLY_KNOWN}
    met = codes_met(run) | operations_met(live)
    assert wanted() - met - NOT_ASKED.keys() == set(), NO_PROBE
    assert met & NOT_ASKED.keys() == set(), "a probe does ask for it"
    settled = {probe.settles for probes in GROUPS.values() for probe in probes} - {""}
    unknown = [row for row in DIFFERENCES if not row.live]
    assert [row for row in unknown if row.asked not in settled | NOT_ASKED.keys()] == [], NO_PROBE
    assert settled <= {row.asked for row in unknown}


# The sentences of the control API and of fixtures.
OWN_SENTENCES = {"duration", "fixture", "instant", "nested", "plain", "spaces", "unknown"}


def wanted() -> set[str]:
    """All operations, codes and sentences of users and authentication that the live service has."""
    operations = [row for row in OPERATIONS if row.handler.__module__ != after_login.__name__]
    errors = {error for row in operations for error in row.may_raise}
    sentences = {name for name, row in TEXTS.items() if row.evidence is Evidence.ASSUMED}
    sentences -= OWN_SENTENCES
    return {row.id for row in operations} | {error.live.code for error in errors} | sentences


def codes_met(run: Run) -> set[str]:
    found = [codes_and_rules(one.answer) for one in run.outcomes if one.answer]
    return {code for code, _ in found} | {rule for _, rules in found for rule in rules}


def operations_met(live: StandIn) -> set[str]:
    journal = live.client.app[STORE].default.journal
    return {str(exchange.summary.operation) for exchange in journal}


# --- mutants --------------------------------------------------------------------------------
CREATE, USER = "POST /users", "(GET|PUT) /users/[^/]+"
TOKENS, TOKEN = "/users/[^/]+/auth_tokens", "/users/[^/]+/auth_tokens/.+"
MUTANTS = (
    # status
    Mutant(CREATE, status(201), "status", "roles"),
    Mutant("DELETE /me", status(202), "status", "client"),
    Mutant("GET /userss", status(405), "status", "refusals"),
    Mutant("PUT /apikeys/.+", status(202), "status", "keys"),
    Mutant(f"POST {TOKENS}", status(203), "status", "tokens"),
    # codes
    Mutant("GET /roles", text("AUTH_ERR_NO_ACCESS", "ERR_DENIED"), "error.code", "refusals"),
    Mutant(f"GET {TOKEN}", text("ERR_AUTH_TOKEN_NOT_FOUND", "X"), "error.code", "tokens"),
    Mutant(USER, text("ERR_UID_NOT_FOUND", "ERR_NO_UID"), "error.code", "users"),
    Mutant("GET /me", text("AUTH_ERR_EMPTY_AUTH_TOKEN", "X"), "error.code", "refusals"),
    # texts
    Mutant(CREATE, text("already exists.", "already exists!"), "error.message", "create"),
    Mutant("DELETE /users/[^/]+", text("User with UID", "User"), "data.message", "users"),
    Mutant(f"DELETE {TOKENS}", text("Cleared", "Deleted"), "data.message", "tokens"),
    Mutant("GET /me", text("or try login again", "or log in"), "error.message", "refusals"),
    Mutant("DELETE /roles/.+", text("Role ", "The role "), "data.message", "roles"),
    Mutant(CREATE, text('"source":"chat-api"', '"source":"api"'), "error.source", "create"),
    Mutant("DELETE .+/friends", text("succussfully", "successfully"), "data.message", "friends"),
    # details
    Mutant(CREATE, text("name field is required", "name is needed"), "error.details.name",
           "create"),
    Mutant(CREATE, document("error.details", removed), "error.details", "create"),
    Mutant("POST /roles", text("has already been taken", "is taken"), "error.details.role",
           "roles"),
    # keys
    Mutant("GET /users", document("meta.cursor", removed), "meta.cursor", "lists"),
    Mutant(f"GET {TOKEN}", document("data.createdAt", removed), "data.createdAt", "tokens"),
    Mutant(USER, document("data", lambda data: data | {"hasBlockedMe": False}),
           "data.hasBlockedMe", "users"),
    Mutant("PUT /me", document("data.jwt", removed), "data.jwt", "client"),
    Mutant("GET /roles/.+", document("data.settings", removed), "data.settings", "roles"),
    Mutant("GET /settings", document("data.CHAT_HOST", removed), "data.CHAT_HOST", "client"),
    # order of keys and of lists
    Mutant(USER, document("data", turned), "order of keys of data", "users"),
    Mutant("GET /userss", document("error", turned), "order of keys of error", "refusals"),
    Mutant("GET /users", document("data", turned), "order of data", "lists"),
    Mutant("GET /apikeys", document("data", turned), "order of data", "keys"),
    Mutant("DELETE /users", document("data", turned), "order of keys of data", "users"),
    # types and forms
    Mutant("GET /users", document("meta.pagination.total", str), "meta.pagination.total", "lists"),
    Mutant("GET /roles/.+", document("data.createdAt", str), "data.createdAt", "roles"),
    Mutant(f"POST {TOKENS}", document("data.createdAt", lambda it: it * 1000), "data.createdAt",
           "tokens"),
    Mutant("POST /me/jwt", document("data.token", lambda _: "token"), "data.token", "client"),
    Mutant("GET /apikeys/.+", document("data.apiKey", str.upper), "data.apiKey", "keys"),
    Mutant("GET /users", document("meta.pagination.total_pages", lambda _: 0),
           "meta.pagination.total_pages", "lists"),
    # headers and the style of JSON
    Mutant("GET /users", header("Vary", None), "header vary", "lists"),
    Mutant("GET /users", header("X-Request-Id", "1"), "header x-request-id", "lists"),
    Mutant("PUT /users", header("Content-Type", "application/json; charset=utf-8"),
           "header content-type", "users"),
    Mutant("POST /roles", header("X-RateLimit-Limit", "10000"), "header x-ratelimit-limit",
           "roles"),
    Mutant("GET /roles", header("X-RateLimit-Remaining", None), "header x-ratelimit-remaining",
           "roles"),
    Mutant(CREATE, text("\\/", "/"), "slashes", "users"),
    Mutant(CREATE, text("Ä", "\\u00c4"), "characters beyond ASCII", "create"),
    # missing operations
    Mutant("POST .+/friends", refused(404, "ERR_API_NOT_FOUND"), "status", "friends", False),
    Mutant("PUT /users", refused(404, "ERR_API_NOT_FOUND"), "status", "users", False),
    Mutant("GET /roles/.+", refused(404, "ERR_API_NOT_FOUND"), "status", "roles", False),
    Mutant("POST /me/jwt", refused(404, "ERR_API_NOT_FOUND"), "status", "client", False),
    Mutant("POST /roles", refused(500, "ERR_EXCEPTION"), "status", "roles", False),
)  # fmt: skip


async def test_every_change_of_the_service_is_found_and_named_and_nothing_else(
    live: StandIn,
) -> None:
    assert len(MUTANTS) > 40
    for group, mutants in runs_of(MUTANTS):
        with telling(mutants=mutants):
            live.mutants = mutants

            run = await live.verify(group)

            found = {request.replace("$", ""): places for request, places in differing(run).items()}
            for mutant in mutants:
                places = set().union(*(found[it] for it in found if mutant.fits(it)))
                assert mutant.place in places
                assert places <= {mutant.place, "error.devMessage"} or not mutant.executes
            assert [it for it in found if not any(one.fits(it) for one in mutants)] == []
            assert not run.agrees


def runs_of(mutants: Iterable[Mutant]) -> list[tuple[str, list[Mutant]]]:
    """Divide mutants into runs: those of a group that change the answers to different requests.

    A mutant that does not execute its requests has a run of its own, as others depend on them.
    """
    runs: list[tuple[str, list[Mutant]]] = []
    for mutant in mutants:
        asked = [it.request.partition("?")[0].replace("$", "") for it in GROUPS[mutant.group]]
        own = {it for it in asked if mutant.fits(it)}
        assert own, f"no probe asks for {mutant.where}"
        for group, others in runs:
            apart = not any(other.fits(it) for it in own for other in others)
            if group == mutant.group and apart and mutant.executes and others[0].executes:
                others.append(mutant)
                break
        else:
            runs.append((mutant.group, [mutant]))
    return runs


# --- a difficult service --------------------------------------------------------------------
async def test_a_flaky_and_slow_service_is_asked_again_and_differs_in_nothing(
    live: StandIn,
) -> None:
    flaky = {"probability": 0.03, "randomSeed": 7}
    faults: dict[str, dict[str, Any]] = {
        "reset": flaky,
        "error": {"status": 503, **flaky},
        "hang": {"times": 1, "after": 20},
    }
    for kind, settings in faults.items():
        with telling(kind=kind):
            fault = await add_fault(live.client, kind, **settings)

            run = await live.verify("users", "tokens", timeout=0.5)

            await body_of(live.client.delete(f"/_mock/faults/{fault['id']}"))
            assert differing(run) == {}
            assert run.agrees
            assert len(run.outcomes) == run.plan.size


async def test_a_websocket_that_is_silent_differs_and_one_that_is_cut_is_not_asked(
    live: StandIn,
) -> None:
    fault = await add_fault(live.client, "ws_ignore_pings")
    run = await live.verify("client", timeout=0.3)
    await body_of(live.client.delete(f"/_mock/faults/{fault['id']}"))

    assert differing(run) == {"WS /": {"body"}}

    def cut(request: web.Request) -> None:
        if "Upgrade" in request.headers and request.transport:
            request.transport.abort()

    live.before = cut
    run = await live.verify("client")
    assert differing(run) == {}
    unasked = [one.probe.method for one in run.outcomes if one.verdict is Verdict.NOT_ASKED]
    assert unasked == ["WS", "WS"]
    assert not run.is_complete


async def test_a_429_is_waited_for_as_long_as_it_asks_and_not_for_ever(live: StandIn) -> None:
    await add_fault(live.client, "rate_limit", retryAfter=17, times=2, after=5)

    run = await live.verify("roles")

    assert run.agrees
    assert live.sleep.slept.count(17) == 2

    await add_fault(live.client, "rate_limit", retryAfter=4000, times=1, after=5)
    run = await live.verify("roles", "friends")
    told = [one.reason for one in run.outcomes if one.verdict is Verdict.NOT_ASKED]
    assert told[0] == "the service answered 429 and asks to wait 4000 seconds"
    assert not run.is_complete


async def test_answers_that_make_no_sense_are_told_and_break_nothing(live: StandIn) -> None:
    bodies = (
        b"", b"null", b"\xff\x00", b"[" * 9999, b'{"data":null}', b'{"data":[1,[]],"meta":5}',
        b'{"data":[{"uid":5},{"role":null}],"meta":{"pagination":[]}}', b'{"error":"x"}',
        b'{"data":{"apiKey":5,"jwt":[]}}', b'{"data":{"name":"\\ud800\\u001b[31m"}}',
        b'{"error":{"code":1,"message":["x"],"details":[1]}}',
        b'{"error":{"code":"ERR_BAD_REQUEST","details":{"a":"text","b":null,"c":[5]}}}',
    )  # fmt: skip
    for body in bodies:
        with telling(body=body[:50]):
            live.mutants = [Mutant(".*", answering(body), "", "")]
            run = await live.verify("roles")

            assert len(run.outcomes) == run.plan.size
            assert not run.agrees
            assert any(one.answer for one in run.outcomes)
            for told in (report.markdown(run), report.html(run), str(report.document(run))):
                assert "\x1b" not in told
            live.mutants = ()
            await Run(live.plan(prefix=run.plan.prefix), sleep=live.sleep).remove()


def answering(body: bytes) -> Change:
    def change(response: web.Response) -> None:
        response.body = body

    return change


async def test_requests_stay_under_the_rate_limit_of_the_smallest_plan() -> None:
    time, slept = 0.0, 0.0

    async def sleep(seconds: float) -> None:
        nonlocal time, slept
        time, slept = time + seconds, slept + seconds

    pace = Pace(3, sleep, lambda: time)
    times = []
    for _ in range(10):
        await pace.wait()
        times.append(time)
        time += 1

    assert PER_MINUTE < 500
    assert max(sum(start <= it < start + 60 for it in times) for start in times) == 3
    assert slept < 180


async def test_of_a_service_that_dies_it_is_told_what_is_left_and_how_to_remove_it(
    live: StandIn,
) -> None:
    before = {*live.contents}
    requests = 0

    def die(request: web.Request) -> None:
        nonlocal requests
        requests += 1
        if requests > 40 and request.transport:
            request.transport.abort()

    live.before = die
    run = await live.verify("users", "tokens")
    live.before = lambda _request: None

    assert differing(run) == {}
    assert not run.is_complete
    assert len(run.outcomes) == run.plan.size
    assert run.outcomes[-1].reason.startswith("the service no longer answers: ")
    created = {*live.contents} - before
    assert created
    assert created <= {one.partition("/")[2] for one in run.made.left}

    again = Run(live.plan(prefix=run.plan.prefix), sleep=live.sleep)
    await again.remove()
    assert again.made.left == []


async def test_an_interrupted_run_removes_what_it_has_created(live: StandIn) -> None:
    run = Run(live.plan("users", "keys", "roles"), sleep=live.sleep)
    task = asyncio.create_task(run.play())

    def interrupt(request: web.Request) -> None:
        if request.method == "PUT" and "/roles/" in request.path:
            task.cancel()

    live.before = interrupt
    with pytest.raises(asyncio.CancelledError):
        await task

    assert {one.group for one in run.outcomes} == {"users", "keys"}
    assert run.made.left == []


async def test_a_run_refuses_keys_that_are_not_what_they_are_said_to_be(live: StandIn) -> None:
    rows = {
        ("NO_KEY", "AUTH_KEY"): "--rest-api-key: .* refuses the key: AUTH_ERR_APIKEY_NOT_FOUND",
        ("API_KEY", "AUTH_KEY"): "--rest-api-key: the key has no full access: AUTH_ERR_NO_ACCESS",
        ("REST_API_KEY", "NO_KEY"): "--auth-key: .* refuses the key: AUTH_ERR_APIKEY_NOT_FOUND",
    }
    for (rest_key, auth_key), message in rows.items():
        with pytest.raises(VerifyError, match=message) as refused:
            await live.verify("users", rest_key=rest_key, auth_key=auth_key)
        assert "NO_KEY" not in str(refused.value)

    gone = Plan(place=Place("APP_ID", base_url="http://127.0.0.1:1"), rest_key="REST_API_KEY")
    with pytest.raises(VerifyError, match=r"127\.0\.0\.1:1 cannot be asked: "):
        await Run(gone, sleep=live.sleep).play()


async def test_what_a_run_records_is_replayed_without_a_difference(
    live: StandIn, serve: Serve, clock: Clock, tmp_path: Path
) -> None:
    run = await live.verify("refusals", "users", "keys")

    paths = cassette.write(str(tmp_path), run)

    assert [path.stem for path in paths] == [*run.plan.groups]
    for path in paths:
        assert await replay(serve, clock, read_recording(path)) == [], path.name


async def test_without_the_auth_key_or_to_read_only_the_rest_is_asked(live: StandIn) -> None:
    run = await live.verify(auth_key="", read_only=True)

    asked = [one for one in run.outcomes if one.verdict is not Verdict.NOT_ASKED]
    assert {one.probe.method for one in asked} == {"GET"}
    assert len(asked) > 20
    reasons = {one.reason for one in run.outcomes} - {""}
    assert reasons == {"it needs more than to read", "it needs --auth-key"}
    assert run.agrees
    assert run.made.left == []

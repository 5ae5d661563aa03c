"""Which exchanges faults strike and which never; how they are made, listed and removed."""

from typing import Any

import pytest
from aiohttp import ClientConnectionError

from mockchat.core.fault_kinds import KINDS
from mockchat.core.faults import PRESETS
from tests.answers import body_of, details_of, error_of
from tests.faulty import Recorder, add_fault
from tests.helpers import journal_of
from tests.sessions import by_token, issue_token
from tests.values import REST_KEY, Client, Serve


async def status(client: Client, path: str, method: str = "GET", **options: Any) -> int:
    return (await client.request(method, path, **{"headers": REST_KEY, **options})).status


# --- which ----------------------------------------------------------------------------------
PATHS = ["/users", "/users/superhero1", "/users/superhero1/friends", "/roles"]
STRUCK: list[tuple[dict[str, str], list[str]]] = [
    ({}, PATHS),
    ({"path": "/users/{uid}"}, ["/users/superhero1"]),
    ({"path": "/v3/users/**"}, PATHS[:3]),
    ({"operation": "list_roles"}, ["/roles"]),
    ({"uid": "SUPERHERO1"}, ["/users/superhero1", "/users/superhero1/friends"]),
    ({"uid": "superhero1", "path": "/users/*"}, ["/users/superhero1"]),
    ({"method": "post"}, []),
    ({"uid": "superhero2"}, []),
]


async def test_a_fault_strikes_what_it_matches(client: Client) -> None:
    for match, struck in STRUCK:
        for knobs in (match, {"match": match}):
            made = await add_fault(client, "error", status=503, **knobs)
            found = [path for path in PATHS if await status(client, path) == 503]
            assert found == struck, knobs
            await body_of(client.delete(f"/_mock/faults/{made['id']}"))


async def test_a_uid_is_that_of_path_body_or_auth_token(client: Client) -> None:
    token = await issue_token(client, "superhero1")
    await add_fault(client, "error", status=503, uid="superhero1")
    login = {"uid": "superhero1"}

    struck = [
        await status(client, "/users/SUPERHERO1"),
        await status(client, "/me", headers=by_token(token)),
        await status(client, "/login", "POST", json=login),
        await status(client, "/login", "POST", data=login),
        await status(client, "/login", "POST", json={"authToken": token}, headers={}),
    ]

    assert struck == [503] * 5


async def test_versions_and_prefixes_make_no_difference(client: Client) -> None:
    await add_fault(client, "error", status=503, path="/me")

    paths = ["/me", "/v3/me", "/v3.0//me", "/v2.0/me", "/apps/APP_ID/v3/me"]

    assert [await status(client, path) for path in paths] == [503] * 5


async def test_a_fault_strikes_before_credential_path_and_app_are_looked_at(serve: Serve) -> None:
    client = await serve(strict_apps=True)
    await add_fault(client, "error", status=503)

    for path in ("/users", "/nope"):
        for headers in ({}, {"appId": "UNKNOWN"}):
            assert await status(client, path, headers=headers) == 503


async def test_a_request_that_is_struck_costs_no_quota_and_changes_nothing(serve: Serve) -> None:
    client = await serve(rate_limit=1)
    await add_fault(client, "error", status=503, times=3)
    new = {"uid": "new", "name": "New"}

    statuses = [await status(client, "/users", "POST", json=new) for _ in range(3)]
    statuses += [await status(client, "/users/new") for _ in range(2)]

    assert statuses == [503, 503, 503, 404, 429]


# --- which never ----------------------------------------------------------------------------
async def test_neither_preflights_nor_the_control_api_are_struck(client: Client) -> None:
    for kind in ("reset", "wrong_app"):
        await add_fault(client, kind)
        for method, path in (("OPTIONS", "/users"), ("GET", "/_mock/faults")):
            headers = {"Origin": str(client.make_url("/")).rstrip("/"), "X-Mock-Fault": kind}
            headers["Access-Control-Request-Method"] = "GET"

            response = await client.request(method, path, headers=headers)

            assert (response.status, "X-Mock-Fault" in response.headers) == (200, False)
        assert [row["struck"] for row in await response.json()] == [0]
        await body_of(client.delete("/_mock/faults"))


# --- apps -----------------------------------------------------------------------------------
async def test_a_fault_of_one_app_strikes_no_other_and_one_without_an_app_all(
    client: Client,
) -> None:
    knobs: list[dict[str, Any]] = [{"app": "one"}, {"app": "ONE"}, {"match": {"app": "one"}}, {}]
    for knob in knobs:
        made = await add_fault(client, "error", status=503, **knob)

        mine = [
            await status(client, "/users", headers={**REST_KEY, "appId": "one"}),
            await status(client, "/apps/One/v3/users"),
            await status(client, "/users", headers={"Host": "one.api-us.cometchat.io"}),
        ]
        others = [
            await status(client, "/users", headers={**REST_KEY, "appId": "two"}),
            await status(client, "/users"),
        ]

        assert (mine, others) == ([503] * 3, [200 if knob else 503] * 2), knob
        await body_of(client.delete(f"/_mock/faults/{made['id']}"))


async def test_a_fault_that_looks_for_a_uid_reads_no_other_app_s_bodies(client: Client) -> None:
    await add_fault(client, "error", status=503, uid="superhero1", app="one")
    headers = {**REST_KEY, "Content-Type": "application/json"}

    assert await status(client, "/users/superhero1", data="{", headers=headers) == 200


async def test_the_faults_of_an_app_are_listed_and_removed_or_reset_by_themselves(
    client: Client,
) -> None:
    for app in ({"app": "one"}, {"app": "two"}, {}):
        await add_fault(client, "latency", delay="1ms", **app)

    listed = await body_of(client.get("/_mock/faults", params={"app": "one"}))
    await body_of(client.delete("/_mock/faults", params={"app": "one"}))
    left = await body_of(client.get("/_mock/faults"))
    await body_of(client.post("/_mock/reset", json={"app": "two"}))

    assert [row["app"] for row in listed] == ["one"]
    assert [row.get("app") for row in left] == ["two", None]
    assert [row["id"] for row in await body_of(client.get("/_mock/faults"))] == [3]


# --- by header ------------------------------------------------------------------------------
async def test_a_header_asks_for_one_fault_or_several_of_one_request(serve: Serve) -> None:
    recorder = Recorder()
    client = await serve(sleep=recorder)
    asked = "latency=200ms, error=MY_OWN;status=418;message=No"
    headers = {"Origin": "https://app.example", "X-Mock-Fault": asked}

    response = await client.get("/users", headers=headers)

    assert (response.status, recorder.slept) == (418, [0.2])
    assert response.headers["X-Mock-Fault"] == "latency, error"  # which a page may ask for and read
    assert response.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert (await response.json())["error"]["code"] == "MY_OWN"
    assert await status(client, "/users") == 200


async def test_a_header_that_means_nothing_is_refused_with_the_reason(client: Client) -> None:
    for asked in ("nope", "latency=soon", "ws_close", "error=NOPE", "reset=1"):
        headers = {**REST_KEY, "X-Mock-Fault": asked}
        assert list(await details_of(client.get("/users", headers=headers))) == ["X-Mock-Fault"]


# --- what is told ---------------------------------------------------------------------------
async def test_the_journal_notes_the_fault_and_what_was_sent(client: Client) -> None:
    await add_fault(client, "error", status=503, times=1)
    await status(client, "/users", "POST", json={"uid": "new"})
    await add_fault(client, "key_revoked", times=1)
    await status(client, "/users")
    unstruck = await client.get("/users", headers=REST_KEY)

    noted, *others = await journal_of(client)

    assert (noted["status"], noted["faults"], noted["uid"]) == (503, ["error"], "new")
    assert noted["request"]["body"] == {"uid": "new"}
    assert noted["code"] == "MOCK_FAULT_503"
    assert [one.get("faults") for one in others] == [["key_revoked"], None]
    assert "X-Mock-Fault" not in unstruck.headers


async def test_the_journal_has_what_was_sent_where_it_was_no_answer(client: Client) -> None:
    for kind in ("reset", "empty"):
        await add_fault(client, kind)
        with pytest.raises(ClientConnectionError):
            await status(client, "/users")
        noted = (await journal_of(client, status=0))[-1]
        assert (noted["faults"], noted["response"]["body"]) == ([kind], None)
        await body_of(client.delete("/_mock/faults"))

    await add_fault(client, "malformed")
    text = await (await client.get("/users", headers=REST_KEY)).text()
    assert (await journal_of(client))[-1]["response"]["body"] == text


# --- making them ----------------------------------------------------------------------------
async def test_a_fault_is_shown_as_it_was_made_and_counts(client: Client) -> None:
    knobs = {"times": 2, "after": 1, "probability": 0.5, "randomSeed": 1}
    made = await add_fault(
        client, "latency", delay="0", jitter=0, path="/users", uid="u1", app="one", **knobs
    )
    await status(client, "/users", headers={"appId": "one"})

    assert await body_of(client.get("/_mock/faults")) == [made]
    assert made == {
        "id": 1,
        "kind": "latency",
        "parameters": {"delay": 0, "jitter": 0},
        "match": {"path": "/users", "uid": "u1"},
        "app": "one",
        "probability": 0.5,
        "times": 2,
        "after": 1,
        "seen": 0,
        "struck": 0,
    }
    await add_fault(client, "error", status=503, times=2, after=1)
    assert [await status(client, "/users") for _ in range(4)] == [200, 503, 503, 200]
    _, counted = await body_of(client.get("/_mock/faults"))
    assert (counted["seen"], counted["struck"]) == (3, 2)


async def test_the_kinds_are_listed_with_their_parameters(client: Client) -> None:
    rows = await body_of(client.get("/_mock/faults/kinds"))

    assert [row["kind"] for row in rows] == [*KINDS, *PRESETS]
    close = next(row for row in rows if row["kind"] == "ws_close")
    assert close["channel"] == "websocket"
    assert [one["name"] for one in close["parameters"]] == ["closeCode", "delay"]


NO_FAULTS: list[Any] = [
    *[({}, "kind"), ({"kind": "lag"}, "kind"), ({"kind": "error"}, "code")],
    *[({"times": 0}, "times"), ({"times": -1}, "times"), ({"times": 10**30}, "times")],
    *[({"after": -1}, "after"), ({"probability": 1.1}, "probability")],
    *[({"probability": "x"}, "probability"), ({"delay": -1}, "delay")],
    *[({"delay": "1y"}, "delay"), ({"delay": 10**9 + 1}, "delay"), ({"colour": 1}, "colour")],
    *[({"closeCode": 1011}, "closeCode"), ({"match": {"colour": 1}}, "match.colour")],
    *[({"match": []}, "match"), ({"randomSeed": "x"}, "randomSeed")],
    *[({"path": "/x" * 1000}, "path"), ({"kind": "token_expired", "delay": 1}, "delay")],
    *[({"kind": "error", "status": 500, "message": "x" * 501}, "message")],
    *[({"kind": "ws_close", "closeCode": code}, "closeCode") for code in (999, 5000)],
]


async def test_a_fault_that_cannot_be_is_refused_by_name(client: Client) -> None:
    for knobs, field in NO_FAULTS:
        body = {"kind": "latency", **knobs} if knobs else {}
        assert list(await details_of(client.post("/_mock/faults", json=body))) == [field]
    assert await body_of(client.get("/_mock/faults")) == []


async def test_a_removed_fault_strikes_no_more_and_others_cannot_be_removed(client: Client) -> None:
    made = await add_fault(client, "error", status=503, app="one")
    for name in ("x", "0", "99", "%20", f"{made['id']}?app=two"):
        await error_of(client.delete(f"/_mock/faults/{name}"), 404)
    assert await status(client, "/apps/one/users") == 503

    await body_of(client.delete(f"/_mock/faults/{made['id']}"))

    assert await status(client, "/apps/one/users") == 200


async def test_a_body_may_be_cut_before_its_first_byte(client: Client) -> None:
    rule = await add_fault(client, "truncated", arriving=0)

    assert rule["parameters"] == {"arriving": 0}

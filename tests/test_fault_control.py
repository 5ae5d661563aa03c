"""Which exchanges faults strike and which never; how they are made, listed and removed."""

import json
from typing import Any

import pytest
from aiohttp import ClientConnectionError

from mockchat.core import errors
from mockchat.core.fault_kinds import KINDS
from mockchat.core.faults import PRESETS
from tests.faulty import Recorder, add_fault
from tests.helpers import (
    REST_KEY,
    Client,
    Serve,
    assert_error,
    body_of,
    by_token,
    details_of,
    error_of,
    issue_token,
)


async def status(client: Client, path: str, method: str = "GET", **options: Any) -> int:
    return (await client.request(method, path, **{"headers": REST_KEY, **options})).status


async def exchanges(client: Client, **wanted: str) -> list[Any]:
    found: list[Any] = (await body_of(client.get("/_mock/journal", params=wanted)))["exchanges"]
    return found


# --- which ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("match", "struck"),
    [
        ({}, ["/users", "/users/superhero1", "/users/superhero1/friends", "/roles"]),
        ({"path": "/users/{uid}"}, ["/users/superhero1"]),
        ({"path": "/v3/users/**"}, ["/users", "/users/superhero1", "/users/superhero1/friends"]),
        ({"operation": "list_roles"}, ["/roles"]),
        ({"uid": "SUPERHERO1"}, ["/users/superhero1", "/users/superhero1/friends"]),
        ({"uid": "superhero1", "path": "/users/*"}, ["/users/superhero1"]),
        ({"method": "post"}, []),
        ({"uid": "superhero2"}, []),
    ],
)
@pytest.mark.parametrize("nested", [True, False])
async def test_a_fault_strikes_what_it_matches(
    client: Client, match: dict[str, str], struck: list[str], *, nested: bool
) -> None:
    knobs: dict[str, Any] = {"match": match} if nested else match
    await add_fault(client, "error", status=503, **knobs)
    paths = ["/users", "/users/superhero1", "/users/superhero1/friends", "/roles"]

    assert [path for path in paths if await status(client, path) == 503] == struck


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


async def test_a_fault_strikes_before_the_credential_is_looked_at(client: Client) -> None:
    await add_fault(client, "error", status=503)

    assert await status(client, "/users", headers={}) == 503


async def test_a_fault_strikes_unknown_paths_too(client: Client) -> None:
    await add_fault(client, "error", status=503)

    assert await status(client, "/nope") == 503


async def test_a_fault_of_all_apps_strikes_before_the_app_is_looked_for(serve: Serve) -> None:
    client = await serve(strict_apps=True)
    await add_fault(client, "error", status=503)

    for headers in ({}, {"appId": "UNKNOWN"}):
        assert await status(client, "/users", headers=headers) == 503


async def test_a_request_that_is_struck_costs_no_quota(serve: Serve) -> None:
    client = await serve(rate_limit=1)
    await add_fault(client, "error", status=503, times=3)

    assert [await status(client, "/users") for _ in range(5)] == [503, 503, 503, 200, 429]


async def test_a_struck_change_changes_nothing(client: Client) -> None:
    await add_fault(client, "error", status=503)
    await status(client, "/users", "POST", json={"uid": "new", "name": "New"})
    await body_of(client.delete("/_mock/faults"))

    await assert_error(client.get("/users/new", headers=REST_KEY), errors.UID_NOT_FOUND)


# --- which never ----------------------------------------------------------------------------
async def test_preflights_are_not_struck(client: Client) -> None:
    await add_fault(client, "error", status=503, times=1)
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}

    response = await client.options("/users", headers={**headers, "X-Mock-Fault": "reset"})

    assert response.status == 200
    assert "X-Mock-Fault" not in response.headers
    assert await status(client, "/users") == 503


@pytest.mark.parametrize("kind", ["reset", "wrong_app"])
async def test_the_control_api_is_not_struck(client: Client, kind: str) -> None:
    await add_fault(client, kind)

    response = await client.get("/_mock/faults", headers={"X-Mock-Fault": kind})

    assert response.status == 200
    assert [row["struck"] for row in await response.json()] == [0]


async def test_a_page_may_ask_for_a_fault_and_can_read_what_struck(client: Client) -> None:
    headers = {"Origin": "https://app.example", "X-Mock-Fault": "error=503"}

    response = await client.get("/users", headers=headers)

    assert response.status == 503
    assert response.headers["Access-Control-Allow-Origin"] == "https://app.example"


# --- apps -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "knobs", [{"app": "one"}, {"app": "ONE"}, {"match": {"app": "one"}}], ids=str
)
async def test_a_fault_of_one_app_strikes_no_other(client: Client, knobs: dict[str, Any]) -> None:
    await add_fault(client, "error", status=503, **knobs)

    by_app = {
        "one": await status(client, "/users", headers={**REST_KEY, "appId": "one"}),
        "prefix": await status(client, "/apps/One/v3/users"),
        "host": await status(client, "/users", headers={"Host": "one.api-us.cometchat.io"}),
        "two": await status(client, "/users", headers={**REST_KEY, "appId": "two"}),
        "default": await status(client, "/users"),
    }

    assert by_app == {"one": 503, "prefix": 503, "host": 503, "two": 200, "default": 200}


async def test_a_fault_that_looks_for_a_uid_reads_no_other_app_s_bodies(client: Client) -> None:
    await add_fault(client, "error", status=503, uid="superhero1", app="one")
    headers = {**REST_KEY, "Content-Type": "application/json"}

    assert await status(client, "/users/superhero1", data="{", headers=headers) == 200


async def test_a_fault_without_an_app_strikes_all(client: Client) -> None:
    await add_fault(client, "error", status=503)

    for app_id in ("one", "two", "APP_ID"):
        assert await status(client, "/users", headers={"appId": app_id}) == 503


async def test_the_faults_of_an_app_are_listed_and_removed_by_themselves(client: Client) -> None:
    for app in ({"app": "one"}, {"app": "two"}, {}):
        await add_fault(client, "latency", delay="1ms", **app)

    listed = await body_of(client.get("/_mock/faults", params={"app": "one"}))
    await body_of(client.delete("/_mock/faults", params={"app": "one"}))
    left = await body_of(client.get("/_mock/faults"))

    assert [row["app"] for row in listed] == ["one"]
    assert [row.get("app") for row in left] == ["two", None]


async def test_a_reset_of_an_app_leaves_the_faults_of_others(client: Client) -> None:
    for app in ({"app": "one"}, {}):
        await add_fault(client, "error", status=503, **app)

    await body_of(client.post("/_mock/reset", json={"app": "one"}))

    assert [row["id"] for row in await body_of(client.get("/_mock/faults"))] == [2]


async def test_a_reset_of_everything_removes_all_faults(client: Client) -> None:
    for app in ({"app": "one"}, {}):
        await add_fault(client, "error", status=503, **app)

    await body_of(client.post("/_mock/reset"))

    assert await body_of(client.get("/_mock/faults")) == []


# --- by header ------------------------------------------------------------------------------
async def test_a_header_asks_for_a_fault_of_one_request(client: Client) -> None:
    headers = {**REST_KEY, "X-Mock-Fault": "error=ERR_UID_NOT_FOUND"}

    statuses = [
        await status(client, "/users", headers=headers),
        await status(client, "/users"),
    ]

    assert statuses == [404, 200]


async def test_a_header_may_ask_for_several(serve: Serve) -> None:
    recorder = Recorder()
    client = await serve(sleep=recorder)
    headers = {"X-Mock-Fault": "latency=200ms, error=MY_OWN;status=418;message=No"}

    response = await client.get("/users", headers=headers)

    assert (response.status, recorder.slept) == (418, [0.2])
    assert response.headers["X-Mock-Fault"] == "latency, error"
    assert (await response.json())["error"]["code"] == "MY_OWN"


@pytest.mark.parametrize("asked", ["nope", "latency=soon", "ws_close", "error=NOPE", "reset=1"])
async def test_a_header_that_means_nothing_is_refused_with_the_reason(
    client: Client, asked: str
) -> None:
    details = await details_of(client.get("/users", headers={**REST_KEY, "X-Mock-Fault": asked}))

    assert list(details) == ["X-Mock-Fault"]


# --- what is told ---------------------------------------------------------------------------
async def test_the_journal_notes_the_fault_and_what_was_sent(client: Client) -> None:
    await add_fault(client, "error", status=503)
    await status(client, "/users", "POST", json={"uid": "new"})

    (noted,) = await exchanges(client, path="/users")

    assert (noted["status"], noted["faults"], noted["uid"]) == (503, ["error"], "new")
    assert noted["request"]["body"] == {"uid": "new"}
    assert noted["code"] == "MOCK_FAULT_503"


async def test_the_journal_names_presets_by_their_names(client: Client) -> None:
    await add_fault(client, "key_revoked")
    await status(client, "/users")

    assert [noted["faults"] for noted in await exchanges(client)] == [["key_revoked"]]


@pytest.mark.parametrize("kind", ["reset", "empty"])
async def test_the_journal_knows_of_a_request_without_an_answer(client: Client, kind: str) -> None:
    await add_fault(client, kind)
    with pytest.raises(ClientConnectionError):
        await status(client, "/users")

    noted = (await exchanges(client, status="0"))[-1]

    assert (noted["faults"], noted["response"]["body"]) == ([kind], None)


async def test_the_journal_has_the_misshapen_body_as_it_was_sent(client: Client) -> None:
    await add_fault(client, "malformed")
    text = await (await client.get("/users", headers=REST_KEY)).text()

    (noted,) = await exchanges(client)

    assert noted["response"]["body"] == text
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)


async def test_an_answer_that_nothing_struck_says_nothing_of_faults(client: Client) -> None:
    await add_fault(client, "error", status=503, after=1)

    response = await client.get("/users", headers=REST_KEY)

    assert "X-Mock-Fault" not in response.headers
    assert [noted.get("faults") for noted in await exchanges(client)] == [None]


# --- making them ----------------------------------------------------------------------------
async def test_a_fault_is_shown_as_it_was_made_and_counts(client: Client) -> None:
    knobs = {"times": 2, "after": 1, "probability": 0.5, "randomSeed": 1}
    made = await add_fault(
        client, "latency", delay="0", jitter=0, path="/users", uid="u1", app="one", **knobs
    )
    await status(client, "/users", headers={"appId": "one"})

    (listed,) = await body_of(client.get("/_mock/faults"))

    assert (
        listed
        == made
        == {
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
    )


async def test_a_fault_that_strikes_is_counted_in_the_list(client: Client) -> None:
    await add_fault(client, "error", status=503, times=2, after=1)

    statuses = [await status(client, "/users") for _ in range(4)]
    (listed,) = await body_of(client.get("/_mock/faults"))

    assert statuses == [200, 503, 503, 200]
    assert (listed["seen"], listed["struck"]) == (3, 2)


async def test_the_kinds_are_listed_with_their_parameters(client: Client) -> None:
    rows = await body_of(client.get("/_mock/faults/kinds"))

    assert [row["kind"] for row in rows] == [*KINDS, *PRESETS]
    close = next(row for row in rows if row["kind"] == "ws_close")
    assert close["channel"] == "websocket"
    assert [one["name"] for one in close["parameters"]] == ["closeCode", "delay"]


@pytest.mark.parametrize(
    ("knobs", "field"),
    [
        *[({}, "kind"), ({"kind": "lag"}, "kind"), ({"kind": "error"}, "code")],
        *[({"times": 0}, "times"), ({"times": -1}, "times"), ({"times": 10**30}, "times")],
        *[({"after": -1}, "after"), ({"probability": 1.1}, "probability")],
        *[({"probability": "x"}, "probability"), ({"delay": -1}, "delay")],
        *[({"delay": "1y"}, "delay"), ({"delay": 10**9 + 1}, "delay"), ({"colour": 1}, "colour")],
        *[({"closeCode": 1011}, "closeCode"), ({"match": {"colour": 1}}, "match.colour")],
        *[({"match": []}, "match"), ({"randomSeed": "x"}, "randomSeed")],
        *[({"path": "/x" * 1000}, "path"), ({"kind": "token_expired", "delay": 1}, "delay")],
        *[({"kind": "error", "status": 500, "message": "x" * 501}, "message")],
    ],
)
async def test_a_fault_that_cannot_be_is_refused_by_name(
    client: Client, knobs: dict[str, Any], field: str
) -> None:
    body = {"kind": "latency", **knobs} if knobs else {}

    details = await details_of(client.post("/_mock/faults", json=body))

    assert list(details) == [field]
    assert await body_of(client.get("/_mock/faults")) == []


async def test_a_removed_fault_strikes_no_more(client: Client) -> None:
    made = await add_fault(client, "error", status=503)

    await body_of(client.delete(f"/_mock/faults/{made['id']}"))

    assert await status(client, "/users") == 200


@pytest.mark.parametrize("name", ["1", "x", "0", "%20"])
async def test_a_fault_that_is_not_there_cannot_be_removed(client: Client, name: str) -> None:
    await error_of(client.delete(f"/_mock/faults/{name}"), 404)


async def test_a_fault_of_another_app_cannot_be_removed(client: Client) -> None:
    made = await add_fault(client, "error", status=503, app="one")

    await error_of(client.delete(f"/_mock/faults/{made['id']}", params={"app": "two"}), 404)

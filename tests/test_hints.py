"""`X-Mock-Hint`: what came nearest to being right, told beside the refusal."""

import difflib
import json
from collections.abc import Iterable
from typing import Any

import pytest
from aiohttp import ServerDisconnectedError
from hypothesis import given
from hypothesis import strategies as st

from mockchat.api import OPERATIONS
from tests.faulty import add_fault
from tests.helpers import journal_of
from tests.laws import operation_of
from tests.raw import get_as_encoded
from tests.rows import each_row
from tests.strategies import hostile
from tests.values import FORM, REST_KEY, Client


async def hint_of(client: Client, method: str, path: str, **options: Any) -> str | None:
    response = await client.request(method, path, **options)
    assert response.status != 500
    return response.headers.get("X-Mock-Hint")


# --- paths and methods ----------------------------------------------------------------------
@each_row(
    ("method", "path", "hint"),
    [
        ("GET", "/user", "the nearest is GET /users (list_users)"),
        ("POST", "/v3/user", "the nearest is POST /users (create_user)"),
        (
            "POST",
            "/users/u1/auth_token",
            "the nearest is POST /users/{uid}/auth_tokens (create_auth_token)",
        ),
        (
            "POST",
            "/users/u1/authtokens",
            "the nearest is POST /users/{uid}/auth_tokens (create_auth_token)",
        ),
        ("GET", "/Users", "the nearest is GET /users (list_users)"),
        ("POST", "/signin", None),
        ("PATCH", "/users/u1", "this path has GET and PUT and DELETE, no PATCH"),
        ("POST", "/settings", "this path has GET, no POST"),
        ("GET", "/logout", "this path has POST, no GET"),
        ("POST", "/_mock/rest", "the nearest is POST /_mock/reset (reset)"),
        ("GET", "/_mock/reset", "this path has POST, no GET"),
        ("POST", "/_mock/snapshots/s1", "this path has GET and PUT and DELETE, no POST"),
    ],
)
async def test_an_unknown_path_is_told_the_nearest_operation_of_either_api(
    client: Client, method: str, path: str, hint: str | None
) -> None:
    assert await hint_of(client, method, path) == hint
    if not path.startswith("/_mock/"):
        assert (await journal_of(client))[-1].get("hint") == hint


@each_row("path", sorted({one.path for one in OPERATIONS if "{" not in one.path}))
async def test_a_path_that_lacks_a_letter_is_told_the_whole_one(client: Client, path: str) -> None:
    if any(operation_of(method, path[:-1]) for method in ("GET", "POST")):
        return  # to lack a letter is to be another path

    hint = await hint_of(client, "PATCH", path[:-1])

    assert hint
    assert hint.startswith("the nearest is ")
    assert f" {path} (" in hint


# --- credentials ----------------------------------------------------------------------------
@each_row(
    ("path", "headers", "hint"),
    [
        ("/users", {}, "the header apikey is missing"),
        ("/users", {"x-api-key": "K"}, "the header x-api-key was sent, but apikey is the one"),
        (
            "/users",
            {"Authorization": "Bearer very-secret"},
            "the header authorization was sent, but apikey is the one that is read, without Bearer",
        ),
        (
            "/roles",
            {"authToken": "T"},
            "the header authToken was sent, but this operation asks for",
        ),
        ("/me", {}, "the header authToken is missing"),
        ("/me", {"auth-token": "T"}, "the header auth-token was sent, but authToken is the one"),
        ("/me", REST_KEY, "the header apikey was sent, but this operation asks for authToken"),
    ],
)
async def test_a_missing_credential_is_told_by_its_header(
    client: Client, path: str, headers: dict[str, str], hint: str
) -> None:
    found = await hint_of(client, "GET", path, headers=headers) or ""
    assert found.startswith(hint)
    assert "very-secret" not in found  # a credential is told to nobody


async def test_a_credential_of_another_app_and_a_bearer_in_the_token_are_told(
    client: Client,
) -> None:
    answer = await client.post("/apps/one/v3/users/superhero1/auth_tokens", headers=REST_KEY)
    token = (await answer.json())["data"]["authToken"]
    told = "this auth token is one of the app one, and the request is for the app two"

    for method, path, options in (
        ("GET", "/apps/two/v3/me", {"headers": {"authToken": token}}),
        ("POST", "/apps/two/login", {"json": {"authToken": token}}),
    ):
        assert await hint_of(client, method, path, **options) == told
    unknown = {"headers": {"authToken": "no-such-token"}}
    assert await hint_of(client, "GET", "/apps/two/v3/me", **unknown) is None
    bearer = {"headers": {"authToken": f"Bearer {token}"}}
    for dialect in ("live", "documented"):
        bearer["headers"]["X-Mock-Errors"] = dialect
        found = await hint_of(client, "GET", "/apps/one/v3/me", **bearer)
        assert found == "authToken takes the auth token alone, without Bearer"


async def test_a_missing_field_of_a_form_is_told_as_well(client: Client) -> None:
    headers = {**REST_KEY, "Content-Type": FORM}

    hint = await hint_of(client, "POST", "/users", data="user_id=u1&name=x", headers=headers)

    assert hint == "the field uid is missing, but user_id was sent"


# --- fields ---------------------------------------------------------------------------------
@each_row(
    ("path", "body", "hint"),
    [
        ("/users", {"userId": "u1", "name": "x"}, "the field uid is missing, but userId was sent"),
        ("/users", {"uid": "u1", "Name": "x"}, "the field name is missing, but Name was sent"),
        ("/users", {"name": "x"}, "the field uid is missing"),
        ("/users", {"uid": "u1"}, "the field name is missing"),
        ("/users/superhero1/friends", {"accept": []}, "the field accepted is missing, but accept"),
        ("/users", {"uid": "u1", "name": ""}, None),
        ("/users", {"uid": "a b", "name": "x"}, None),
        ("/users", {"uid": "u1", "name": "x", "avatar": "no url"}, None),
    ],
)
async def test_a_missing_field_is_told_by_what_was_sent_for_it(
    client: Client, path: str, body: Any, hint: str | None
) -> None:
    found = await hint_of(client, "POST", path, json=body, headers=REST_KEY)

    assert (found or "").startswith(hint) if hint else found is None


@each_row(
    ("method", "path", "options"),
    [
        ("POST", "/users", {"data": b"x" * 20_000}),
        ("POST", "/users", {"data": b"{"}),
        ("POST", "/users", {"data": b"[1]"}),
        ("POST", "/users", {"headers": {**REST_KEY, "X-Mock-Fault": "nonsense"}}),
        ("GET", "/users", {"params": {"perPage": "1001"}}),
        ("GET", "/users", {"headers": {**REST_KEY, "Expect": "miracles"}}),
        ("GET", "/users", {}),
        ("GET", "/users/nobody", {}),
        ("POST", "/groups", {}),
    ],
)
async def test_a_success_and_what_lacks_no_field_get_no_hint_of_one(
    client: Client, method: str, path: str, options: Any
) -> None:
    assert await hint_of(client, method, path, **{"headers": REST_KEY, **options}) is None


# --- hostile input --------------------------------------------------------------------------
def is_a_header(hint: str | None) -> bool:
    return hint is None or (hint.isascii() and hint.isprintable() and len(hint) <= 300)


@hostile
@given(
    path=st.text(max_size=60),
    method=st.sampled_from(["GET", "POST", "PATCH"]),
    keys=st.lists(st.text(max_size=20) | st.sampled_from(["u\r\nid", "üid", "u" * 400])),
)
async def test_nothing_breaks_the_header(
    client: Client, path: str, method: str, keys: list[str]
) -> None:
    assert is_a_header(await hint_of(client, method, f"/users/{path}/x"))
    body = json.dumps(dict.fromkeys(keys, 1))
    assert is_a_header(await hint_of(client, "POST", "/users", data=body, headers=REST_KEY))


async def test_a_line_break_starts_no_header_and_too_long_a_path_gets_no_hint(
    client: Client,
) -> None:
    body = {"uid\r\nX-Evil: 1": "u1", "name": "x"}
    response = await client.post("/users", json=body, headers=REST_KEY)
    assert "X-Evil" not in response.headers
    assert response.headers["X-Mock-Hint"].startswith("the field uid is missing")

    response = await get_as_encoded(client, f"/users/{'a/' * 500}", {})
    assert response.status == 404
    assert "X-Mock-Hint" not in response.headers


async def test_of_many_wrong_fields_few_are_looked_at(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []

    def look(word: str, others: Iterable[str], **_: Any) -> list[str]:
        looks.extend(others)
        return []

    monkeypatch.setattr(difflib, "get_close_matches", look)
    body = {"friends": [True] * 500, **{f"fri{number}": 1 for number in range(400)}}

    await hint_of(client, "DELETE", "/users/superhero1/friends", json=body, headers=REST_KEY)
    await hint_of(client, "POST", "/users", json=body, headers=REST_KEY)

    assert len(looks) == 100  # keys, for the one field that is missing


async def test_the_same_wrong_path_is_looked_up_once(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hint_of(client, "GET", "/uzers")
    monkeypatch.setattr(difflib, "SequenceMatcher", None)

    assert await hint_of(client, "GET", "/uzers") == "the nearest is GET /users (list_users)"


# --- faults ---------------------------------------------------------------------------------
async def test_a_struck_answer_says_which_fault_it_was_and_how_to_remove_it(client: Client) -> None:
    fault = await add_fault(client, "latency", delay=0)
    told = f"fault {fault['id']} (latency) struck; it was added 0 s ago and struck {{}} so far; "
    told += f"DELETE /_mock/faults/{fault['id']} removes it"

    for times in ("1 time", "2 times"):
        assert await hint_of(client, "GET", "/users", headers=REST_KEY) == told.format(times)
    assert (await journal_of(client))[-1]["hint"] == told.format("2 times")
    await add_fault(client, "empty")
    with pytest.raises(ServerDisconnectedError):
        await hint_of(client, "GET", "/users", headers=REST_KEY)
    assert "(empty) struck" in (await journal_of(client))[-1]["hint"]

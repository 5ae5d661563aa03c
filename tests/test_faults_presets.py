"""The presets: faults in the words of a tester, met with either credential."""

import pytest

from mockchat.core import errors
from mockchat.core.errors import ErrorDef
from mockchat.core.faults import PRESETS
from tests.faulty import add_fault, proves
from tests.helpers import AUTH_KEY, REST_KEY, Client, Request, assert_error, by_token, issue_token

# What is asked, by which credential: (method, path, body).
SUMMARY = {
    "me": ("GET", "/me", None),
    "user by token": ("GET", "/users/superhero2", None),
    "user": ("GET", "/users/superhero1", None),
    "friends": ("GET", "/users/superhero1/friends", None),
    "users": ("GET", "/users", None),
    "token": ("POST", "/users/superhero1/auth_tokens", {}),
    "login": ("POST", "/login", {"uid": "superhero1"}),
    "create": ("POST", "/users", {"uid": "new", "name": "New"}),
}
BY_TOKEN = {"me", "user by token"}
# Who is struck by what; the others are answered as ever.
_DEAD_TOKENS = dict.fromkeys(BY_TOKEN, errors.AUTH_TOKEN_UNKNOWN)
STRUCK: dict[str, dict[str, ErrorDef]] = {
    "token_expired": _DEAD_TOKENS,
    "token_revoked": _DEAD_TOKENS,
    "key_revoked": dict.fromkeys(SUMMARY.keys() - BY_TOKEN, errors.KEY_UNKNOWN),
    "wrong_app": dict.fromkeys(SUMMARY, errors.APP_ID_INVALID),
    "wrong_region": dict.fromkeys(SUMMARY, errors.APP_ID_INVALID),
    "user_deactivated": {
        **_DEAD_TOKENS,
        **dict.fromkeys(("user", "friends", "token", "login"), errors.UID_NOT_FOUND),
    },
    "quota_reached": {"create": errors.QUOTA_REACHED},
    "login_in_progress": {"login": errors.LOGIN_IN_PROGRESS},
}
CASES = [(preset, asked) for preset in PRESETS for asked in SUMMARY]

each_case = pytest.mark.parametrize(("preset", "asked"), CASES)
each_dialect = pytest.mark.parametrize("dialect", ["documented", "live"])


def ask(client: Client, asked: str, token: str, **headers: str) -> Request:
    method, path, body = SUMMARY[asked]
    credential = by_token(token) if asked in BY_TOKEN else REST_KEY
    return client.request(method, path, json=body, headers={**credential, **headers})


@proves(*PRESETS)
@each_dialect
@each_case
async def test_a_preset_strikes_whom_it_means(
    client: Client, preset: str, asked: str, dialect: str
) -> None:
    token = await issue_token(client, "superhero1")
    await add_fault(client, preset)

    request = ask(client, asked, token, **{"X-Mock-Errors": dialect})

    if row := STRUCK[preset].get(asked):
        await assert_error(request, row, dialect)
    else:
        response = await request
        assert (response.status, response.headers.get("X-Mock-Fault")) == (200, None)


@each_case
async def test_a_preset_by_header_strikes_the_same(client: Client, preset: str, asked: str) -> None:
    token = await issue_token(client, "superhero1")

    response = await ask(client, asked, token, **{"X-Mock-Fault": preset})

    row = STRUCK[preset].get(asked)
    assert response.status == (row.documented.status if row else 200)
    assert response.headers.get("X-Mock-Fault") == (preset if row else None)


async def test_an_auth_only_key_is_revoked_too(client: Client) -> None:
    await add_fault(client, "key_revoked")

    request = client.post("/users/superhero1/auth_tokens", json={}, headers=AUTH_KEY)

    await assert_error(request, errors.KEY_UNKNOWN, key="AUTH_KEY")


async def test_a_preset_names_what_the_request_showed(client: Client) -> None:
    token = await issue_token(client, "superhero1")
    await add_fault(client, "token_expired")

    request = client.get("/me", headers=by_token(token))

    await assert_error(request, errors.AUTH_TOKEN_UNKNOWN, token=token)


async def test_a_preset_can_be_for_one_user_alone(client: Client) -> None:
    tokens = [await issue_token(client, uid) for uid in ("superhero1", "superhero2")]
    await add_fault(client, "token_expired", uid="SuperHero1")

    statuses = [(await client.get("/me", headers=by_token(token))).status for token in tokens]

    assert statuses == [401, 200]


async def test_the_requests_that_a_preset_does_not_mean_do_not_use_it_up(client: Client) -> None:
    token = await issue_token(client, "superhero1")
    await add_fault(client, "token_expired", times=1)

    statuses = [
        (await client.get("/users", headers=headers)).status
        for headers in (REST_KEY, by_token(token), by_token(token))
    ]

    assert statuses == [200, 401, 200]

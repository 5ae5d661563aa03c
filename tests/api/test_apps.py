"""Apps: how a request's app is found, and that apps never see each other (product 1)."""

from typing import Any

import pytest

from mockchat.core import errors
from tests.helpers import (
    AUTH_KEY,
    REST_KEY,
    Client,
    Serve,
    assert_error,
    body_of,
    by_token,
    data_of,
    each_row,
)


async def create_in(client: Client, uid: str, path: str = "/users", **headers: str) -> Any:
    request = client.post(path, json={"uid": uid, "name": "x"}, headers={**REST_KEY, **headers})
    return await data_of(request)


async def token_in(client: Client, app_id: str, uid: str = "superhero1") -> str:
    headers = {**AUTH_KEY, "appId": app_id}
    data = await data_of(client.post(f"/users/{uid}/auth_tokens", headers=headers))
    return str(data["authToken"])


def get_in(client: Client, uid: str, app_id: str) -> Any:
    return client.get(f"/users/{uid}", headers={**REST_KEY, "appId": app_id})


# --- which app ------------------------------------------------------------------------------
@each_row("name", ["appId", "appid", "APPID"])
async def test_the_header_names_the_app(client: Client, name: str) -> None:
    await create_in(client, "u1", **{name: "app1"})

    assert await data_of(get_in(client, "u1", "app1"))


@each_row("host", ["app1.api-us.cometchat.io", "APP1.apiclient-eu.cometchat.io:80"])
async def test_the_sub_domain_names_the_app(client: Client, host: str) -> None:
    await create_in(client, "u1", Host=host)

    assert await data_of(get_in(client, "u1", "app1"))


@each_row("path", ["/apps/app1/users", "/apps/app1/v3/users", "/apps//app1///users"])
async def test_the_path_names_the_app(client: Client, path: str) -> None:
    await create_in(client, "u1", path)

    assert await data_of(get_in(client, "u1", "app1"))


async def test_the_path_wins_over_the_sub_domain_over_the_header(client: Client) -> None:
    sub_domain, header = {"Host": "b.api-us.cometchat.io"}, {"appId": "c"}
    await create_in(client, "u1", "/apps/a/users", **sub_domain, **header)
    await create_in(client, "u2", **sub_domain, **header)
    await create_in(client, "u3", **header)

    assert await data_of(get_in(client, "u1", "a"))
    assert await data_of(get_in(client, "u2", "b"))
    assert await data_of(get_in(client, "u3", "c"))


async def test_an_auth_token_alone_names_its_app(client: Client) -> None:
    token = await token_in(client, "app1")

    me = await data_of(client.get("/me", headers=by_token(token)))

    assert me["wsChannel"]["identity"] == "[app1]SUPERHERO1"


async def test_the_header_wins_over_the_auth_token(client: Client) -> None:
    token = await token_in(client, "app1")

    request = client.get("/me", headers={**by_token(token), "appId": "app2"})

    await assert_error(request, errors.AUTH_TOKEN_UNKNOWN, token=token)


async def test_a_request_that_names_no_app_means_the_default_one(client: Client) -> None:
    await create_in(client, "u1")

    assert await data_of(get_in(client, "u1", "APP_ID"))


async def test_an_empty_header_names_no_app(client: Client) -> None:
    await create_in(client, "u1", appId=" ")

    assert await data_of(get_in(client, "u1", "APP_ID"))


async def test_an_app_s_id_is_looked_up_in_any_case(client: Client) -> None:
    await create_in(client, "u1", appId="MyApp")

    assert await data_of(get_in(client, "u1", "myapp"))


async def test_the_default_app_s_id_is_a_setting(serve: Serve) -> None:
    client = await serve(app_id="mine")
    await create_in(client, "u1")

    assert await data_of(get_in(client, "u1", "mine"))


async def test_a_new_app_starts_with_the_seeds(client: Client) -> None:
    answer = await body_of(client.get("/users", headers={**REST_KEY, "appId": "fresh"}))

    assert answer["meta"]["pagination"]["total"] == 10


@each_row("app_id", ["a b", "ä", "x" * 65, "a.b", "a/b"])
async def test_an_impossible_app_id_is_refused(client: Client, app_id: str) -> None:
    request = client.get("/users", headers={**REST_KEY, "appId": app_id})

    await assert_error(request, errors.APP_ID_INVALID)


# --- isolation ------------------------------------------------------------------------------
async def test_a_user_of_one_app_is_unknown_in_another(client: Client) -> None:
    await create_in(client, "u1", appId="a")

    await assert_error(get_in(client, "u1", "b"), errors.UID_NOT_FOUND, uid="u1")


async def test_a_change_in_one_app_leaves_the_other_s_seed_alone(client: Client) -> None:
    headers = {**REST_KEY, "appId": "a"}
    body = {"metadata": {"changed": True}, "tags": ["t"]}
    await data_of(client.put("/users/superhero1", json=body, headers=headers))

    other = await data_of(get_in(client, "superhero1", "b"))

    assert "metadata" not in other
    assert "tags" not in other


async def test_flushing_tokens_in_one_app_leaves_the_other_s_alone(client: Client) -> None:
    token = await token_in(client, "b")
    await token_in(client, "a")

    path = "/users/superhero1/auth_tokens"
    await data_of(client.delete(path, headers={**REST_KEY, "appId": "a"}))

    assert await data_of(client.get("/me", headers=by_token(token)))


async def test_two_apps_hand_out_different_tokens_for_one_uid(client: Client) -> None:
    assert await token_in(client, "a") != await token_in(client, "b")


async def test_each_app_counts_its_own_requests(serve: Serve) -> None:
    client = await serve(rate_limit=1)
    await data_of(get_in(client, "superhero1", "a"))

    await data_of(get_in(client, "superhero1", "b"))


# --- strict apps ----------------------------------------------------------------------------
@pytest.fixture
async def strict(serve: Serve) -> Client:
    return await serve(strict_apps=True)


@each_row("dialect", ["documented", "live"])
async def test_strict_apps_refuse_an_unknown_app(strict: Client, dialect: str) -> None:
    headers = {**REST_KEY, "appId": "other", "X-Mock-Errors": dialect}

    request = strict.get("/users", headers=headers)

    await assert_error(request, errors.APP_ID_INVALID, dialect, app_id="other")


@each_row("path", ["/apps/other/users", "/apps/other/v3/users"])
async def test_strict_apps_refuse_an_unknown_app_in_the_path(strict: Client, path: str) -> None:
    await assert_error(strict.get(path, headers=REST_KEY), errors.APP_ID_INVALID, app_id="other")


async def test_strict_apps_refuse_a_request_that_names_none(strict: Client) -> None:
    await assert_error(strict.get("/users"), errors.APP_ID_MISSING)


async def test_strict_apps_serve_the_app_by_its_id(strict: Client) -> None:
    assert await data_of(get_in(strict, "superhero1", "app_id"))


async def test_strict_apps_find_the_app_by_a_key_that_is_unique(strict: Client) -> None:
    assert await data_of(strict.get("/users/superhero1", headers=REST_KEY))


async def test_strict_apps_find_the_app_by_its_auth_token(strict: Client) -> None:
    token = await token_in(strict, "APP_ID")

    assert await data_of(strict.get("/me", headers=by_token(token)))


# --- any key --------------------------------------------------------------------------------
async def test_any_key_has_full_access_when_so_set(serve: Serve) -> None:
    client = await serve(any_key=True)

    assert await data_of(client.get("/users", headers={"apikey": "whatever"}))


async def test_an_auth_key_stays_one_where_any_key_is_accepted(serve: Serve) -> None:
    client = await serve(any_key=True)

    await assert_error(client.get("/users", headers=AUTH_KEY), errors.NO_ACCESS)


async def test_a_blank_key_is_no_key_even_where_any_is_accepted(serve: Serve) -> None:
    client = await serve(any_key=True)

    await assert_error(client.get("/users", headers={"apikey": " "}), errors.KEY_MISSING)


async def test_keys_are_settings(serve: Serve) -> None:
    client = await serve(auth_key=("mine",), rest_api_key=("full", "full2"))

    await assert_error(client.get("/users", headers={"apikey": "mine"}), errors.NO_ACCESS)
    assert await data_of(client.get("/users", headers={"apikey": "full2"}))
    await assert_error(client.get("/users", headers=REST_KEY), errors.KEY_UNKNOWN)

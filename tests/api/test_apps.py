"""Apps: how a request's app is found, and that apps never see each other (product 1)."""

import asyncio
from typing import Any

from mockchat.core import errors
from mockchat.wire.app import STORE
from tests.answers import assert_error, body_of, data_of
from tests.helpers import journal_of
from tests.rows import telling
from tests.sessions import auth_frame, by_token
from tests.values import AUTH_KEY, REST_KEY, Client, Serve


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
_APP1: list[tuple[str, dict[str, str]]] = [
    ("/users", {"appId": "app1"}),
    ("/users", {"appid": "app1"}),
    ("/users", {"APPID": "APP1"}),
    ("/users", {"Host": "app1.api-us.cometchat.io"}),
    ("/users", {"Host": "APP1.apiclient-eu.cometchat.io:80"}),
    ("/apps/app1/users", {}),
    ("/apps/app1/v3/users", {}),
    ("/apps//app1///users", {}),
]


async def test_header_sub_domain_or_path_name_the_app_in_any_case(client: Client) -> None:
    for number, (path, headers) in enumerate(_APP1):
        await create_in(client, f"u{number}", path, **headers)
        for app in ("app1", "App1"):
            with telling(path=path, headers=headers, app=app):
                assert await data_of(get_in(client, f"u{number}", app))


async def test_the_path_wins_over_the_sub_domain_over_the_header(client: Client) -> None:
    sub_domain, header = {"Host": "b.api-us.cometchat.io"}, {"appId": "c"}
    await create_in(client, "u1", "/apps/a/users", **sub_domain, **header)
    await create_in(client, "u2", **sub_domain, **header)
    await create_in(client, "u3", **header)

    assert await data_of(get_in(client, "u1", "a"))
    assert await data_of(get_in(client, "u2", "b"))
    assert await data_of(get_in(client, "u3", "c"))


async def test_an_auth_token_names_its_app_unless_the_header_does(client: Client) -> None:
    token = await token_in(client, "app1")

    me = await data_of(client.get("/me", headers=by_token(token)))
    other = client.get("/me", headers={**by_token(token), "appId": "app2"})

    assert me["wsChannel"]["identity"] == "[app1]superhero1"
    await assert_error(other, errors.AUTH_TOKEN_UNKNOWN, token=token)


async def test_a_request_that_names_no_app_means_the_default_one(serve: Serve) -> None:
    for app, settings in (("APP_ID", {}), ("mine", {"app_id": "mine"})):
        client = await serve(**settings)
        await create_in(client, "u1")
        await create_in(client, "u2", appId=" ")

        for uid in ("u1", "u2"):
            assert await data_of(get_in(client, uid, app)), app


async def test_a_new_app_starts_with_the_seeds_and_a_possible_id(client: Client) -> None:
    answer = await body_of(client.get("/users", headers={**REST_KEY, "appId": "fresh"}))

    assert answer["meta"]["pagination"]["total"] == 10
    for app_id in ("a b", "ä", "x" * 65, "a.b", "a/b"):
        request = client.get("/users", headers={**REST_KEY, "appId": app_id})
        await assert_error(request, errors.APP_ID_INVALID)


# --- isolation ------------------------------------------------------------------------------
async def test_a_change_in_one_app_is_none_in_another(client: Client) -> None:
    headers = {**REST_KEY, "appId": "a"}
    token, other_token = await token_in(client, "b"), await token_in(client, "a")
    body = {"metadata": {"changed": True}, "tags": ["t"]}

    await create_in(client, "u1", appId="a")
    await data_of(client.put("/users/superhero1", json=body, headers=headers))
    await data_of(client.delete("/users/superhero1/auth_tokens", headers=headers))

    await assert_error(get_in(client, "u1", "b"), errors.UID_NOT_FOUND, uid="u1")
    other = await data_of(get_in(client, "superhero1", "b"))
    assert not {"metadata", "tags"} & other.keys()
    assert token != other_token
    assert await data_of(client.get("/me", headers=by_token(token)))


# --- refused requests -----------------------------------------------------------------------
_KEY = {"apikey": "REST_API_KEY"}
_REFUSED: list[tuple[str, str, Any, dict[str, str]]] = [
    ("GET", "users", None, {}),
    ("GET", "users", None, {"apikey": "nonsense"}),
    ("GET", "users?page=x", None, _KEY),
    ("GET", "users/nobody", None, _KEY),
    ("GET", "nowhere", None, _KEY),
    ("GET", "me", None, {"authToken": "nonsense"}),
    ("POST", "users", {"name": "Ann"}, _KEY),
    ("POST", "users", {"uid": "superhero1", "name": "Ann"}, _KEY),
    ("POST", "users", {"uid": "ann", "name": "Ann"}, {**_KEY, "X-Mock-Fault": "error; status=503"}),
    ("POST", "login", {"uid": "nobody", "authKey": "AUTH_KEY"}, {}),
    ("POST", "messages", {}, _KEY),
    ("PUT", "_mock/snapshots/", None, {}),
    ("POST", "_mock/snapshots/none/restore", None, {}),
    ("POST", "_mock/seed", {"fixture": "nonsense"}, {}),
    ("POST", "_mock/faults", {"kind": "nonsense"}, {}),
]


async def test_a_refused_request_makes_no_app_and_is_in_the_journal(client: Client) -> None:
    clock = client.app[STORE].clock
    followers = len(clock.followers)
    for number, (method, path, body, headers) in enumerate(_REFUSED):
        for target in (f"/apps/new-{number}/{path}", f"/{path}"):
            named = {**headers, "appId": f"new-{number}"}
            answer = await client.request(method, target, json=body, headers=named)
            assert answer.status >= 400, (method, path)
    assert (await client.get("/", headers={"appId": "new"})).status == 200
    socket = await client.ws_connect("/")
    await socket.send_json(auth_frame("nonsense", "new"))
    assert (await socket.receive_json())["body"]["status"] == "ERR_NO_AUTH"

    state = await body_of(client.get("/_mock/state"))
    assert (list(state["apps"]), state["evicted"]) == (["APP_ID"], 0)
    assert len(clock.followers) == followers
    assert [one["status"] for one in await journal_of(client, app="new-0")] == [401, 401]
    for action in (client.delete("/_mock/journal"), client.post("/_mock/reset")):
        await body_of(action)
        assert not await journal_of(client)
        await client.get("/apps/new-0/users")


async def test_of_two_first_requests_at_once_the_refused_one_takes_nothing_away(
    serve: Serve,
) -> None:
    held, both = asyncio.Event(), asyncio.Event()

    async def sleep(_seconds: float) -> None:
        (both if held.is_set() else held).set()
        await both.wait()

    client = await serve(sleep=sleep, login_latency=1)
    refused, taken = (
        asyncio.create_task(log_in_by_key(client, uid)) for uid in ("nobody", "superhero1")
    )
    answers = [await refused, await taken]

    assert [answer.status for answer in answers] == [404, 200]
    token = (await answers[1].json())["data"]["authToken"]
    assert await data_of(client.get("/me", headers={**by_token(token), "appId": "new"}))


def log_in_by_key(client: Client, uid: str) -> Any:
    body = {"uid": uid, "authKey": "AUTH_KEY"}
    return client.post("/login", json=body, headers={"appId": "new"})


# --- strict apps ----------------------------------------------------------------------------
async def test_strict_apps_refuse_an_unknown_app_and_none(serve: Serve) -> None:
    strict = await serve(strict_apps=True)

    for dialect in ("documented", "live"):
        headers = {**REST_KEY, "X-Mock-Errors": dialect}
        for request in (
            strict.get("/users", headers={**headers, "appId": "other"}),
            strict.get("/apps/other/users", headers=headers),
            strict.get("/apps/other/v3/users", headers=headers),
        ):
            await assert_error(request, errors.APP_ID_INVALID, dialect, app_id="other", region="us")
    await assert_error(strict.get("/users"), errors.APP_ID_MISSING)


async def test_strict_apps_find_the_app_by_its_id_a_key_or_an_auth_token(serve: Serve) -> None:
    strict = await serve(strict_apps=True)

    assert await data_of(get_in(strict, "superhero1", "app_id"))
    assert await data_of(strict.get("/users/superhero1", headers=REST_KEY))
    token = await token_in(strict, "APP_ID")
    assert await data_of(strict.get("/me", headers=by_token(token)))


# --- keys -----------------------------------------------------------------------------------
async def test_any_key_but_a_blank_one_has_full_access_when_so_set(serve: Serve) -> None:
    """An auth key stays one."""
    client = await serve(any_key=True)

    assert await data_of(client.get("/users", headers={"apikey": "whatever"}))
    await assert_error(client.get("/users", headers=AUTH_KEY), errors.NO_ACCESS)
    await assert_error(client.get("/users", headers={"apikey": " "}), errors.KEY_MISSING)

    client = await serve(auth_key=("mine",), rest_api_key=("full", "full2"), rate_limit=1)
    await assert_error(client.get("/users", headers={"apikey": "mine"}), errors.NO_ACCESS)
    for app in ("a", "b"):  # each app counts its own requests
        assert await data_of(client.get(f"/apps/{app}/users", headers={"apikey": "full2"}))
    request = client.get("/apps/c/users", headers=REST_KEY)
    await assert_error(request, errors.KEY_UNKNOWN)

"""Known but unbuilt: empty lists, and refusals by name (product 3)."""

import re

from mockchat.api import MANAGEMENT, OPERATIONS, UNBUILT
from mockchat.api.operation import Operation
from mockchat.core import errors
from tests.answers import assert_error, body_of, data_of, details_of, error_of
from tests.helpers import create_user, journal_of
from tests.sessions import by_token, issue_token
from tests.values import AUTH_KEY, NOW, REST_KEY, Client, Serve

LISTS = [row for row in UNBUILT if row.query]


def path_of(operation: Operation) -> str:
    return re.sub(r"\{\w+\}", "superhero1", operation.path)


def test_an_app_past_login_finds_its_lists_and_nothing_is_both_built_and_unbuilt() -> None:
    built = {(row.method, row.path) for row in OPERATIONS}

    assert {row.path for row in LISTS} >= {"/groups", "/conversations", "/messages", "/calls"}
    assert [row for row in UNBUILT if (row.method, row.path) in built] == []


async def test_every_answer_has_the_form_that_every_sdk_can_read(client: Client) -> None:
    headers = by_token(await issue_token(client, "superhero1"))
    pages = {"total": 0, "count": 0, "per_page": 100, "current_page": 1, "total_pages": 1}

    for operation in UNBUILT:
        for dialect in ("documented", "live"):
            told = {**headers, "X-Mock-Errors": dialect}
            request = client.request(operation.method, path_of(operation), headers=told)
            if operation in LISTS:  # all but the newest SDK read a cursor unguarded
                empty = {"data": [], "meta": {"pagination": pages, "cursor": {}}}
                assert await body_of(request) == empty, operation.path
            else:
                name = f"{operation.method} {operation.path}"
                await assert_error(request, errors.NOT_BUILT, dialect, operation=name)


async def test_writes_are_answered_on_request_with_what_was_sent(serve: Serve) -> None:
    client = await serve(unbuilt="accept")
    writes = [row for row in UNBUILT if row.method != "GET"]

    for row in writes:
        name, path = f"{row.method} {row.path}", path_of(row)
        answer = await client.request(row.method, path, headers=REST_KEY, json={"a": [1]})
        data = (await answer.json())["data"]
        assert (data["a"], data["createdAt"]) == ([1], NOW), name
        assert data["id"] == "superhero1" if "{id}" in row.path else data["id"].isdigit(), name
        assert answer.headers["X-Mock-Unbuilt"] == name
    for row in UNBUILT:
        if row.method == "GET" and row not in LISTS:
            request = client.get(path_of(row), headers=REST_KEY)
            await assert_error(request, errors.NOT_BUILT, operation=f"GET {row.path}")


async def test_a_back_end_goes_on_after_creating_users_and_the_journal_has_its_writes(
    serve: Serve,
) -> None:
    client = await serve(unbuilt="accept")
    sent = {"guid": "g1", "name": "Group", "type": "public", "id": "mine"}

    group = await data_of(client.post("/groups", data=sent, headers=REST_KEY))
    ids = [
        (await data_of(client.post("/messages", headers={**REST_KEY, "onBehalfOf": "u"})))["id"]
        for _ in range(2)
    ]

    assert group == {**sent, "createdAt": NOW}
    assert ids[0] != ids[1]
    (kept,) = await journal_of(client, path="/groups")
    assert kept["response"]["body"] == {"data": group}
    assert ["X-Mock-Unbuilt", "POST /groups"] in kept["response"]["headers"]
    assert "body" in await details_of(client.post("/groups", data="{", headers=REST_KEY))
    await assert_error(client.post("/groups", headers=AUTH_KEY), errors.NO_ACCESS)
    await assert_error(client.post("/grooups", headers=REST_KEY), errors.API_NOT_FOUND)


async def test_an_empty_page_tells_the_size_that_was_asked_for(client: Client) -> None:
    answer = await body_of(client.get("/groups?per_page=30&page=2", headers=REST_KEY))

    assert answer["meta"]["pagination"]["per_page"] == 30
    assert answer["meta"]["pagination"]["current_page"] == 2


async def test_who_asks_is_checked_all_the_same(client: Client) -> None:
    for operation in UNBUILT:
        path = path_of(operation)
        await assert_error(client.request(operation.method, path), errors.KEY_MISSING)
        request = client.request(operation.method, path, headers=AUTH_KEY)
        await assert_error(request, errors.NO_ACCESS)


async def test_a_user_named_like_a_list_is_a_user(client: Client) -> None:
    await create_user(client, "messages")

    assert await data_of(client.get("/users/messages", headers=REST_KEY))


# --- services by live host names ------------------------------------------------------------
async def test_a_service_that_is_not_built_is_refused_by_its_name_and_not_passed_on(
    client: Client,
) -> None:
    for host, service in (
        ("app1.extensions-us.cometchat.io", "extensions"),
        ("apimgmt.cometchat.io", "apimgmt"),
        ("apimgmt-eu.cc-cluster-2.io", "apimgmt"),
        ("xmpp.rtcv5-in.cc-edge-2.io", "xmpp.rtcv5"),
        ("app1.files-au.cometchat.io:8443", "files"),
    ):
        for method, path in (("GET", "/"), ("POST", "/v3/users"), ("GET", "/v1/fetch")):
            request = client.request(method, path, headers={**REST_KEY, "Host": host})
            error = await error_of(request, 501)
            assert error["code"] == "MOCK_NOT_BUILT", host
            assert error["message"].startswith(f"The service {service} exists in the live "), host


async def test_each_path_of_the_management_host_is_refused_by_its_own_name(serve: Serve) -> None:
    client = await serve(unbuilt="accept")  # which does not count for what belongs to an account
    for row in MANAGEMENT:
        headers = {**REST_KEY, "Host": "apimgmt-us.cometchat.io"}
        error = await error_of(client.request(row.method, path_of(row), headers=headers), 501)
        name = f"{row.method} {row.path} of the service apimgmt"
        assert error["message"].startswith(f"{name} exists in the live "), name


async def test_any_two_letters_are_a_region_of_any_domain_of_the_live_service(
    client: Client,
) -> None:
    for domain in ("cometchat.io", "cc-cluster-2.io", "cc-edge-2.io"):
        headers = {**REST_KEY, "Host": f"app7.api-au.{domain}"}
        token = await data_of(client.post("/v3/users/superhero1/auth_tokens", headers=headers))
        login = client.put("/v3/me", json={}, headers={**by_token(token["authToken"]), **headers})
        settings = (await data_of(login))["settings"]

        assert settings["CLIENT_API_HOST"] == f"app7.apiclient-au.{domain}"
        assert (settings["REGION"], settings["MAIN_DOMAIN"]) == ("au", domain)
    assert list((await body_of(client.get("/_mock/state?app=app7")))["apps"]) == ["app7"]

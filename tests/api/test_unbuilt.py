"""Known but unbuilt: empty lists, and refusals by name (product 3)."""

import re

from mockchat.api import OPERATIONS, UNBUILT
from mockchat.api.operation import Operation
from mockchat.core import errors
from tests.helpers import (
    AUTH_KEY,
    REST_KEY,
    Client,
    assert_error,
    body_of,
    by_token,
    data_of,
    issue_token,
)

LISTS = [row for row in UNBUILT if row.query]
OTHERS = [row for row in UNBUILT if not row.query]


def path_of(operation: Operation) -> str:
    return re.sub(r"\{\w+\}", "superhero1", operation.path)


def test_nothing_is_both_built_and_unbuilt() -> None:
    built = {(row.method, row.path) for row in OPERATIONS}

    assert [row for row in UNBUILT if (row.method, row.path) in built] == []


def test_an_app_past_login_finds_its_lists() -> None:
    assert {row.path for row in LISTS} >= {"/groups", "/conversations", "/messages", "/calls"}


async def test_every_list_is_an_empty_page(client: Client) -> None:
    headers = by_token(await issue_token(client, "superhero1"))

    for operation in LISTS:
        answer = await body_of(client.get(path_of(operation), headers=headers))
        assert answer["data"] == []
        assert answer["meta"]["pagination"] == {
            "total": 0,
            "count": 0,
            "per_page": 100,
            "current_page": 1,
            "total_pages": 1,
        }


async def test_an_empty_page_tells_the_size_that_was_asked_for(client: Client) -> None:
    answer = await body_of(client.get("/groups?per_page=30&page=2", headers=REST_KEY))

    assert answer["meta"]["pagination"]["per_page"] == 30
    assert answer["meta"]["pagination"]["current_page"] == 2


async def test_everything_else_is_refused_by_name(client: Client) -> None:
    for operation in OTHERS:
        request = client.request(operation.method, path_of(operation), headers=REST_KEY)
        name = f"{operation.method} {operation.path}"
        await assert_error(request, errors.NOT_BUILT, operation=name)


async def test_who_asks_is_checked_all_the_same(client: Client) -> None:
    for operation in UNBUILT:
        path = path_of(operation)
        await assert_error(client.request(operation.method, path), errors.KEY_MISSING)
        await assert_error(
            client.request(operation.method, path, headers=AUTH_KEY), errors.NO_ACCESS
        )


async def test_a_user_named_like_a_list_is_a_user(client: Client) -> None:
    body = {"uid": "messages", "name": "x"}
    await data_of(client.post("/users", json=body, headers=REST_KEY))

    assert await data_of(client.get("/users/messages", headers=REST_KEY))

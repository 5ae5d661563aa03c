"""Dialects: who is answered in which words (product 3.1)."""

import pytest

from tests.helpers import REST_KEY, Client, Serve, error_of

LIVE, DOCUMENTED = "AUTH_ERR_APIKEY_NOT_FOUND", "ERROR_API_KEY_NOT_FOUND"
SDK = {"sdk": "javascript@4.2.0"}


async def code(client: Client, **headers: str) -> str:
    request = client.get("/users", headers={"apikey": "wrong", **headers})
    return str((await error_of(request, 401))["code"])


async def test_an_ordinary_request_is_answered_as_documented(client: Client) -> None:
    assert await code(client) == DOCUMENTED


@pytest.mark.parametrize("name", ["sdk", "SDK", "Sdk"])
async def test_a_chat_sdk_is_answered_as_by_the_live_service(client: Client, name: str) -> None:
    assert await code(client, **{name: "android@4.0.10"}) == LIVE


@pytest.mark.parametrize("headers", [{}, SDK])
@pytest.mark.parametrize(("setting", "expected"), [("documented", DOCUMENTED), ("live", LIVE)])
async def test_a_setting_forces_one_dialect_on_all(
    serve: Serve, setting: str, expected: str, headers: dict[str, str]
) -> None:
    client = await serve(errors=setting)

    assert await code(client, **headers) == expected


@pytest.mark.parametrize("setting", ["auto", "documented", "live"])
@pytest.mark.parametrize(
    ("wanted", "expected"),
    [("live", LIVE), ("documented", DOCUMENTED), (" Live ", LIVE), ("DOCUMENTED", DOCUMENTED)],
)
async def test_the_request_s_own_wish_wins(
    serve: Serve, setting: str, wanted: str, expected: str
) -> None:
    client = await serve(errors=setting)

    assert await code(client, **{"X-Mock-Errors": wanted}) == expected
    assert await code(client, **SDK, **{"x-mock-errors": wanted}) == expected


@pytest.mark.parametrize("wish", ["", "klingon", "live,documented"])
@pytest.mark.parametrize(("setting", "expected"), [("documented", DOCUMENTED), ("live", LIVE)])
async def test_an_unreadable_wish_leaves_the_setting_in_force(
    serve: Serve, setting: str, expected: str, wish: str
) -> None:
    client = await serve(errors=setting)

    assert await code(client, **SDK, **{"X-Mock-Errors": wish}) == expected
    assert await code(client, **{"X-Mock-Errors": wish}) == expected


async def test_the_wish_for_auto_looks_at_the_sdk_again(serve: Serve) -> None:
    client = await serve(errors="live")

    assert await code(client, **{"X-Mock-Errors": "auto"}) == DOCUMENTED
    assert await code(client, **SDK, **{"X-Mock-Errors": "auto"}) == LIVE


@pytest.mark.parametrize("dialect", ["documented", "live"])
@pytest.mark.parametrize("path", ["/users/nobody", "/users/a%20b", "/userss", "/users/%20"])
async def test_a_404_is_a_map_of_strings_for_ios(client: Client, path: str, dialect: str) -> None:
    response = await client.get(path, headers={**REST_KEY, "X-Mock-Errors": dialect})

    error = (await response.json())["error"]

    assert response.status == 404 or dialect == "documented"
    assert "details" not in error
    assert all(isinstance(value, str) for value in error.values())

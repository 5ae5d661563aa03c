"""Dialects: who is answered in which words (product 3.1)."""

from tests.answers import error_of
from tests.values import REST_KEY, Client, Serve

LIVE, DOCUMENTED = "AUTH_ERR_APIKEY_NOT_FOUND", "ERROR_API_KEY_NOT_FOUND"
SDK = {"sdk": "javascript@4.2.0"}


async def code(client: Client, **headers: str) -> str:
    request = client.get("/users", headers={"apikey": "wrong", **headers})
    return str((await error_of(request, 401))["code"])


async def test_a_chat_sdk_is_answered_as_by_the_live_service_and_others_as_documented(
    client: Client,
) -> None:
    assert await code(client) == DOCUMENTED
    for name in ("sdk", "SDK", "Sdk"):
        assert await code(client, **{name: "android@4.0.10"}) == LIVE, name
    assert await code(client, Authorization="head.claims.signature") == LIVE
    for other in ("Bearer control-token", "Bearer a.b.c", "Basic dTpw", "token", ""):
        assert await code(client, Authorization=other) == DOCUMENTED, other


async def test_a_client_that_comes_by_a_live_name_is_answered_as_by_the_live_service(
    serve: Serve,
) -> None:
    client = await serve()
    for host in (
        "app1.api-us.cometchat.io",
        "app1.apiclient-eu.cometchat.io:8443",
        "API-IN.cometchat.io",
    ):
        assert await code(client, Host=host) == LIVE, host
        assert await code(client, Host=host, **{"X-Mock-Errors": "documented"}) == DOCUMENTED, host
    for host in ("localhost", "127.0.0.1:8080", "cometchat.io.example.com"):
        assert await code(client, Host=host) == DOCUMENTED, host
    client = await serve(errors="documented")
    assert await code(client, Host="app1.api-us.cometchat.io") == DOCUMENTED


async def test_the_request_s_own_wish_wins_over_the_setting_and_the_setting_over_the_sdk(
    serve: Serve,
) -> None:
    wishes = {"live": LIVE, "documented": DOCUMENTED, " Live ": LIVE, "DOCUMENTED": DOCUMENTED}
    for setting, forced in (("auto", None), ("documented", DOCUMENTED), ("live", LIVE)):
        client = await serve(errors=setting)
        for headers, by_headers in (({}, DOCUMENTED), (SDK, LIVE)):
            row = f"{setting}: {headers}"
            assert await code(client, **headers) == (forced or by_headers), row
            assert await code(client, **headers, **{"X-Mock-Errors": "auto"}) == by_headers, row
            for wish, expected in wishes.items():
                assert await code(client, **headers, **{"x-mock-errors": wish}) == expected, row
            found = await code(client, **headers, **{"X-Mock-Errors": ""})
            assert found == (forced or by_headers), row


async def test_a_404_is_a_map_of_strings_for_ios(client: Client) -> None:
    for dialect in ("documented", "live"):
        for path in ("/users/nobody", "/users/a%20b", "/userss", "/users/%20"):
            response = await client.get(path, headers={**REST_KEY, "X-Mock-Errors": dialect})
            error = (await response.json())["error"]

            assert response.status == 404 or dialect == "documented", path
            assert "details" not in error, path
            assert all(isinstance(value, str) for value in error.values()), path

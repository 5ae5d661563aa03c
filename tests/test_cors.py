"""CORS: open on the emulated API whatever the answer, closed on the control API."""

from collections.abc import Mapping
from typing import Any

from tests.values import REST_KEY, Client, Serve

ORIGIN = {"Origin": "https://app.example"}
ALLOWED = (
    "Content-Type,Accept,Cache-Control,Authorization,X-Requested-With,appId,apiKey,authToken,"
    "onBehalfOf,resource,Accept-Encoding,group,region,sdk,guid,uid,clientEnvironment,extensionId,"
    "username,password,callToken,onBehalfOfUser"
)
EXPOSED = "X-Mock-Exchange,X-Mock-Hint,X-Mock-Docs,X-Mock-Fault,X-Mock-Unbuilt"
ASKED_BY_SDKS = (
    "appid, apikey, authtoken, resource, sdk, chatapiversion, content-type, calltoken, "
    "settingshash, settingshashreceivedat, authorization"
)
ANSWERS: dict[str, tuple[str, str, dict[str, str], Any, int]] = {
    "a success": ("GET", "/users", REST_KEY, None, 200),
    "an unknown path": ("GET", "/nope", {}, None, 404),
    "a wrong method": ("PATCH", "/users", REST_KEY, None, 404),
    "no key": ("GET", "/users", {}, None, 401),
    "no access": ("GET", "/users", {"apikey": "AUTH_KEY"}, None, 403),
    "too large a body": ("POST", "/users", REST_KEY, b"x" * 20_000, 400),
    "a bad body": ("POST", "/users", REST_KEY, b"{", 400),
    "an unknown user": ("GET", "/users/nobody", REST_KEY, None, 404),
    "the welcome page": ("GET", "/", {}, None, 200),
}


def cors(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.startswith("Access-Control-")}


async def test_every_answer_opens_itself_to_the_page_that_asked(client: Client) -> None:
    for case, (method, path, headers, body, status) in ANSWERS.items():
        sandboxed = {**headers, "Origin": "null"}
        response, null, plain = [
            await client.request(method, path, headers=asked, data=body)
            for asked in ({**headers, **ORIGIN}, sandboxed, headers)
        ]

        assert response.status == status, case
        assert cors(response.headers) == {
            "Access-Control-Allow-Origin": "https://app.example",
            "Access-Control-Allow-Methods": "OPTIONS,HEAD,GET,POST,PUT,PATCH,DELETE",
            "Access-Control-Allow-Headers": ALLOWED,
            "Access-Control-Expose-Headers": EXPOSED,
        }, case
        assert "Origin" in response.headers["Vary"], case
        assert null.headers["Access-Control-Allow-Origin"] == "null", case
        assert plain.headers["Access-Control-Allow-Origin"] == "*", case
        assert plain.headers["Vary"] == "Accept-Encoding", case


# --- preflight ------------------------------------------------------------------------------
async def test_a_preflight_needs_no_known_path_credentials_or_quota(serve: Serve) -> None:
    client = await serve(rate_limit=1, strict_apps=True)
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authtoken"}
    for path in ("/v3.0/me", "/users/u1/auth_tokens", "/", "/nope", "/v3/a/b/c"):
        response = await client.options(path, headers={**ORIGIN, **asked})

        assert response.status == 200, path
        assert response.headers["Access-Control-Allow-Origin"] == "https://app.example", path
        assert "PUT" in response.headers["Access-Control-Allow-Methods"].split(","), path
    await client.get("/users", headers={**REST_KEY, "appId": "APP_ID"})
    response = await client.get("/users", headers={**REST_KEY, **ORIGIN, "appId": "APP_ID"})
    assert response.status == 429  # which is open, too
    assert response.headers["Access-Control-Allow-Origin"] == "https://app.example"


async def test_a_preflight_allows_what_it_asks_for(client: Client) -> None:
    asked = {
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": ASKED_BY_SDKS,
        "Access-Control-Request-Private-Network": "true",
    }

    response = await client.options("/v3.0/me", headers={**ORIGIN, **asked})
    plain = await client.options("/me", headers=ORIGIN)

    assert response.headers["Access-Control-Allow-Headers"] == ASKED_BY_SDKS
    assert response.headers["Access-Control-Allow-Private-Network"] == "true"
    assert "Access-Control-Allow-Private-Network" not in plain.headers


# --- the control API ------------------------------------------------------------------------
async def test_the_control_api_is_open_to_no_other_page(client: Client) -> None:
    paths = ("health", "errors", "nope")
    for path in (*(f"/_mock/{name}" for name in paths), "/v3/_mock/health", "/%5Fmock/health"):
        for method in ("GET", "OPTIONS", "POST"):
            for headers in ({}, ORIGIN):
                response = await client.request(method, path, headers=headers)
                assert cors(response.headers) == {}, (method, path)

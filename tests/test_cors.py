"""CORS: open on the emulated API whatever the answer, closed on the control API."""

from collections.abc import Mapping
from typing import Any

from tests.helpers import REST_KEY, Client, Serve, each_row

ORIGIN = {"Origin": "https://app.example"}
ALLOWED = (
    "Content-Type,Accept,Cache-Control,Authorization,X-Requested-With,appId,apiKey,authToken,"
    "onBehalfOf,resource,Accept-Encoding,group,region,sdk,guid,uid,clientEnvironment,extensionId,"
    "username,password,callToken,onBehalfOfUser"
)
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


@each_row("case", ANSWERS)
async def test_every_answer_opens_itself_to_the_page_that_asked(client: Client, case: str) -> None:
    method, path, headers, body, status = ANSWERS[case]

    response = await client.request(method, path, headers={**headers, **ORIGIN}, data=body)

    assert response.status == status
    assert cors(response.headers) == {
        "Access-Control-Allow-Origin": "https://app.example",
        "Access-Control-Allow-Methods": "OPTIONS,HEAD,GET,POST,PUT,PATCH,DELETE",
        "Access-Control-Allow-Headers": ALLOWED,
        "Access-Control-Expose-Headers": "X-Mock-Exchange,X-Mock-Hint,X-Mock-Fault",
    }
    assert "Origin" in response.headers["Vary"]


@each_row("case", ANSWERS)
async def test_without_an_origin_everyone_is_allowed(client: Client, case: str) -> None:
    method, path, headers, body, _ = ANSWERS[case]

    response = await client.request(method, path, headers=headers, data=body)

    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Vary"] == "Accept-Encoding"


async def test_a_refusal_for_the_rate_limit_is_open_too(serve: Serve) -> None:
    client = await serve(rate_limit=1)
    await client.get("/users", headers=REST_KEY)

    response = await client.get("/users", headers={**REST_KEY, **ORIGIN})

    assert response.status == 429
    assert response.headers["Access-Control-Allow-Origin"] == "https://app.example"


async def test_a_sandboxed_page_is_allowed_too(client: Client) -> None:
    response = await client.get("/users", headers={**REST_KEY, "Origin": "null"})

    assert response.headers["Access-Control-Allow-Origin"] == "null"


# --- preflight ------------------------------------------------------------------------------
@each_row("path", ["/v3.0/me", "/users/u1/auth_tokens", "/", "/nope", "/v3/a/b/c"])
async def test_a_preflight_is_answered_on_every_path(client: Client, path: str) -> None:
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authtoken"}

    response = await client.options(path, headers={**ORIGIN, **asked})

    assert response.status == 200
    assert response.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "PUT" in response.headers["Access-Control-Allow-Methods"].split(",")


async def test_a_preflight_allows_every_header_it_asks_for(client: Client) -> None:
    asked = {"Access-Control-Request-Method": "PUT"}
    asked["Access-Control-Request-Headers"] = ASKED_BY_SDKS

    response = await client.options("/v3.0/me", headers={**ORIGIN, **asked})

    assert response.headers["Access-Control-Allow-Headers"] == ASKED_BY_SDKS


async def test_a_preflight_allows_the_private_network_when_asked(client: Client) -> None:
    asked = {"Access-Control-Request-Private-Network": "true"}

    private = await client.options("/me", headers={**ORIGIN, **asked})
    plain = await client.options("/me", headers=ORIGIN)

    assert private.headers["Access-Control-Allow-Private-Network"] == "true"
    assert "Access-Control-Allow-Private-Network" not in plain.headers


async def test_a_preflight_needs_no_credentials_and_costs_no_quota(serve: Serve) -> None:
    client = await serve(rate_limit=1, strict_apps=True)

    for _ in range(3):
        assert (await client.options("/users", headers=ORIGIN)).status == 200


# --- the control API ------------------------------------------------------------------------
@each_row(
    "path", ["/_mock/health", "/_mock/errors", "/_mock/nope", "/v3/_mock/health", "/%5Fmock/health"]
)
async def test_the_control_api_is_open_to_no_other_page(client: Client, path: str) -> None:
    for method in ("GET", "OPTIONS", "POST"):
        for headers in ({}, ORIGIN):
            response = await client.request(method, path, headers=headers)
            assert cors(response.headers) == {}

"""Paths as hosts and SDKs form them: versions, doubled slashes, prefixes, and the root page."""

from mockchat.core import errors
from tests.answers import assert_error, data_of
from tests.helpers import create_user
from tests.raw import get_as_encoded
from tests.sessions import by_token, issue_token
from tests.values import REST_KEY, Client

VERSIONS = ["/v3", "/v3.0", "/v2", "/v2.0", "/v1", "/v1.0", "/v1.6", "/v1.8", ""]


async def test_all_versions_are_one_api_and_slashes_may_be_doubled(client: Client) -> None:
    token = await issue_token(client, "superhero1")
    for version in VERSIONS:
        assert await data_of(client.get(f"{version}/me", headers=by_token(token))), version

    paths = (f"{version}/users/superhero1" for version in VERSIONS)
    doubled = ["/v3.0//users/superhero1", "//v3.0///users//superhero1"]
    doubled += ["/v3.0/v3.0/users/superhero1", "/v3.0//v3/users/superhero1"]
    for path in (
        *paths,
        *doubled,
        "/users/superhero1/",
        "/users/superhero1//",
        "/users/%73uperhero1",
    ):
        response = await get_as_encoded(client, path, REST_KEY)
        assert response.status == 200, path
        assert (await response.json())["data"]["uid"] == "SUPERHERO1", path


async def test_the_live_service_prints_every_uid_in_lower_case(client: Client) -> None:
    host = "APP_ID.api-us.cometchat.io"
    paths = ("/users/SUPERHERO1", "/users", "/users/superhero2/auth_tokens")
    await issue_token(client, "SUPERHERO2")

    for path in paths:
        local = await (await client.get(path, headers=REST_KEY)).text()
        assert '"uid":"SUPERHERO' in local, path  # as the fixture and the SDK pages have it
        for wish in ({"Host": host}, {"sdk": "javascript@4.0.0"}, {"X-Mock-Errors": "live"}):
            told = await (await client.get(path, headers={**REST_KEY, **wish})).text()
            assert "SUPERHERO" not in told, path
            assert told.count('"uid":"superhero') == local.count('"uid":"SUPERHERO'), path


async def test_a_user_may_be_named_like_a_version(client: Client) -> None:
    await create_user(client, "v3")

    assert (await data_of(client.get("/v3/users/v3", headers=REST_KEY)))["uid"] == "v3"


UNKNOWN = """
GET /userss
GET /v3.x/users
GET /V3/users
GET /Users
GET /users/superhero1/nope
GET /users/superhero1/auth_tokens/x/y
PATCH /users
POST /users/superhero1
POST /me
POST /
DELETE /
PUT /v3
DELETE /admin/users/auth
TRACE /users
PROPFIND /users
"""


async def test_an_unknown_path_or_method_is_no_api(client: Client) -> None:
    for method, path in map(str.split, UNKNOWN.strip().splitlines()):
        for headers in (REST_KEY, {}, {"apikey": "wrong"}):
            await assert_error(client.request(method, path, headers=headers), errors.API_NOT_FOUND)


async def test_a_version_that_is_none_is_told_by_name(client: Client) -> None:
    row = errors.API_VERSION_INVALID
    for version in ("v9", "v4", "v0", "v2.345", "v10"):
        request = client.get(f"/{version}/users", headers=REST_KEY)
        await assert_error(request, row, version=version, versions="v1 to v3")


async def test_head_answers_like_get_without_a_body(client: Client) -> None:
    for path in ("/users/superhero1", "/users", "/_mock/health", "/"):
        shown = await client.get(path, headers=REST_KEY)
        response = await client.head(path, headers=REST_KEY)

        assert response.status == 200, path
        assert response.headers["Content-Type"] == shown.headers["Content-Type"], path
        assert response.headers["Content-Length"] == str(len(await shown.read())), path
        assert await response.read() == b"", path


async def test_a_browser_at_the_root_gets_a_short_page(client: Client) -> None:
    for path in ("/", "/v3/", "/v3.0", "/apps/app1", "/apps/app1/v3.0/"):
        response = await client.get(path)

        text = await response.text()
        assert (response.status, response.content_type) == (200, "text/html"), path
        assert text.startswith("<!doctype html>"), path
        assert "mockchat" in text, path
        assert len(text) < 2000, path

"""The catalogue: every row is well-formed, can be provoked, and speaks in the known words."""

import asyncio
import re
import string
from typing import Any

import pytest
from aiohttp import ClientSession
from pytest_aiohttp.plugin import AiohttpClient

from mockchat import Config, MockChat, create_app
from mockchat.core import errors
from mockchat.core.errors import CATALOGUE, Evidence, mask
from mockchat.core.journal import Exchange
from mockchat.wire.app import STORE
from tests.answers import data_of, error_of, face_of
from tests.helpers import journal_of
from tests.sessions import by_token
from tests.values import REST_KEY, Serve

ROWS = list(CATALOGUE.values())
FACES = [(row, face) for row in ROWS for face in (row.documented, row.live)]
ALLOWED = {400, 401, 402, 403, 404, 409, 429}
OUR_OWN = {errors.CRASHED: 500, errors.NOT_BUILT: 501}
ONLY_FAULTS = {row.name for row in ROWS if not row.is_raised}
VALUES = {"uid", "key", "role", "token", "app_id", "limit", "seconds", "origin", "host"}
VALUES |= {"feature", "quota", "operation", "near", "what", "name", "fuid", "region", "plan"}
VALUES |= {"version", "versions"}
ANYONE: dict[str, str] = {}


def placeholders(template: str | None) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template or "") if name is not None}


# --- the rows -------------------------------------------------------------------------------
def test_every_face_has_a_vendor_s_code_a_text_that_can_be_filled_and_evidence() -> None:
    code = re.compile(r"(ERR|ERROR|AUTH_ERR|MOCK)(_[A-Z]+)+")
    sentence = re.compile(r"([A-Z]|mockchat ).*\.")
    assert [row.name for row in ROWS if not sentence.fullmatch(row.when)] == []
    assert [row.name for row in ROWS if CATALOGUE[row.name] is not row] == []
    for row, face in FACES:
        assert code.fullmatch(face.code), row
        assert face.message, row
        assert placeholders(face.message) | placeholders(face.dev_message) <= VALUES, row
        assert type(face.evidence) is Evidence, row
        # A code that is no vendor's says so.
        assert not face.code.startswith("MOCK_") or face.evidence is Evidence.ASSUMED, row


def test_every_status_is_one_that_sdks_understand() -> None:
    # SDKs take 502 to 504 for a lost network (sdk-wire 1.4).
    odd = {row: face.status for row, face in FACES if row.is_raised and face.status not in ALLOWED}

    assert odd == OUR_OWN
    assert {CATALOGUE[name].live.status for name in ONLY_FAULTS} <= {*ALLOWED, 500}


# --- the two dialects, as product 3.1 lists them --------------------------------------------
_PRODUCT_TABLE = [
    ("key_missing", "ERROR_API_KEY_NOT_FOUND", "AUTH_ERR_EMPTY_APIKEY", 401),
    ("key_unknown", "ERROR_API_KEY_NOT_FOUND", "AUTH_ERR_APIKEY_NOT_FOUND", 401),
    ("uid_invalid", "ERROR_INVALID_UID", "ERR_BAD_REQUEST", 400),
    ("uid_with_space", "ERROR_UID_WITH_SPACE", "ERR_BAD_REQUEST", 400),
    ("auth_token_missing", "ERROR_BLANK_AUTHTOKEN", "AUTH_ERR_EMPTY_AUTH_TOKEN", 401),
    ("auth_token_with_space", "ERROR_AUTHTOKEN_WITH_SPACE", "AUTH_ERR_AUTH_TOKEN_NOT_FOUND", 401),
    ("login_in_progress", "ERROR_LOGIN_IN_PROGRESS", "ERROR_LOGIN_IN_PROGRESS", 409),
    ("not_logged_in", "ERROR_NO_USER_LOGGED_IN", "AUTH_ERR_AUTH_TOKEN_NOT_FOUND", 401),
    ("uid_not_found", "ERR_UID_NOT_FOUND", "ERR_UID_NOT_FOUND", 404),
    ("uid_already_exists", "ERR_UID_ALREADY_EXISTS", "ERR_UID_ALREADY_EXISTS", 400),
    ("auth_token_unknown", "AUTH_ERR_AUTH_TOKEN_NOT_FOUND", "AUTH_ERR_AUTH_TOKEN_NOT_FOUND", 401),
    ("no_access", "AUTH_ERR_NO_ACCESS", "AUTH_ERR_NO_ACCESS", 403),
    ("token_not_found", "ERR_AUTH_TOKEN_NOT_FOUND", "ERR_AUTH_TOKEN_NOT_FOUND", 404),
    ("bad_request", "ERR_BAD_REQUEST", "ERR_BAD_REQUEST", 400),
    ("api_not_found", "ERR_API_NOT_FOUND", "ERR_API_NOT_FOUND", 404),
    ("too_many_requests", "ERR_TOO_MANY_REQUESTS", "ERR_TOO_MANY_REQUESTS", 429),
]


def test_conditions_have_the_agreed_codes() -> None:
    apart = {row.name for row in ROWS if row.documented.status != row.live.status}
    assert apart == {"path_uid_invalid", "path_uid_with_space"}
    for name, documented, live, status in _PRODUCT_TABLE:
        row = CATALOGUE[name]
        assert (row.documented.code, row.documented.status) == (documented, status), name
        assert (row.live.code, row.live.status) == (live, status), name


# --- every row, provoked --------------------------------------------------------------------
Provocation = tuple[dict[str, Any], str, str, dict[str, str], Any]
_PLAIN: dict[str, Any] = {}
_U = "/users/superhero1"
_PROVOCATIONS: dict[str, Provocation] = {
    "key_missing": (_PLAIN, "GET", "/users", ANYONE, None),
    "key_unknown": (_PLAIN, "GET", "/users", {"apikey": "0123456789abcdef"}, None),
    "no_access": (
        {"auth_key": ("abcde0123456789fghij",)},
        *("GET", "/users", {"apikey": "abcde0123456789fghij"}, None),
    ),
    "uid_invalid": (_PLAIN, "POST", "/users", REST_KEY, {"uid": "ü", "name": "x"}),
    "uid_with_space": (_PLAIN, "POST", "/users", REST_KEY, {"uid": "a b", "name": "x"}),
    "path_uid_invalid": (_PLAIN, "GET", "/users/ü", REST_KEY, None),
    "path_uid_with_space": (_PLAIN, "GET", "/users/a b", REST_KEY, None),
    "uid_not_found": (_PLAIN, "GET", "/users/Nobody", REST_KEY, None),
    "uid_already_exists": (_PLAIN, "POST", "/users", REST_KEY, {"uid": "SUPERHERO1", "name": "x"}),
    "auth_token_missing": (_PLAIN, "GET", "/me", ANYONE, None),
    "auth_token_with_space": (_PLAIN, "GET", "/me", by_token("a b"), None),
    "auth_token_unknown": (_PLAIN, "GET", "/me", by_token("a_1"), None),
    "token_not_found": (_PLAIN, "GET", f"{_U}/auth_tokens/x", REST_KEY, None),
    "not_logged_in": (_PLAIN, "POST", "/logout", by_token("a_1"), None),
    "bad_request": (_PLAIN, "PUT", _U, REST_KEY, {"avatar": "x"}),
    "api_not_found": (_PLAIN, "GET", "/userss", REST_KEY, None),
    "app_id_missing": ({"strict_apps": True}, "GET", "/users", ANYONE, None),
    "app_id_invalid": ({"strict_apps": True}, "GET", "/apps/x/users", REST_KEY, None),
    "control_origin": (_PLAIN, "GET", "/_mock/errors", {"Origin": "https://evil.example"}, None),
    "control_host": (_PLAIN, "GET", "/_mock/errors", {"Host": "evil.example"}, None),
    "mock_not_found": (_PLAIN, "DELETE", "/_mock/snapshots/x", ANYONE, None),
    "control_token": ({"control_token": "t"}, "GET", "/_mock/errors", ANYONE, None),
    "apikey_not_found": (_PLAIN, "GET", "/apikeys/x", REST_KEY, None),
    "apikey_self_action": (_PLAIN, "DELETE", "/apikeys/REST_API_KEY", REST_KEY, None),
    "role_not_found": (_PLAIN, "GET", "/roles/x", REST_KEY, None),
    "role_delete_denied": (_PLAIN, "DELETE", "/roles/default", REST_KEY, None),
    "self_friend": (_PLAIN, "POST", f"{_U}/friends", REST_KEY, {"accepted": ["superhero1"]}),
    "self_block": (_PLAIN, "POST", f"{_U}/blockedusers", REST_KEY, {"blockedUids": ["SUPERHERO1"]}),
    "not_built": (_PLAIN, "POST", "/groups", REST_KEY, {"guid": "g"}),
    "api_version_invalid": (_PLAIN, "GET", "/v9/users", REST_KEY, None),
    "on_behalf_of_not_found": (_PLAIN, "GET", _U, {**REST_KEY, "onBehalfOf": "Nobody"}, None),
    "not_a_friend": (_PLAIN, "DELETE", f"{_U}/friends", REST_KEY, {"friends": ["SUPERHERO2"]}),
    "no_ca": (_PLAIN, "GET", "/_mock/ca.pem", ANYONE, None),
}
# Those that one request cannot provoke have tests of their own below.
_ELSEWHERE = {
    "plain_http",
    "already_friend",
    "auth_token_not_accessible",
    "login_in_progress",
    "auth_token_bound",
    "too_many_requests",
    "quota_reached",
}
_ELSEWHERE |= {"crashed", "too_many_watchers"}
_WITH_DETAILS = {"bad_request", "uid_invalid", "uid_with_space"}
_KEY = "01234******bcdef"
_TOKEN = (
    "The auth token {} does not exist. Please make sure you are logged in and have a valid auth "
    "token or try login again."
)
# The texts that the reference and the SDKs' sources have, by row and dialect.
_TEXTS: dict[tuple[str, str], str] = {
    ("key_unknown", "live"): f"The key {_KEY} does not exist. Please use correct apiKey.",
    ("key_missing", "documented"): (
        "ApiKey cannot be null or empty. Please provide a valid Api Key"
    ),
    ("no_access", "live"): (
        "The key abcde**********fghij cannot be used to perform this operation. Please use API key "
        "with a correct scope to perform the operation."
    ),
    ("uid_invalid", "documented"): "Please provide a valid UID",
    ("uid_invalid", "live"): "Failed to validate the data sent with the request.",
    ("uid_with_space", "documented"): "UID cannot contain spaces. Please provide a valid UID",
    ("path_uid_invalid", "live"): (
        "The UID %c3%bc does not exist, please make sure you have created a user with UID %c3%bc."
    ),
    ("path_uid_with_space", "live"): (
        "The UID a%20b does not exist, please make sure you have created a user with UID a%20b."
    ),
    ("uid_not_found", "documented"): (
        "The UID nobody does not exist, please make sure you have created a user with UID nobody."
    ),
    ("uid_already_exists", "live"): (
        "The uid superhero1 already exists. Please use another uid or try after permanently "
        "deleting the user."
    ),
    ("auth_token_missing", "documented"): (
        "Auth token cannot be empty. Please provide a valid auth token"
    ),
    ("auth_token_with_space", "documented"): (
        "Auth token cannot contain spaces. Please provide a valid AuthToken"
    ),
    ("auth_token_with_space", "live"): _TOKEN.format("a b"),
    ("auth_token_unknown", "documented"): _TOKEN.format("a_1"),
    ("token_not_found", "live"): "Auth token does not exist.",
    ("not_logged_in", "live"): _TOKEN.format("a_1"),
    ("bad_request", "documented"): "Failed to validate the data sent with the request.",
    ("key_missing", "live"): "Empty apiKey in the request header.",
    ("app_id_missing", "live"): "Empty appId in the request header.",
    ("app_id_invalid", "live"): "The appId x does not exists in us region.",
    ("apikey_not_found", "live"): "The key x does not exist",
    ("role_delete_denied", "live"): "Default role default cannot be deleted",
    ("not_a_friend", "live"): (
        "The user with uid superhero2 is not a friend of user with uid superhero1"
    ),
    ("api_version_invalid", "live"): (
        "The API version v9 is invalid. The available versions are: v1 to v3."
    ),
    ("api_not_found", "live"): "The API endpoint is invalid. Please verify the API call.",
}
_DEVELOPER_TEXTS = {
    "key_unknown": f"The {_KEY} key doesn't work. Please use correct apiKey.",
    "no_access": (
        "The abcde**********fghij key does not have enough clearance. To perform the operation, "
        "please use the API key with the correct scope."
    ),
    "uid_not_found": (
        "The UID nobody does not exist, so please make sure you have created a user with UID "
        "nobody."
    ),
    "uid_already_exists": (
        "The uid superhero1 already exists. Please use another uid or try recreating after "
        "permanently deleting the user."
    ),
    "token_not_found": "Auth token does not exist.",
    "bad_request": "Failed to validate the data sent with the request.",
    "api_not_found": "The endpoint of the API is invalid. Please have the API call checked.",
}


async def provoke(serve: Serve, name: str, dialect: str) -> dict[str, Any]:
    settings, method, path, headers, body = _PROVOCATIONS[name]
    client = await serve(**settings)
    asked = {**headers, "X-Mock-Errors": dialect}
    request = client.request(method, path, json=body, headers=asked)
    return await error_of(request, face_of(CATALOGUE[name], dialect).status)


def test_every_row_of_the_catalogue_is_provoked() -> None:
    assert _PROVOCATIONS.keys() | _ELSEWHERE | ONLY_FAULTS == CATALOGUE.keys()


async def test_every_refusal_has_the_known_words_in_both_dialects(serve: Serve) -> None:
    ours = {"key_missing", "auth_token_missing", "auth_token_with_space", "not_logged_in"}
    for name in _PROVOCATIONS:
        row = CATALOGUE[name]
        documented, live = [
            await provoke(serve, name, dialect) for dialect in ("documented", "live")
        ]

        assert (documented["code"], live["code"]) == (row.documented.code, row.live.code)
        for dialect, error in (("documented", documented), ("live", live)):
            assert error["message"] == _TEXTS.get((name, dialect), error["message"]), name
            assert ("details" in error) == (name in _WITH_DETAILS), name
        assert live["devMessage"] == _DEVELOPER_TEXTS.get(name, live["devMessage"]), name
        # Each dialect's developers are told the code of the other one, if the service has no text.
        assert not row.differs or row.live.code in documented["devMessage"], name
        assert name not in ours or row.documented.code in live["devMessage"], name


async def test_a_login_in_progress_is_told_in_the_sdks_words(serve: Serve) -> None:
    client = await serve(login_latency=0.1)
    body = {"uid": "superhero1", "authKey": "AUTH_KEY"}

    answers = await asyncio.gather(*(client.post("/login", json=body) for _ in range(2)))

    refused = next(answer for answer in answers if answer.status == 409)
    assert (await refused.json())["error"]["message"] == (
        "Login in progress. Please wait for the login request to finish"
    )


# --- their parts ----------------------------------------------------------------------------
def test_a_key_is_shown_by_five_characters_at_each_end_where_there_is_a_middle() -> None:
    assert [mask(key) for key in ("0123456789", "0123456789a")] == ["0123456789", "01234*6789a"]


def test_a_refusal_in_python_tells_what_is_wrong_with_every_field() -> None:
    refusal = errors.BAD_REQUEST({"uid": ["It is long.", "It is odd."], "name": ["It is short."]})

    told = "ERR_BAD_REQUEST (400): Failed to validate the data sent with the request."
    assert str(refusal) == f"{told} uid: It is long. It is odd. name: It is short."


# --- mockchat's own crash -------------------------------------------------------------------
async def test_a_crash_of_mockchat_is_logged_and_answered_and_the_server_lives_on(
    aiohttp_client: AiohttpClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client = await aiohttp_client(create_app(Config()))
    headers = {**REST_KEY, "Origin": "https://app.example"}

    def crash(*_: Any, **__: Any) -> None:
        raise RuntimeError("the list is broken")

    with monkeypatch.context() as broken:
        broken.setattr(client.app[STORE].default, "list_users", crash)
        response = await client.get("/users", headers=headers)

    assert response.status == 500
    assert (await response.json())["error"]["code"] == "ERR_EXCEPTION"
    assert response.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "the list is broken" in caplog.text
    (recorded,) = await journal_of(client)
    assert (recorded["status"], recorded["code"]) == (500, "ERR_EXCEPTION")
    assert await data_of(client.get("/users", headers=REST_KEY))


async def test_an_observer_that_fails_is_logged_and_answered_and_the_server_lives_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failures = [RuntimeError("the observer is broken")]

    def fail_once(_: Exchange) -> None:
        if failures:
            raise failures.pop()

    async with MockChat(Config(port=0, https_port=None)) as mock, ClientSession(mock.url) as client:
        mock.observe(fail_once)
        failed = await client.get("/users", headers=REST_KEY)
        text = await failed.text()

        assert (failed.status, failed.headers["Connection"]) == (500, "close")
        assert "500 Internal Server Error" in text
        assert "the observer is broken" in caplog.text
        assert await data_of(client.get("/users", headers=REST_KEY))

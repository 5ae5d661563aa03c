"""The error catalogue: every refusal is a row here, in both dialects.

The vendor's SDK pages and its REST service name some conditions differently, so a row holds two
faces: `documented` and `live`. The texts marked live are exactly those of the service; the others
are ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

Details = Mapping[str, list[str]]


class Evidence(StrEnum):
    """How well a behaviour of the live service is known."""

    LIVE = "live"  # recorded from the service, or asserted by tests that run against it
    DOCUMENTED = "documented"  # stated by the vendor's pages or shipped in its SDKs
    ASSUMED = "assumed"  # ours: what a user would expect where nothing is known


@dataclass(frozen=True, slots=True)
class Face:
    """One condition in one dialect; without a `dev_message`, it is derived."""

    evidence: Evidence
    code: str
    status: int
    message: str
    dev_message: str | None = None


@dataclass(frozen=True, slots=True)
class ErrorDef:
    """A row of the catalogue; a call with the values of its message returns the error."""

    name: str
    when: str
    documented: Face
    live: Face

    def __call__(self, details: Details | None = None, **values: object) -> "ApiError":
        """Return the error that carries these values."""
        return ApiError(self, details, values)

    @property
    def more(self) -> str:
        """Where the docs tell more about it."""
        return f"docs/errors.md#{self.name}" if self.name in CATALOGUE else "docs/faults.md"

    @property
    def differs(self) -> bool:
        """Whether the two dialects use different codes."""
        return self.documented.code != self.live.code


class ApiError(Exception):
    """A request is refused for the reason that `definition` names."""

    def __init__(
        self,
        definition: ErrorDef,
        details: Details | None = None,
        values: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(definition.name)
        self.definition = definition
        self.details = details
        self.values = {} if values is None else values

    def __str__(self) -> str:
        face = self.definition.documented
        details = "".join(
            f" {field}: {' '.join(texts)}" for field, texts in (self.details or {}).items()
        )
        return f"{face.code} ({face.status}): {face.message.format_map(self.values)}{details}"

    @property
    def code(self) -> str:
        """The code, as the SDK pages name it."""
        return self.definition.documented.code


def mask(key: str) -> str:
    """Return `key` as the live service prints it: all but five characters at each end starred.

    Keys of up to ten characters have no middle; how live prints those is not known.
    """
    return f"{key[:5]}{'*' * (len(key) - 10)}{key[-5:]}" if len(key) > 10 else key  # noqa: PLR2004


CATALOGUE: dict[str, ErrorDef] = {}


def _row(name: str, when: str, documented: Face, live: Face | None = None) -> ErrorDef:
    CATALOGUE[name] = row = ErrorDef(name, when, documented, live or documented)
    return row


_live = partial(Face, Evidence.LIVE)
_doc = partial(Face, Evidence.DOCUMENTED)
_ours = partial(Face, Evidence.ASSUMED)

# fmt: off
_BAD_REQUEST = _live("ERR_BAD_REQUEST", 400,
    "Failed to validate the data sent with the request.",
    "Failed to validate the data sent with the request.")
_UID_NOT_FOUND = _live("ERR_UID_NOT_FOUND", 404,
    "The UID {uid} does not exist, please make sure you have created a user with UID {uid}.",
    "The UID {uid} does not exist, so please make sure you have created a user with UID {uid}.")
_INVALID_UID = _doc("ERROR_INVALID_UID", 400, "Please provide a valid UID")
_UID_WITH_SPACE = _doc("ERROR_UID_WITH_SPACE", 400,
    "UID cannot contain spaces. Please provide a valid UID")
_UNKNOWN_TOKEN = _live("AUTH_ERR_AUTH_TOKEN_NOT_FOUND", 401,
    "The auth token {token} does not exist. Please make sure you are logged in and have a valid "
    "auth token or try login again.")

# --- api keys -------------------------------------------------------------------------------
KEY_MISSING = _row("key_missing", "No api key, or a blank one, came with a request that needs one.",
    _doc("ERROR_API_KEY_NOT_FOUND", 401,
        "ApiKey cannot be null or empty. Please provide a valid Api Key"),
    _ours("AUTH_ERR_EMPTY_APIKEY", 401,
        "The api key is missing. Please send it in the apikey header."))
KEY_UNKNOWN = _row("key_unknown", "The api key is none of the app's.",
    _doc("ERROR_API_KEY_NOT_FOUND", 401,
        "The Api Key {key} does not exist. Please provide a valid Api Key"),
    _live("AUTH_ERR_APIKEY_NOT_FOUND", 401,
        "The key {key} does not exist. Please use correct apiKey.",
        "The {key} key doesn't work. Please use correct apiKey."))
NO_ACCESS = _row("no_access",
    "An auth-only key was used for more than users, to create or update, and auth tokens.",
    _live("AUTH_ERR_NO_ACCESS", 403,
        "The key {key} cannot be used to perform this operation. Please use API key with a "
        "correct scope to perform the operation.",
        "The {key} key does not have enough clearance. To perform the operation, please use the "
        "API key with the correct scope."))

# --- uids and users -------------------------------------------------------------------------
UID_INVALID = _row("uid_invalid",
    "The uid in a body is missing, blank, too long or has a character outside a-z 0-9 - _.",
    _INVALID_UID, _BAD_REQUEST)
UID_WITH_SPACE = _row("uid_with_space", "The uid in a body contains white space.",
    _UID_WITH_SPACE, _BAD_REQUEST)
PATH_UID_INVALID = _row("path_uid_invalid",
    "The uid in a path breaks the rules for uids (live looks it up all the same).",
    _INVALID_UID, _UID_NOT_FOUND)
PATH_UID_WITH_SPACE = _row("path_uid_with_space",
    "The uid in a path contains white space (live looks it up all the same).",
    _UID_WITH_SPACE, _UID_NOT_FOUND)
UID_NOT_FOUND = _row("uid_not_found", "No active user has this uid.",
    _UID_NOT_FOUND)
UID_ALREADY_EXISTS = _row("uid_already_exists",
    "A user, active or deactivated, already has this uid.",
    _live("ERR_UID_ALREADY_EXISTS", 400,
        "The uid {uid} already exists. Please use another uid or try after permanently deleting "
        "the user.",
        "The uid {uid} already exists. Please use another uid or try recreating after "
        "permanently deleting the user."))

# --- auth tokens and logins -----------------------------------------------------------------
AUTH_TOKEN_MISSING = _row("auth_token_missing",
    "No auth token, or a blank one, came with a request that needs one.",
    _doc("ERROR_BLANK_AUTHTOKEN", 401,
        "Auth token cannot be empty. Please provide a valid auth token"),
    _ours("AUTH_ERR_EMPTY_AUTH_TOKEN", 401,
        "The auth token is missing. Please send it in the authToken header."))
AUTH_TOKEN_WITH_SPACE = _row("auth_token_with_space", "The auth token contains white space.",
    _doc("ERROR_AUTHTOKEN_WITH_SPACE", 401,
        "Auth token cannot contain spaces. Please provide a valid AuthToken"),
    _UNKNOWN_TOKEN)
AUTH_TOKEN_UNKNOWN = _row("auth_token_unknown",
    "The auth token does not exist: never issued, destroyed, expired or another app's.",
    _UNKNOWN_TOKEN)
AUTH_TOKEN_BOUND = _row("auth_token_bound",
    "A single-use auth token has logged in already, and not on this device.",
    _doc("ERR_AUTHTOKEN_UNAVAILABLE", 401,
        "The auth token {token} is in use on another device. Please create a new auth token."))
TOKEN_NOT_FOUND = _row("token_not_found", "The user exists, the auth token in the path does not.",
    _live("ERR_AUTH_TOKEN_NOT_FOUND", 404,
        "Auth token does not exist.",
        "Auth token does not exist."))
LOGIN_IN_PROGRESS = _row("login_in_progress",
    "The same device, uid or token is already logging in.",
    _doc("ERROR_LOGIN_IN_PROGRESS", 409,
        "Login in progress. Please wait for the login request to finish"))
NOT_LOGGED_IN = _row("not_logged_in", "A logout came without the auth token of a live session.",
    _doc("ERROR_NO_USER_LOGGED_IN", 401,
        "No user is currently logged in. Please send the authToken of a logged-in user."),
    _UNKNOWN_TOKEN)

# --- keys, roles and relations of the REST API ------------------------------------------------
APIKEY_NOT_FOUND = _row("apikey_not_found", "The api key in the path does not exist.",
    _doc("ERR_APIKEY_NOT_FOUND", 404,
        "The Api Key {key} does not exist. Please use a correct Api Key."))
APIKEY_SELF_ACTION = _row("apikey_self_action", "An api key was used to update or delete itself.",
    _doc("ERR_APIKEY_NO_SELF_ACTION", 403,
        "The Api Key {key} cannot update or delete itself. Please use another one."))
ROLE_NOT_FOUND = _row("role_not_found", "The role in the path does not exist.",
    _doc("ERR_ROLE_NOT_FOUND", 404,
        "The role {role} does not exist. Please use correct role or use create role API."))
ROLE_DELETE_DENIED = _row("role_delete_denied", "The default role was to be deleted.",
    _doc("ERR_ROLE_DELETE_DENIED", 403, "The role {role} cannot be deleted: every app needs it."))
QUOTA_REACHED = _row("quota_reached",
    "The app has as many users, api keys, roles or friends as it may have.",
    _live("ERR_PLAN_QUOTA_RESTRICTION", 402,
        "You've exhausted the quota. The allowed limit of the feature {feature} for your current "
        "plan free-2023-01 is {quota}. Please upgrade the plan to increase the limit.",
        "You've exhausted the quota. The allowed limit of the feature {feature} for your current "
        "plan free-2023-01 is {quota}. Please upgrade the plan to increase the limit."))
SELF_FRIEND = _row("self_friend", "A user was to be a friend of itself.",
    _doc("ERR_CANNOT_FORM_SELF_RELATION", 403, "Self friend relationship cannot be formed."))
SELF_BLOCK = _row("self_block", "A user was to block itself.",
    _doc("ERR_CANNOT_BLOCK_SELF", 401, "The UID {uid} cannot block UID {uid}."))

# --- requests -------------------------------------------------------------------------------
BAD_REQUEST = _row("bad_request", "The body, the query or a header is not valid.",
    _BAD_REQUEST)
API_NOT_FOUND = _row("api_not_found", "No operation has this path and method.",
    _live("ERR_API_NOT_FOUND", 404,
        "The API endpoint is invalid. Please verify the API call.",
        "The endpoint of the API is invalid. Please have the API call checked."))
TOO_MANY_REQUESTS = _row("too_many_requests",
    "The app sent more requests in this minute than the rate limit allows.",
    _doc("ERR_TOO_MANY_REQUESTS", 429,
        "Too many requests. The limit is {limit} a minute. Please try again in {seconds} seconds."))
APP_ID_MISSING = _row("app_id_missing", "Apps are strict and the request names none.",
    _ours("AUTH_ERR_EMPTY_APPID", 401,
        "The app id is missing. Please send it in the appId header or as the sub-domain."))
APP_ID_INVALID = _row("app_id_invalid",
    "The app id is unknown while apps are strict, or is not one to 64 letters, digits, - or _.",
    _ours("AUTH_ERR_INVALID_APPID", 401,
        "The app id {app_id} is not valid. Please make sure that the app id and the region are "
        "correct."))
NOT_BUILT = _row("not_built", "The live service has this operation, mockchat does not.",
    _ours("MOCK_NOT_BUILT", 501,
        "{operation} exists in the live service, but mockchat does not build it: it stands in "
        "for users and authentication. Lists are empty; --unbuilt accept answers writes."))

# --- mockchat's own -------------------------------------------------------------------------
CRASHED = _row("crashed", "mockchat itself failed; its log has the traceback.",
    _ours("ERR_EXCEPTION", 500, "mockchat failed to answer. Please report its log."))
PLAIN_HTTP = _row("plain_http", "Plain HTTP came to the HTTPS port.",
    _ours("MOCK_PLAIN_HTTP", 400,
        "This is mockchat's HTTPS port, and the request was plain HTTP. Use https://, or the HTTP "
        "port for http://."))
CONTROL_ORIGIN = _row("control_origin", "A browser page of another origin called the control API.",
    _ours("MOCK_FOREIGN_ORIGIN", 403,
        "The control API does not answer pages of other origins ({origin}). Call it from the "
        "test's own process."))
CONTROL_HOST = _row("control_host",
    "The control API or a page was called by a host name that a foreign page might have.",
    _ours("MOCK_FOREIGN_HOST", 403,
        "The control API and the pages do not answer as {host}. Use localhost or 127.0.0.1, beyond "
        "loopback any IP address, or start mockchat with --allow-host {host}."))
CONTROL_TOKEN = _row("control_token", "The control API is guarded and the request lacks its token.",
    _ours("MOCK_CONTROL_TOKEN", 401,
        "The control API is guarded. Send the control token as Authorization: Bearer TOKEN."))
MOCK_NOT_FOUND = _row("mock_not_found",
    "The snapshot, fault or exchange that the path names is not there.",
    _ours("MOCK_NOT_FOUND", 404, "There is no {what} {name}."))
NO_CA = _row("no_ca", "The CA was asked for, but the server has none.",
    _ours("MOCK_NO_CA", 404,
        "This server has no CA of its own: it serves a certificate it was given, or no HTTPS."))

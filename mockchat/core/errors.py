"""The error catalogue: every refusal is a row here, in both dialects.

The vendor's SDK pages and its REST service name some conditions differently, so a row holds two
faces: `documented` and `live`. The texts marked live are exactly those of the service; the others
are ours.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import partial
from typing import Any, NamedTuple

Details = Mapping[str, list[str]]


class Evidence(StrEnum):
    """How well a behaviour of the live service is known."""

    LIVE = "live"  # answered by the service: the answer is in tests/recordings
    DOCUMENTED = "documented"  # stated by the vendor's pages or shipped in its SDKs
    VENDOR = "vendor"  # code and text from the error table of a client of 2021; the status is ours
    ASSUMED = "assumed"  # ours: what a user would expect where nothing is known


class Face(NamedTuple):
    """One condition in one dialect; without a `dev_message`, it is derived."""

    evidence: Evidence
    code: str
    status: int
    message: str
    dev_message: str | None = None


class ErrorDef(NamedTuple):
    """A row of the catalogue; a call with the values of its message returns the error."""

    name: str
    when: str
    documented: Face
    live: Face

    def __call__(self, details: Details | None = None, **values: object) -> "ApiError":
        """Return the error that carries these values."""
        return ApiError(self, details, values)

    @property
    def plain(self) -> dict[str, Any]:
        """The row as plain data: its name, when it comes, and its face in each dialect."""
        faces = {"documented": self.documented, "live": self.live}
        shown = {dialect: _shown(face) for dialect, face in faces.items()}
        return {"name": self.name, "when": self.when, **shown}

    @property
    def more(self) -> str:
        """Where the docs tell more about it."""
        return f"docs/errors.md#{self.name}" if self.name in CATALOGUE else "docs/faults.md"

    @property
    def is_raised(self) -> bool:
        """Whether mockchat itself refuses with it, and not only a fault."""
        return not self.when.startswith(_ONLY_AS_FAULT)

    @property
    def differs(self) -> bool:
        """Whether the two dialects use different codes."""
        return self.documented.code != self.live.code


def _shown(face: Face) -> dict[str, Any]:
    named = {name: getattr(face, name) for name in ("code", "status", "message")}
    return {**named, "evidence": face.evidence.value}


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
_vendor = partial(Face, Evidence.VENDOR)
_ours = partial(Face, Evidence.ASSUMED)
_ONLY_AS_FAULT = "Only as a fault: "

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
# SDKs have the code and the text; the status is that of a re-implementation.
_UNKNOWN_TOKEN = _doc("AUTH_ERR_AUTH_TOKEN_NOT_FOUND", 401,
    "The auth token {token} does not exist. Please make sure you are logged in and have a valid "
    "auth token or try login again.")

# --- api keys -------------------------------------------------------------------------------
KEY_MISSING = _row("key_missing", "No api key, or a blank one, came with a request that needs one.",
    _doc("ERROR_API_KEY_NOT_FOUND", 401,
        "ApiKey cannot be null or empty. Please provide a valid Api Key"),
    _vendor("AUTH_ERR_EMPTY_APIKEY", 401, "Empty apiKey in the request header."))
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
    _UID_WITH_SPACE, _BAD_REQUEST._replace(evidence=Evidence.ASSUMED))
PATH_UID_INVALID = _row("path_uid_invalid",
    "The uid in a path breaks the rules for uids (live looks it up all the same).",
    _INVALID_UID, _UID_NOT_FOUND)
PATH_UID_WITH_SPACE = _row("path_uid_with_space",
    "The uid in a path contains white space (live looks it up all the same).",
    _UID_WITH_SPACE, _UID_NOT_FOUND._replace(evidence=Evidence.ASSUMED))
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
    _vendor("AUTH_ERR_EMPTY_AUTH_TOKEN", 401,
        "Empty authToken in the request header.Please make sure you are logged in and have a valid "
        "auth token."))
AUTH_TOKEN_WITH_SPACE = _row("auth_token_with_space", "The auth token contains white space.",
    _doc("ERROR_AUTHTOKEN_WITH_SPACE", 401,
        "Auth token cannot contain spaces. Please provide a valid AuthToken"),
    _UNKNOWN_TOKEN)
AUTH_TOKEN_UNKNOWN = _row("auth_token_unknown",
    "The auth token does not exist: never issued, destroyed, expired or another app's.",
    _UNKNOWN_TOKEN)
AUTH_TOKEN_BOUND = _row("auth_token_bound",
    "A single-use auth token has logged in already, and not on this device.",
    _vendor("ERR_AUTHTOKEN_UNAVAILABLE", 401,
        "The auth token is registered with another deviceId."))
AUTH_TOKEN_NOT_ACCESSIBLE = _row("auth_token_not_accessible",
    "The auth token in the path is another user's.",
    _vendor("ERR_AUTHTOKEN_NOT_ACCESSIBLE", 403,
        "The auth token {token} does not belong to the user with uid {uid}."))
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
    _vendor("ERR_APIKEY_NOT_FOUND", 404, "The key {key} does not exist"))
APIKEY_SELF_ACTION = _row("apikey_self_action", "An api key was used to update or delete itself.",
    _vendor("ERR_APIKEY_NO_SELF_ACTION", 403,
        "The apiKey which is being used in the current request header cannot be updated"))
ROLE_NOT_FOUND = _row("role_not_found", "The role in the path does not exist.",
    _doc("ERR_ROLE_NOT_FOUND", 404,
        "The role {role} does not exist. Please use correct role or use create role API."))
ROLE_DELETE_DENIED = _row("role_delete_denied", "The default role was to be deleted.",
    _vendor("ERR_ROLE_DELETE_DENIED", 403, "Default role {role} cannot be deleted"))
QUOTA_REACHED = _row("quota_reached",
    "The app has as many users, api keys, roles or friends as it may have.",
    _live("ERR_PLAN_QUOTA_RESTRICTION", 402,
        "You've exhausted the quota. The allowed limit of the feature {feature} for your current "
        "plan free-2023-01 is {quota}. Please upgrade the plan to increase the limit.",
        "You've exhausted the quota. The allowed limit of the feature {feature} for your current "
        "plan free-2023-01 is {quota}. Please upgrade the plan to increase the limit."))
SELF_FRIEND = _row("self_friend", "A user was to be a friend of itself.",
    _doc("ERR_CANNOT_FORM_SELF_RELATION", 403, "Self friend relationship cannot be formed."))
ALREADY_FRIEND = _row("already_friend", "All users that were to become friends are friends.",
    _vendor("ERR_ALREADY_FRIEND", 400,
        "The user with uid {uid} is already friend of user with uid {fuid}"))
NOT_A_FRIEND = _row("not_a_friend", "No user that was to be a friend no more is a friend.",
    _vendor("ERR_NOT_A_FRIEND", 400,
        "The user with uid {uid} is not a friend of user with uid {fuid}"))
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
    _vendor("ERR_TOO_MANY_REQUESTS", 429,
        "Too many requests for an appId.The maximum request allowed are {limit} per minute. Please "
        "retry after {seconds} seconds"))
APP_ID_MISSING = _row("app_id_missing", "Apps are strict and the request names none.",
    _vendor("AUTH_ERR_EMPTY_APPID", 401, "Empty appId in the request header."))
APP_ID_INVALID = _row("app_id_invalid",
    "The app id is unknown while apps are strict, or is not one to 64 letters, digits, - or _.",
    _vendor("AUTH_ERR_INVALID_APPID", 401,
        "The appId {app_id} does not exists in {region} region."))
API_VERSION_INVALID = _row("api_version_invalid", "The path begins with a version that is none.",
    _vendor("ERR_INVALID_API_VERSION", 400,
        "The API version {version} is invalid. The available versions are: {versions}."))
ON_BEHALF_OF_NOT_FOUND = _row("on_behalf_of_not_found", "The header onBehalfOf names no user.",
    _ours("ERR_ON_BEHALF_OF_UID_NOT_FOUND", 404,
        "The UID {uid} in the onBehalfOf header does not exist, please make sure you have created "
        "a user with UID {uid}."))
NOT_BUILT = _row("not_built", "The live service has this operation, mockchat does not.",
    _ours("MOCK_NOT_BUILT", 501,
        "{operation} exists in the live service, but mockchat does not build it: it stands in "
        "for users and authentication. Lists are empty; --unbuilt accept answers writes."))

# --- codes of the live service for what cannot happen here --------------------------------------
def _fault(name: str, when: str, face: Face) -> None:
    _row(name, _ONLY_AS_FAULT + when, face)


_fault("auth_token_delete_failed", "an auth token could not be deleted.",
    _vendor("ERR_AUTH_TOKEN_DELETE_FAILED", 500, "Failed to delete an auth token {token}"))
_fault("auth_tokens_delete_failed", "the auth tokens of a user could not be deleted.",
    _vendor("ERR_AUTH_TOKENS_DELETE_FAILED", 500, "Failed to delete auth tokens for uid {uid}"))
_fault("uid_delete_failed", "a user could not be deleted.",
    _vendor("ERR_UID_DELETE_FAILED", 500, "Failed to delete a user with uid {uid}"))
_fault("role_delete_failed", "a role could not be deleted.",
    _vendor("ERR_ROLE_DELETE_FAILED", 500, "Failed to delete a role {role}"))
_fault("add_friend_failed", "a friend could not be added.",
    _vendor("ERR_FAILED_TO_ADD_FRIEND", 500, "Failed to add a friend"))
_fault("plan_restricted", "the plan of the account lacks the feature.",
    _vendor("ERR_PLAN_RESTRICTION", 402,
        "The feature is not available with billing plan {plan}. Please upgrade the plan."))
_fault("subscription_expired", "the plan of the account has expired.",
    _vendor("ERR_SUBSCRIPTION_EXPIRED", 402,
        "Sorry, your current plan has expired. Please resubscribe from your CometChat Pro "
        "dashboard to continue using this service."))
_fault("permission_denied", "the user's role lacks the permission.",
    _doc("ERR_PERMISSION_DENIED", 403, "The role of the user lacks the permission."))
_fault("api_version_mismatch", "a version 2 path was called for an app of version 3.",
    _vendor("ERR_API_VERSION_MISMATCH", 400,
        "The v2.0 endpoints are not accessible for the app version v3. Please use SDK v3.0.X which "
        "support v3 endpoints."))
_fault("operation_failed", "the service failed for a moment.",
    _vendor("ERR_OPERATION_FAILED", 500,
        "An error occured while performing this operation. Please try again. Contact {app_id} "
        "support team if the error persists ."))
_fault("mission_failed", "the service failed for good.",
    _vendor("ERR_MISSION_FAILED", 500, "Please contact {app_id} support immediately"))

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
    "The snapshot, fault, exchange, operation or page that the path names is not there.",
    _ours("MOCK_NOT_FOUND", 404, "There is no {what} {name}.{near}"))
TOO_MANY_WATCHERS = _row("too_many_watchers", "Too many clients watch the events of the server.",
    _ours("MOCK_TOO_MANY_WATCHERS", 429,
        "{limit} clients watch already. Close a tab of the dashboard, or another watcher."))
NO_CA = _row("no_ca", "The CA was asked for, but the server has none.",
    _ours("MOCK_NO_CA", 404,
        "This server has no CA of its own: it serves a certificate it was given, or no HTTPS."))

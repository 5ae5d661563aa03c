"""The names that the testing kit takes, for editors and type checkers; `make docs` writes them."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from mockchat.core.clock import Duration

# fmt: off
OperationName = Literal[
    "accept_write", "add_friends", "block_users", "count_online_members", "count_unread_feed_items",
    "create_api_key", "create_auth_token", "create_call_token", "create_jwt", "create_role",
    "create_user", "deactivate_users", "delete_api_key", "delete_auth_token", "delete_me",
    "delete_role", "delete_user", "empty_list", "flush_auth_tokens", "get_api_key",
    "get_auth_token", "get_call_token", "get_group_conversation", "get_login", "get_me",
    "get_preferences", "get_role", "get_settings", "get_timezone", "get_user",
    "get_user_conversation", "import_users", "list_api_keys", "list_auth_tokens",
    "list_blocked_users", "list_friends", "list_muted_conversations", "list_push_tokens",
    "list_roles", "list_users", "login", "logout", "mark_conversation", "ping_analytics",
    "reactivate_users", "refuse", "register_push_token", "remove_friends", "report_session",
    "reset_preferences", "unblock_users", "unregister_push_tokens", "update_api_key",
    "update_auth_token", "update_me", "update_preferences", "update_role", "update_timezone",
    "update_user", "webhook", "websocket"
]
Method = Literal[
    "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"
]
ErrorCode = Literal[
    "AUTH_ERR_APIKEY_NOT_FOUND", "AUTH_ERR_AUTH_TOKEN_NOT_FOUND", "AUTH_ERR_EMPTY_APIKEY",
    "AUTH_ERR_EMPTY_APPID", "AUTH_ERR_EMPTY_AUTH_TOKEN", "AUTH_ERR_INVALID_APPID",
    "AUTH_ERR_NO_ACCESS", "ERROR_API_KEY_NOT_FOUND", "ERROR_AUTHTOKEN_WITH_SPACE",
    "ERROR_BLANK_AUTHTOKEN", "ERROR_INVALID_UID", "ERROR_LOGIN_IN_PROGRESS",
    "ERROR_NO_USER_LOGGED_IN", "ERROR_UID_WITH_SPACE", "ERR_ALREADY_FRIEND", "ERR_APIKEY_NOT_FOUND",
    "ERR_APIKEY_NO_SELF_ACTION", "ERR_API_NOT_FOUND", "ERR_API_VERSION_MISMATCH",
    "ERR_AUTHTOKEN_NOT_ACCESSIBLE", "ERR_AUTHTOKEN_UNAVAILABLE", "ERR_AUTH_TOKENS_DELETE_FAILED",
    "ERR_AUTH_TOKEN_DELETE_FAILED", "ERR_AUTH_TOKEN_NOT_FOUND", "ERR_BAD_REQUEST",
    "ERR_CANNOT_BLOCK_SELF", "ERR_CANNOT_FORM_SELF_RELATION", "ERR_EXCEPTION",
    "ERR_FAILED_TO_ADD_FRIEND", "ERR_INVALID_API_VERSION", "ERR_MISSION_FAILED", "ERR_NOT_A_FRIEND",
    "ERR_ON_BEHALF_OF_UID_NOT_FOUND", "ERR_OPERATION_FAILED", "ERR_PERMISSION_DENIED",
    "ERR_PLAN_QUOTA_RESTRICTION", "ERR_PLAN_RESTRICTION", "ERR_ROLE_DELETE_DENIED",
    "ERR_ROLE_DELETE_FAILED", "ERR_ROLE_NOT_FOUND", "ERR_SUBSCRIPTION_EXPIRED",
    "ERR_TOO_MANY_REQUESTS", "ERR_UID_ALREADY_EXISTS", "ERR_UID_DELETE_FAILED", "ERR_UID_NOT_FOUND",
    "MOCK_CONTROL_TOKEN", "MOCK_FOREIGN_HOST", "MOCK_FOREIGN_ORIGIN", "MOCK_NOT_BUILT",
    "MOCK_NOT_FOUND", "MOCK_NO_CA", "MOCK_PLAIN_HTTP", "MOCK_TOO_MANY_WATCHERS"
]
FaultKind = Literal[
    "latency", "error", "rate_limit", "reset", "hang", "empty", "truncated", "malformed",
    "slow_body", "ws_refuse", "ws_close", "ws_ignore_pings", "ws_delay_auth"
]
PlainFaultKind = Literal[
    "reset", "hang", "empty", "malformed", "ws_ignore_pings"
]
PresetName = Literal[
    "token_expired", "token_revoked", "key_revoked", "wrong_app", "wrong_region",
    "user_deactivated", "quota_reached", "login_in_progress"
]
# fmt: on


class Where(TypedDict, total=False):
    """The exchanges that fit; in `path`, `*` stands for a segment and `**` for several."""

    operation: OperationName
    method: Method
    path: str
    uid: str


class Wanted(Where, total=False):
    """The exchanges to look for; `json` and `headers` must be part of the request's."""

    status: int
    code: str
    headers: Mapping[str, str]
    json: Any
    since: int


class FaultOptions(Where, total=False):
    """Which exchanges a fault strikes, and how often."""

    times: int
    after: int
    probability: float
    random_seed: int


class UserFields(TypedDict, total=False):
    """The fields of a new user beside its uid and name."""

    avatar: str
    link: str
    status_message: str
    metadata: Mapping[str, Any]
    tags: Sequence[str]
    role: str
    with_auth_token: bool


class AppSettings(TypedDict, total=False):
    """The settings that an app may have of its own."""

    any_key: bool
    errors: Literal["auto", "documented", "live"]
    fixture: str | Mapping[str, Any] | Sequence[str | Mapping[str, Any]]
    login_latency: Duration
    max_users: int | None
    rate_limit: int | None
    token_ttl: Duration | None
    tokens: Literal["reusable", "single-use"]
    unbuilt: Literal["refuse", "accept"]
    webhook: str | Sequence[str]

"""Logins, logouts and the logged-in user's own client (sdk-wire sections 1.3 to 1.5).

`/me` and `/settings` are those of the SDKs; `/login` and `/logout` take one request each and serve
clients without an SDK (product section 3).
"""

from functools import partial
from typing import Any

from mockchat.api import requests, schemas
from mockchat.api.access import Access, text
from mockchat.api.auth_tokens import describe
from mockchat.api.operation import Ack, Call, OperationTable
from mockchat.api.schemas import Me, Profile, profile
from mockchat.api.settings import SettingsSchema, settings
from mockchat.api.users import user_changes
from mockchat.api.validation import Loader
from mockchat.core import errors
from mockchat.core.entities import AuthToken, UserCaller
from mockchat.core.errors import ApiError, Evidence
from mockchat.core.ids import channel_secret
from mockchat.core.limits import CORE_LIMIT

table = OperationTable(access=Access.TOKEN, returns=schemas.MeSchema, evidence=Evidence.DOCUMENTED)

_load_uid = Loader(requests.LoginUid)
_LOGGED_OUT = Ack("User logged out successfully.")


def _logged_in(call: Call, caller: UserCaller) -> Me:
    """Return the answer to a login: the user, the token that the client sent, and its settings."""
    app, user, token = call.app, caller.user, caller.token
    key = user.key
    return Me(
        user=user,
        auth_token=token.value,
        jwt=call.server.jwts.of(app, token),
        ws_channel={
            "identity": f"[{app.id}]{key}",
            "secret": channel_secret(app.secret, key),
        },
        settings=settings(call.hosts, app.now),
    )


def _use_token(call: Call, caller: UserCaller, *, logs_in: bool = True) -> None:
    """Note the client that uses the token."""
    call.app.use_token(caller.token, call.device or "", logs_in=logs_in)
    describe(caller.token, call)


async def _log_in(
    call: Call, uid: str, token: AuthToken | None = None, latency: float = 0.0
) -> UserCaller:
    """Return the caller after its login, with a new token unless it has one."""
    app = call.app
    slot = call.device or (token.value if token else uid)
    app.begin_login(slot)
    try:
        if latency:
            await call.sleep(latency)
        if app.holds.has(uid):
            async with call.waiting():
                await app.holds.passed(uid)
        token = token or app.issue_token(app.user(uid), device=call.device)
        return app.user_caller(token.value)  # it may have died meanwhile
    finally:
        app.end_login(slot)


# --- for SDKs -------------------------------------------------------------------------------
@table.put(
    "/me",
    body=requests.MeUpdate,
    errors=(errors.AUTH_TOKEN_BOUND, errors.LOGIN_IN_PROGRESS),
    limit=CORE_LIMIT,
    headers=("resource", "sdk"),
    logs_in=requests.only_logs_in,
)
async def update_me(call: Call) -> Me:
    """Log a device in by its auth token, or update one's own profile.

    A body that changes nothing is a login: until its answer the device has no second one.
    """
    app, caller = call.app, call.user_caller
    if not requests.only_logs_in(call.body):
        changes = user_changes(app, call.body)
        _use_token(call, caller, logs_in=False)
        if changes:
            app.update_user(caller.user, changes)
        return _logged_in(call, caller)
    caller = await _log_in(call, caller.user.uid, caller.token)
    _use_token(call, caller)
    if _has_no_socket(call):
        app.go_online(caller)
    return _logged_in(call, caller)


def _has_no_socket(call: Call) -> bool:
    """Whether the client is a Calls SDK alone, which opens no WebSocket.

    It names its platform, as all SDKs do, but has no header of the chat SDKs (sdk-wire section 9).
    """
    headers, body = call.headers, call.body
    of_chat = "sdk" in headers or "resource" in headers or "app_info" in body
    return bool(body.get("platform")) and not of_chat


@table.get("/me")
def get_me(call: Call) -> Me:
    """Get the logged-in user."""
    return _logged_in(call, call.user_caller)


@table.delete("/me", limit=CORE_LIMIT)
def delete_me(call: Call) -> Ack:
    """Log out: the auth token is destroyed for good."""
    call.app.destroy_token(call.user_caller.token, by_logout=True)
    return _LOGGED_OUT


@table.get("/settings", returns=SettingsSchema)
def get_settings(call: Call) -> dict[str, Any]:
    """Get the app's settings."""
    return settings(call.hosts, call.app.now)


# --- for clients without an SDK -------------------------------------------------------------
@table.post(
    "/login",
    "/admin/users/auth",  # the path of the oldest SDKs
    access=Access.LOGIN,
    body=requests.LoginRequest,
    errors=(
        errors.UID_INVALID,
        errors.UID_WITH_SPACE,
        errors.LOGIN_IN_PROGRESS,
        errors.UID_NOT_FOUND,
        errors.AUTH_TOKEN_BOUND,
    ),
    limit=CORE_LIMIT,
    evidence=Evidence.ASSUMED,
    headers=("apikey", "authToken", "resource"),
    logs_in=lambda _body: True,
)
async def login(call: Call) -> Me:
    """Log in with a uid and an api key, or with an auth token.

    The login is in progress until it is answered: meanwhile the device, uid or token has no
    second one.
    """
    app, token = call.app, call.caller.token if isinstance(call.caller, UserCaller) else None
    uid = token.uid if token else _uid(call)
    caller = await _log_in(call, uid, token, app.rules.login_latency)
    app.use_token(caller.token, call.device or "")
    return _logged_in(call, caller)


def _uid(call: Call) -> str:
    """Return the uid to log in; fixtures may break the rules for uids, so a user may have any."""
    uid = text(call.body.get("uid")).lower()
    if call.app.find_user(uid) is None:
        return str(_load_uid({"uid": call.body.get("uid")})["uid"])
    return uid


@table.get(
    "/login",
    access=Access.PUBLIC,
    returns=schemas.UserSchema,
    evidence=Evidence.ASSUMED,
    headers=("authToken",),
)
def get_login(call: Call) -> Profile | None:
    """Get the logged-in user of an auth token, or null."""
    try:
        return profile(call.app.user_caller(_token(call)).user)
    except ApiError:
        return None


def _token(call: Call) -> str:
    in_path = call.path.get("authToken")
    return in_path or text(call.body.get("auth_token") or call.headers.get("authtoken"))


_logout_row = partial(
    table.add,
    access=Access.PUBLIC,
    errors=(errors.NOT_LOGGED_IN,),
    limit=CORE_LIMIT,
    evidence=Evidence.ASSUMED,
)


@_logout_row("DELETE", "/admin/users/auth/{authToken}")  # the path of the oldest SDKs
@_logout_row("DELETE", "/login", body=requests.LogoutRequest, headers=("authToken",))
@_logout_row("POST", "/logout", body=requests.LogoutRequest, headers=("authToken",))
def logout(call: Call) -> Ack:
    """Log out: the auth token is destroyed for good."""
    value = _token(call)
    token = call.app.live_token(value)
    if token is None:
        raise errors.NOT_LOGGED_IN(token=value)
    call.app.destroy_token(token, by_logout=True)
    return _LOGGED_OUT

"""Login and logout in one request, for clients without an SDK (product section 3)."""

from typing import Any

from mockchat.api import requests, schemas
from mockchat.api.me import logged_in
from mockchat.api.operation import Access, Ack, Call, OperationTable
from mockchat.api.schemas import Me, Profile, profile
from mockchat.api.validation import Loader
from mockchat.core import errors
from mockchat.core.entities import UserCaller
from mockchat.core.errors import ApiError, Evidence
from mockchat.core.limits import CORE_LIMIT

table = OperationTable()

_load_uid = Loader(requests.LoginUid)


def _text(value: Any) -> str:
    """Return what a body or header gave as a text; anything but text or number is none."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _key(call: Call) -> str:
    body = call.body
    return _text(body.get("auth_key") or body.get("api_key") or call.headers.get("apikey"))


def _token(call: Call) -> str:
    return _text(call.body.get("auth_token") or call.headers.get("authtoken"))


def _by_token(call: Call) -> bool:
    names_token = "auth_token" in call.body or "authtoken" in call.headers
    return names_token and "uid" not in call.body


@table.add(
    "POST",
    "/login",
    access=Access.PUBLIC,
    body=requests.LoginRequest,
    returns=schemas.MeSchema,
    errors=(
        errors.KEY_MISSING,
        errors.KEY_UNKNOWN,
        errors.UID_INVALID,
        errors.UID_WITH_SPACE,
        errors.AUTH_TOKEN_MISSING,
        errors.AUTH_TOKEN_WITH_SPACE,
        errors.LOGIN_IN_PROGRESS,
        errors.UID_NOT_FOUND,
        errors.AUTH_TOKEN_UNKNOWN,
        errors.AUTH_TOKEN_BOUND,
    ),
    limit=CORE_LIMIT,
    evidence=Evidence.ASSUMED,
    headers=("apikey", "authToken", "resource"),
)
async def login(call: Call) -> Me:
    """Log in with a uid and an api key, or with an auth token.

    What can be seen from the request alone is refused at once; from there to its answer the
    login is in progress, and the device, uid or token has no second one.
    """
    app = call.app
    if _by_token(call):
        credential = _token(call)
        _check_token_text(credential)
    else:
        app.key_caller(_key(call))
        credential = _text(call.body.get("uid")).lower()
        if app.find_user(credential) is None:  # who exists is welcome, whatever the uid looks like
            credential = _load_uid({"uid": call.body.get("uid")})["uid"]
    slot = call.device or credential
    app.begin_login(slot)
    try:
        await call.sleep(app.rules.login_latency)
        await app.holds.passed(app.owner_of(credential) if _by_token(call) else credential)
        return _log_in(call, credential)
    finally:
        app.end_login(slot)


def _check_token_text(token: str) -> None:
    if not token.strip():
        raise errors.AUTH_TOKEN_MISSING()
    if any(map(str.isspace, token)):
        raise errors.AUTH_TOKEN_WITH_SPACE(token=token)


def _log_in(call: Call, credential: str) -> Me:
    app = call.app
    if _by_token(call):
        caller = app.user_caller(credential)
    else:
        user = app.user(credential)
        caller = UserCaller(user, app.issue_token(user, device=call.device))
    app.use_token(caller.token, call.device or "")
    return logged_in(call, caller)


@table.add(
    "GET",
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


@table.add(
    "POST",
    "/logout",
    access=Access.PUBLIC,
    body=requests.LogoutRequest,
    returns=schemas.AckSchema,
    errors=(errors.NOT_LOGGED_IN,),
    limit=CORE_LIMIT,
    evidence=Evidence.ASSUMED,
    headers=("authToken",),
)
def logout(call: Call) -> Ack:
    """Log out: the auth token is destroyed for good."""
    value = call.path.get("authToken") or _token(call)
    token = call.app.live_token(value)
    if token is None:
        raise errors.NOT_LOGGED_IN(token=value)
    call.app.destroy_token(token)
    return Ack("User logged out successfully.")


# The older names of the same two, as the oldest SDKs' endpoint table has them.
for row in tuple(table):
    for method, path in {
        "login": (("POST", "/admin/users/auth"),),
        "logout": (("DELETE", "/login"), ("DELETE", "/admin/users/auth/{authToken}")),
    }.get(row.id, ()):
        by_path = {"body": None, "headers": ()} if "{" in path else {}
        table.rows.append(row.at(method, path, **by_path))

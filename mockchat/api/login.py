"""Login and logout in one request, for clients without an SDK (product section 3)."""

from mockchat.api import requests, schemas
from mockchat.api.access import text
from mockchat.api.me import logged_in, pass_hold
from mockchat.api.operation import Access, Ack, Call, OperationTable
from mockchat.api.schemas import Me, Profile, profile
from mockchat.api.validation import Loader
from mockchat.core import errors
from mockchat.core.entities import UserCaller
from mockchat.core.errors import ApiError, Evidence
from mockchat.core.limits import CORE_LIMIT

table = OperationTable()

_load_uid = Loader(requests.LoginUid)


@table.add(
    "POST",
    "/login",
    access=Access.LOGIN,
    body=requests.LoginRequest,
    returns=schemas.MeSchema,
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
)
async def login(call: Call) -> Me:
    """Log in with a uid and an api key, or with an auth token.

    The login is in progress until it is answered: meanwhile the device, uid or token has no
    second one.
    """
    app, token = call.app, call.caller.token if isinstance(call.caller, UserCaller) else None
    uid = token.uid if token else _uid(call)
    with app.login(call.device or (token.value if token else uid)):
        await call.sleep(app.rules.login_latency)
        await pass_hold(call, uid)
        if token is None:
            token = app.issue_token(app.user(uid), device=call.device)
        caller = app.user_caller(token.value)  # it may have died meanwhile
        app.use_token(caller.token, call.device or "")
        return logged_in(call, caller)


def _uid(call: Call) -> str:
    """Return the uid to log in; a user that exists may have any, since fixtures break the rules."""
    uid = text(call.body.get("uid")).lower()
    if call.app.find_user(uid) is None:
        return str(_load_uid({"uid": call.body.get("uid")})["uid"])
    return uid


def _token(call: Call) -> str:
    return text(call.body.get("auth_token") or call.headers.get("authtoken"))


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
    call.app.destroy_token(token, by_logout=True)
    return Ack("User logged out successfully.")


# The older names of the same two, as the oldest SDKs' endpoint table has them.
for row in tuple(table):
    for method, path in {
        "login": (("POST", "/admin/users/auth"),),
        "logout": (("DELETE", "/login"), ("DELETE", "/admin/users/auth/{authToken}")),
    }.get(row.id, ()):
        by_path = {"body": None, "headers": ()} if "{" in path else {}
        table.rows.append(row.at(method, path, **by_path))

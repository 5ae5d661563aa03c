"""Auth tokens: create, list, flush, get, update and delete (reference section 6)."""

from mockchat.api import requests, schemas
from mockchat.api.access import Access
from mockchat.api.operation import PATH_UID_ERRORS, Ack, Call, OperationTable, Page
from mockchat.core import errors
from mockchat.core.entities import AuthToken
from mockchat.core.errors import Evidence

table = OperationTable(
    access=Access.FULL_KEY, returns=schemas.TokenDetailSchema, errors=PATH_UID_ERRORS
)

_TOKEN_ERRORS = (*PATH_UID_ERRORS, errors.TOKEN_NOT_FOUND, errors.AUTH_TOKEN_NOT_ACCESSIBLE)
_TOKENS = "/users/{uid}/auth_tokens"
_TOKEN = f"{_TOKENS}/{{authToken}}"


def describe(token: AuthToken, call: Call) -> AuthToken:
    """Store on the token how the call's body describes the client."""
    for attribute in ("platform", "user_agent", "app_info"):
        if attribute in call.body:
            setattr(token, attribute, call.body[attribute] or None)
    if token.platform is None and (sdk := call.headers.get("sdk")):
        token.platform = sdk.partition("@")[0]  # `android@4.0.10`
    if push_token := requests.push_token_in(call.body):
        token.add_push_token(token.platform or "fcm", push_token)
    call.app.note(token)
    return token


def _token_in_path(call: Call) -> AuthToken:
    return call.app.token_of(call.user_in_path(), call.path["authToken"])


@table.post(_TOKENS, access=Access.ANY_KEY, body=requests.TokenCreate, returns=schemas.TokenSchema)
def create_auth_token(call: Call) -> AuthToken:
    """Create an auth token, or return the device's valid one."""
    user = call.user_in_path()
    # Only the body names the slot: the resource header that SDKs send is new at every start.
    device = call.body.get("device_id") or None
    token = call.app.issue_token(user, force=bool(call.body["force"]), device=device)
    return describe(token, call)


@table.get(_TOKENS, query=requests.Paging)
def list_auth_tokens(call: Call) -> Page:
    """List a user's auth tokens, the newest first."""
    return call.page(call.app.live_tokens(call.user_in_path()))


@table.delete(_TOKENS)
def flush_auth_tokens(call: Call) -> Ack:
    """Delete all auth tokens of a user."""
    user = call.user_in_path()
    call.app.flush_tokens(user)
    return Ack(f"Cleared Auth Tokens successfully for uid {user.key}.")


@table.get(_TOKEN, errors=_TOKEN_ERRORS)
def get_auth_token(call: Call) -> AuthToken:
    """Get an auth token."""
    return _token_in_path(call)


@table.put(_TOKEN, body=requests.Device, errors=_TOKEN_ERRORS)
def update_auth_token(call: Call) -> AuthToken:
    """Update the description of an auth token's client."""
    return describe(_token_in_path(call), call)


@table.delete(
    _TOKEN,
    errors=_TOKEN_ERRORS,
    evidence=Evidence.ASSUMED,  # the vendor's sample shows another operation's text
)
def delete_auth_token(call: Call) -> Ack:
    """Delete an auth token."""
    token = _token_in_path(call)
    call.app.destroy_token(token)
    return Ack(f"The Auth Token {token.value} has been deleted successfully.")

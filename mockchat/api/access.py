"""Access: the check of a request's credentials, which returns its caller."""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from mockchat.core import errors
from mockchat.core.entities import Caller, KeyCaller, Scope, UserCaller
from mockchat.core.errors import ErrorDef
from mockchat.core.state import App

Headers = Mapping[str, str]  # by name in any case
Fields = Callable[[], Mapping[str, Any]]  # of the body; raises BAD_REQUEST
Check = Callable[[App, Headers, Fields], Caller | None]


def _any_key(app: App, headers: Headers, _fields: Fields) -> KeyCaller:
    return app.key_caller(headers.get("apiKey", ""))


def _full_key(app: App, headers: Headers, _fields: Fields) -> KeyCaller:
    caller = app.key_caller(headers.get("apiKey", ""))
    if caller.scope is not Scope.FULL_ACCESS:
        raise errors.NO_ACCESS(key=errors.mask(caller.key))
    return caller


def _token(app: App, headers: Headers, _fields: Fields) -> UserCaller:
    return app.user_caller(headers.get("authToken", ""))


def _full_key_or_token(app: App, headers: Headers, fields: Fields) -> Caller:
    by_token = "authToken" in headers and "apiKey" not in headers
    return (_token if by_token else _full_key)(app, headers, fields)


def _login(app: App, headers: Headers, fields: Fields) -> Caller:
    """Return the user of an auth token, or for a uid the api key; the body wins over headers."""
    body = fields()
    if "uid" not in body and ("authToken" in body or "authToken" in headers):
        return app.user_caller(text(body.get("authToken") or headers.get("authToken")))
    return app.key_caller(text(body.get("authKey") or body.get("apiKey") or headers.get("apiKey")))


def _nothing(_app: App, _headers: Headers, _fields: Fields) -> None:
    return None


def text(value: Any) -> str:
    """Return a credential as text; empty for anything but a text or a number."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


_KEY = (errors.KEY_MISSING, errors.KEY_UNKNOWN)
_FULL = (*_KEY, errors.NO_ACCESS)
_TOKEN = (errors.AUTH_TOKEN_MISSING, errors.AUTH_TOKEN_WITH_SPACE, errors.AUTH_TOKEN_UNKNOWN)


class Access(Enum):
    """The credential that a caller must have, its errors and its check."""

    PUBLIC = ("nothing", (), _nothing)
    ANY_KEY = ("api key", _KEY, _any_key)  # of either scope
    FULL_KEY = ("full-access key", _FULL, _full_key)
    TOKEN = ("auth token", _TOKEN, _token)
    FULL_KEY_OR_TOKEN = ("full-access key or auth token", (*_FULL, *_TOKEN), _full_key_or_token)
    LOGIN = ("auth token, or api key and uid", (*_KEY, *_TOKEN), _login)
    # Checked by the guard of the control API.
    CONTROL = ("control token, if set", (errors.CONTROL_TOKEN,), _nothing)

    def __init__(self, label: str, may_raise: tuple[ErrorDef, ...], caller: Check) -> None:
        self.label = label
        self.errors = may_raise
        self.caller = caller

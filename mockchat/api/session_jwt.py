"""The session JWT: issued at login, shown by a client when it opens its WebSocket."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import orjson

from mockchat.core import errors
from mockchat.core.entities import AuthToken, UserCaller
from mockchat.core.errors import ApiError
from mockchat.core.state import App

_ALGORITHM = "HS256"


def _encoded(part: bytes) -> bytes:
    return urlsafe_b64encode(part).rstrip(b"=")


_HEADER = _encoded(orjson.dumps({"alg": _ALGORITHM, "typ": "JWT"}))


def session_jwt(app: App, token: AuthToken) -> str:
    """Return the JWT that stands for `token`, the same at every login with it.

    It lives as long as the token: SDKs reconnect with the one they have (sdk-wire section 5).
    """
    if token.jwt is None:
        token.jwt = issue_jwt(app, token, {}, token.created_at)
    return token.jwt


def issue_jwt(app: App, token: AuthToken, passthrough: dict[str, Any], now: int) -> str:
    """Return a JWT that stands for `token` and carries `passthrough`.

    What the live one holds is not known. Signed here, not by PyJWT, which would cost as much as
    the rest of a login; PyJWT checks it.
    """
    claims: dict[str, Any] = {
        "iss": "mockchat",
        "sub": token.uid,
        "appId": app.id,
        "jti": token.value.removeprefix(f"{token.uid}_"),
        "iat": now,
    }
    if app.rules.token_ttl is not None:
        claims["exp"] = int(token.created_at + app.rules.token_ttl)
    if passthrough:
        claims["passthrough"] = passthrough
    signed = _HEADER + b"." + _encoded(orjson.dumps(claims))
    signature = hmac.digest(app.secret.encode(), signed, "sha256")
    return (signed + b"." + _encoded(signature)).decode()


def app_id_in(text: str) -> str | None:
    """Return the app that a JWT says it is of, before anyone has checked it."""
    part = text.split(".")[1] if text.count(".") == 2 else ""  # noqa: PLR2004
    try:
        claims = orjson.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        return None
    return str(claims["appId"]) if isinstance(claims, dict) and "appId" in claims else None


def require_jwt(app: App, text: str) -> tuple[UserCaller, dict[str, Any]]:
    """Return what `check_jwt` does; raise AUTH_TOKEN_MISSING or AUTH_TOKEN_UNKNOWN."""
    if not text:
        raise errors.AUTH_TOKEN_MISSING()
    found = check_jwt(app, text)
    if found is None:
        raise errors.AUTH_TOKEN_UNKNOWN(token=text)
    return found


def check_jwt(app: App, text: str) -> tuple[UserCaller, dict[str, Any]] | None:
    """Return whom the JWT stands for and what was passed through, or None.

    None is for a forged, foreign or outlived one.
    """
    import jwt  # noqa: PLC0415  # 40 ms that a start must not pay

    try:
        # The token it stands for decides on expiry, by the app's clock.
        options: Any = {"verify_exp": False, "verify_iat": False, "require": ["sub", "jti"]}
        claims = jwt.decode(text, app.secret, algorithms=[_ALGORITHM], options=options)
        caller = app.user_caller(f"{claims['sub']}_{claims['jti']}")
    except (jwt.InvalidTokenError, ApiError):
        return None
    return caller, claims.get("passthrough", {})

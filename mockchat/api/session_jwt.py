"""The session JWT: a login issues it, the client sends it when it opens its WebSocket."""

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

    It is valid as long as the token: SDKs reconnect with it (sdk-wire section 5).
    """
    if token.jwt is None:
        token.jwt = issue_jwt(app, token, {}, token.created_at)
    return token.jwt


def issue_jwt(app: App, token: AuthToken, passthrough: dict[str, Any], now: int) -> str:
    """Return a JWT that stands for `token` and carries `passthrough`.

    The claims of the live service are not known. PyJWT would take as long to sign as the rest of a
    login takes; it only checks.
    """
    claims: dict[str, Any] = {
        "iss": "mockchat",
        "sub": token.uid.lower(),
        "appId": app.id,
        "jti": token.value.removeprefix(f"{token.uid.lower()}_"),
        "iat": now,
    }
    if app.rules.token_ttl is not None:
        claims["exp"] = int(token.created_at + app.rules.token_ttl)
    if passthrough:
        claims["passthrough"] = passthrough
    signed = _HEADER + b"." + _encoded(orjson.dumps(claims))
    signature = hmac.digest(app.secret.encode(), signed, "sha256")
    return (signed + b"." + _encoded(signature)).decode()


def claim_in(text: str, name: str) -> str | None:
    """Return a claim of a JWT, whose signature is not checked yet."""
    part = text.split(".")[1] if text.count(".") == 2 else ""  # noqa: PLR2004
    try:
        claims = orjson.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        return None
    return str(claims[name]) if isinstance(claims, dict) and name in claims else None


def require_jwt(app: App, text: str) -> tuple[UserCaller, dict[str, Any]]:
    """Return the result of `check_jwt`; raise AUTH_TOKEN_MISSING or AUTH_TOKEN_UNKNOWN."""
    if not text:
        raise errors.AUTH_TOKEN_MISSING()
    found = check_jwt(app, text)
    if found is None:
        raise errors.AUTH_TOKEN_UNKNOWN(token=text)
    return found


def check_jwt(app: App, text: str) -> tuple[UserCaller, dict[str, Any]] | None:
    """Return the user of a JWT and its `passthrough`; None if it is forged, foreign or expired."""
    import jwt  # noqa: PLC0415  # 40 ms that a start must not pay

    try:
        # The JWT expires with its auth token, by the app's clock.
        options: Any = {"verify_exp": False, "verify_iat": False, "require": ["sub", "jti"]}
        claims = jwt.decode(text, app.secret, algorithms=[_ALGORITHM], options=options)
        caller = app.user_caller(f"{claims['sub']}_{claims['jti']}")
    except (jwt.InvalidTokenError, UnicodeEncodeError, ApiError):
        return None
    return caller, claims.get("passthrough", {})

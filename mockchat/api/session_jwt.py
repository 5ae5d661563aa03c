"""The session JWT: issued at login, shown by a client when it opens its WebSocket."""

from typing import Any

from mockchat.core.entities import AuthToken, UserCaller
from mockchat.core.errors import ApiError
from mockchat.core.state import App

_ALGORITHM = "HS256"
_LIFETIME = 24 * 60 * 60  # seconds; a longer session asks POST /me/jwt for the next one


def issue_jwt(app: App, token: AuthToken, passthrough: dict[str, Any] | None = None) -> str:
    """Return a JWT that stands for `token` for a day; what the live one holds is not known."""
    import jwt  # noqa: PLC0415  # 40 ms that a start must not pay

    claims = {
        "iss": "mockchat",
        "sub": token.uid,
        "appId": app.id,
        "jti": token.value.removeprefix(f"{token.uid}_"),
        "iat": app.now,
        "exp": app.now + _LIFETIME,
    }
    if passthrough:
        claims["passthrough"] = passthrough
    return jwt.encode(claims, app.secret, algorithm=_ALGORITHM)


def check_jwt(app: App, text: str) -> UserCaller | None:
    """Return whom the JWT stands for, or None for a forged, expired or foreign one."""
    import jwt  # noqa: PLC0415

    try:
        # The app's clock decides on expiry, not the wall's.
        options: Any = {"verify_exp": False, "verify_iat": False, "require": ["sub", "jti", "exp"]}
        claims = jwt.decode(text, app.secret, algorithms=[_ALGORITHM], options=options)
        if claims["exp"] <= app.now:
            return None
        return app.user_caller(f"{claims['sub']}_{claims['jti']}")
    except (jwt.InvalidTokenError, ApiError):
        return None

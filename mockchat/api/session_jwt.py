"""The session JWT: a login issues it, the client sends it when it opens its WebSocket.

Its claims and its signature are those of the one specimen that is known (reference section 15.6).
"""

import contextlib
import os
import re
from base64 import urlsafe_b64decode
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import mkstemp
from typing import Any, NamedTuple

import orjson

from mockchat.core import errors
from mockchat.core.entities import AuthToken, UserCaller
from mockchat.core.errors import ApiError
from mockchat.core.state import App

_ALGORITHM = "RS256"
_KEY_BITS = 2048
_LIFE = 5_260_000  # seconds, about two months
_HEAD_START = 3600  # seconds for clients whose clock is slow
_SUBJECT = re.compile(r"\[([^\[\]]*)\](.+)", re.DOTALL)
# The app's clock decides on the expiry; a test may move it back before the JWT was issued.
_OPTIONS: Any = {
    "require": ["sub", "exp", "data"],
    **dict.fromkeys(("verify_exp", "verify_iat", "verify_nbf", "verify_aud"), False),
}


class Key(NamedTuple):
    """A pair of RSA keys and its id."""

    private: Any
    public: Any
    id: str


@cache
def _key(file: Path | None) -> Key:
    """Return the key in a file, which is made where there is none; without a file, one for all.

    Importing and making it takes a quarter of a second, which a start must not pay.
    """
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

    private: Any = None
    with contextlib.suppress(OSError, ValueError, TypeError):  # missing, damaged, locked
        private = file and form.load_pem_private_key(file.read_bytes(), None)
    if private is None:
        private = rsa.generate_private_key(65537, _KEY_BITS)
        pem = private.private_bytes(
            form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()
        )
        if file is not None:
            _write(file, pem)
    public = private.public_key()
    der = public.public_bytes(form.Encoding.DER, form.PublicFormat.SubjectPublicKeyInfo)
    return Key(private, public, sha256(der).hexdigest()[:16])


def _write(file: Path, content: bytes) -> None:
    with contextlib.suppress(OSError):  # then the key lasts as long as the server
        handle, beside = mkstemp(prefix=f".{file.name}.", dir=file.parent)  # of the owner alone
        with os.fdopen(handle, "wb") as new:
            new.write(content)
        Path(beside).replace(file)


class SessionJwts:
    """Issues and checks the session JWTs of a server.

    They are signed with a key that is made at the first login. With a `key_file` they outlive the
    server, as the auth tokens in a state file do.
    """

    def __init__(self, region: str, key_file: Path | None = None) -> None:
        self._region = region
        self._key_file = key_file

    @property
    def key(self) -> Key:
        """The key that signs."""
        return _key(self._key_file)

    def public_keys(self) -> dict[str, Any]:
        """Return the JSON Web Key Set by which others check the JWTs."""
        from jwt.algorithms import RSAAlgorithm  # noqa: PLC0415

        key = self.key
        shown = RSAAlgorithm.to_jwk(key.public, as_dict=True)
        kept = {name: shown[name] for name in ("kty", "n", "e")}
        return {"keys": [{**kept, "use": "sig", "alg": _ALGORITHM, "kid": key.id}]}

    def of(self, app: App, token: AuthToken) -> str:
        """Return the JWT that stands for `token`, the same at every login until it expires.

        SDKs reconnect with it (sdk-wire section 5).
        """
        if token.jwt is None or token.jwt[1] <= app.now:
            token.jwt = self.issue(app, token, {}), self._end(app, token)
        return token.jwt[0]

    @staticmethod
    def _end(app: App, token: AuthToken) -> int:
        """Return the unix second at which a JWT issued now expires; it never outlives its token."""
        end, ttl = app.now + _LIFE, app.rules.token_ttl
        return end if ttl is None else min(end, int(token.created_at + ttl))

    def issue(self, app: App, token: AuthToken, passthrough: dict[str, Any]) -> str:
        """Return a JWT that stands for `token` and carries `passthrough`."""
        import jwt  # noqa: PLC0415  # 40 ms that a start must not pay

        data = {"appId": app.id, "region": self._region, "authToken": token.value}
        claims = {
            "iss": f"{app.id}.apiclient-{self._region}.cometchat.io",
            "aud": "*",
            "sub": _subject(app, token.uid),
            "iat": app.now,
            "nbf": app.now - _HEAD_START,
            "exp": self._end(app, token),
            "data": data | ({"passthrough": passthrough} if passthrough else {}),
        }
        key = self.key
        return jwt.encode(claims, key.private, algorithm=_ALGORITHM, headers={"kid": key.id})

    def check(self, app: App, text: str) -> tuple[UserCaller, dict[str, Any]] | None:
        """Return the user of a JWT and its `passthrough`.

        None if it is forged, foreign or expired.
        """
        import jwt  # noqa: PLC0415

        try:
            claims = jwt.decode(text, self.key.public, algorithms=[_ALGORITHM], options=_OPTIONS)
            caller = app.user_caller(claims["data"]["authToken"])
        except (jwt.InvalidTokenError, UnicodeEncodeError, ApiError):
            return None
        if claims["sub"] != _subject(app, caller.user.uid) or claims["exp"] <= app.clock.now():
            return None
        return caller, claims["data"].get("passthrough", {})

    def require(self, app: App, text: str) -> tuple[UserCaller, dict[str, Any]]:
        """Return the result of `check`; raise AUTH_TOKEN_MISSING or AUTH_TOKEN_UNKNOWN."""
        if not text:
            raise errors.AUTH_TOKEN_MISSING()
        found = self.check(app, text)
        if found is None:
            raise errors.AUTH_TOKEN_UNKNOWN(token=text)
        return found


def _subject(app: App, uid: str) -> str:
    return f"[{app.id}]{uid.lower()}"


def subject_in(text: str) -> tuple[str, str] | None:
    """Return the app id and the uid in a JWT, whose signature is not checked yet."""
    part = text.split(".")[1] if text.count(".") == 2 else ""  # noqa: PLR2004
    try:
        claims = orjson.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        return None
    found = _SUBJECT.fullmatch(str(claims.get("sub"))) if isinstance(claims, dict) else None
    return (found[1], found[2]) if found else None

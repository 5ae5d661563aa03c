"""Masking: tokens and keys as logs, HAR files and reports show them."""

import re
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from mockchat.core.journal import Exchange

_FIELD = (
    r"(?:auth|call|fcm|device|voip|push|fcmdevice)(?:_|-)?token|(?:x-)?(?:api|auth)(?:_|-)?key|"
    r"jwt|auth|token|secret|password|authorization|cookie"
)


def _in_url(words: str) -> str:
    """Return a pattern that finds words also where letters are percent-encoded."""
    return re.sub(
        "[a-z_]", lambda one: f"(?:{one[0]}|%{ord(one[0].upper()):x}|%{ord(one[0]):x})", words
    )


@cache
def _places() -> tuple["re.Pattern[str]", ...]:
    """Return the places: in a path, in a query or form, after a scheme, before a host, in JSON.

    They are compiled when a text may hold a secret: that takes as long as to import five modules.
    """
    return (
        re.compile(rf"(?i)/(?:{_in_url('auth_tokens|apikeys|users/auth')})/([^/?#\s]+)"),
        re.compile(
            r"(?i)(?:^|[?&;#])(?=[^=&?;#\s]*+=)"  # else a long name takes a search for each bracket
            rf"(?:[^=&?;#\s]*(?:\[|%5b))?(?:{_in_url(_FIELD)})"
            r"(?:(?:[\[\]]|%5b|%5d)[^=&?;#\s]*)?=([^&#\s]+)"
        ),
        re.compile(r"(?i)b(?:earer|asic)(?:%20|%09|\+)+([^&#\s]+)"),
        re.compile(r"(?i)(?://|^connect )([^/?#\s\"]+)(?=@)"),
        re.compile(rf'(?i)"(?:{_FIELD})"\s*:\s*\[?\s*"((?:[^"\\]|\\.)+)'),
    )


_MAY_HOLD = re.compile(r'[="%+@]|(?i:/auth_tokens/|/apikeys/|/users/auth/)')  # in every such place
_STARS = "*****"
_SHOWN = 5  # characters of a long secret, enough to tell one from another
_LONG = 8  # a shorter text may stand anywhere by chance


def masked(text: str) -> str:
    """Return a text without the tokens and keys that stand in it by name."""
    if _MAY_HOLD.search(text):
        for place in _places():
            text = place.sub(_mask_value, text)
    return text


def masked_target(method: str, target: str) -> str:
    """Return the target of a request so; a password may stand before the host of CONNECT."""
    if method != "CONNECT":
        return masked(target)
    return masked(f"{method} {target}").removeprefix(f"{method} ")


def _mask_value(match: "re.Match[str]") -> str:
    at = match.start(1) - match.start()
    return match[0][:at] + _starred(match[1])


def _starred(secret: str) -> str:
    if secret.endswith(_STARS):  # it is masked already
        return secret
    return (secret[:_SHOWN] if len(secret) > 2 * _SHOWN else "") + _STARS


class Mask:
    """Masks the texts of one exchange: a token that its request names stands in its answer, too."""

    def __init__(self, exchange: "Exchange") -> None:
        found: set[str] = set()
        sides = (exchange.request, exchange.response)
        texts = [f"{exchange.method} {exchange.target}", *(one.text for one in sides)]
        for text in (*texts, *(frame.text for frame in exchange.frames)):
            for place in _places():
                found.update(place.findall(text))
        for side in sides:
            found.update(
                value
                for name, value in side.headers.items()
                if re.fullmatch(_FIELD, name, re.IGNORECASE)
            )
        found |= {unquote(secret) for secret in found}
        self._secrets = found - {""}
        # The longest first: one may be a part of another one.
        self._long = sorted((one for one in found if len(one) >= _LONG), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return a text without the secrets of the exchange."""
        if text in self._secrets:
            return _starred(text)
        for secret in self._long:
            text = text.replace(secret, _starred(secret))
        return masked(text)

    def all(self, value: Any) -> Any:
        """Return plain data without the secrets of the exchange."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, dict):
            return {name: self.all(one) for name, one in value.items()}
        return [self.all(one) for one in value] if isinstance(value, list) else value

"""The field types of control requests, beyond those of the emulated API."""

import re
from datetime import UTC, datetime
from typing import Any

from mockchat.api.validation import Field, String
from mockchat.core.clock import LONGEST, SHORT, seconds

LATEST_WISH = 7_000_000_000  # that time can be set to, in the year 2191


class AppId(String):
    """The id of an app: 1 to 64 letters, digits, dashes and underscores."""

    PATTERN = r"[A-Za-z0-9_-]{1,64}"

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        fraction = isinstance(value, float) and not value.is_integer()
        given = "" if fraction else str(super()._deserialize(value))
        # An empty one is an id that somebody forgot, rather than all apps.
        if not re.fullmatch(self.PATTERN, given):
            raise self.no("plain", reason="must be 1 to 64 letters, digits, - or _")
        return given


class Span(Field):
    """Seconds, or a duration like `250ms`, `2s` or `1h`."""

    def __init__(self, longest: float = LONGEST, **options: Any) -> None:
        super().__init__(**options)
        self.longest = longest

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self.no("duration")
        value = value.strip() if isinstance(value, str) else value
        if isinstance(value, str) and not re.fullmatch(SHORT, value):
            raise self.no("duration")
        found = seconds(value) if isinstance(value, str) else value
        if not 0 <= found <= self.longest:
            raise self.no("between", least=0, most=f"{self.longest:.0f} seconds")
        return float(found)


class Share(Field):
    """A probability from 0 to 1."""

    PATTERN = r"0(\.[0-9]{1,9})?|1(\.0{1,9})?"

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> float:
        if isinstance(value, str) and re.fullmatch(self.PATTERN, value.strip()):
            return float(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise self.no("between", least=0, most=1)
        return float(value)


_LONG, _MIDDLE = "0[13578]|1[02]", "0[469]|11"  # months
_LEAP_YEAR = "19([79][26]|8[048])|20([02468][048]|[13579][26])|21(0[48]|[2468][048]|[1357][26])"
_DAY = (
    "(19[7-9]|20[0-9]|21[0-8])[0-9]-"
    f"(({_LONG}|{_MIDDLE})-(0[1-9]|[12][0-9]|30)|({_LONG})-31|02-(0[1-9]|1[0-9]|2[0-8]))"
    f"|({_LEAP_YEAR})-02-29"
)
_HOUR = "([01][0-9]|2[0-3]):[0-5][0-9]"


class Instant(Field):
    """Unix seconds, or a time like `2026-01-31T12:00:00Z` (UTC unless it says otherwise)."""

    NUMBER = r"[1-6]?[0-9]{1,9}(\.[0-9]{1,9})?"
    DATE = rf"({_DAY})([T ]{_HOUR}(:[0-5][0-9](\.[0-9]{{1,6}})?)?(Z|[+-]{_HOUR})?)?"

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self.no("instant")
        text = value.strip() if isinstance(value, str) else None
        if text is not None and re.fullmatch(self.DATE, text):
            moment = datetime.fromisoformat(text)
            value = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        elif text is not None and not re.fullmatch(self.NUMBER, text):
            raise self.no("instant")
        value = float(value) if isinstance(value, str) else value
        if not 0 <= value <= LATEST_WISH:
            raise self.no("between", least=0, most=f"{LATEST_WISH} unix seconds")
        return float(value)


class AnyObject(Field):
    """A JSON object, of any size."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.no("object")
        return value


class State(AnyObject):
    """What apps hold, by app id."""


class ErrorCode(String):
    """A code or a name of the error catalogue, or a status."""


class Fixture(Field):
    """The name of a shipped fixture or of one the server was started with, or a fixture itself."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str | dict[str, Any]:
        if isinstance(value, dict) or (isinstance(value, str) and value.strip()):
            return value
        raise self.no("fixture")

"""The field types of control requests, beyond those of the emulated API."""

import math
from datetime import UTC, datetime
from typing import Any

from mockchat.api.validation import Field
from mockchat.core.durations import seconds

LATEST = 9_999_999_999  # unix seconds: auth tokens hold ten digits of them
_LONGEST = float(LATEST)


class Span(Field):
    """Seconds, or a duration like `250ms`, `2s` or `1h`."""

    def __init__(self, longest: float = _LONGEST, **options: Any) -> None:
        super().__init__(**options)
        self.longest = longest

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self.no("duration")
        try:
            found = seconds(value.strip() if isinstance(value, str) else value)
        except (ValueError, OverflowError):
            raise self.no("duration") from None
        if not 0 <= found <= self.longest:
            raise self.no("between", least=0, most=f"{self.longest:g} seconds")
        return found


class Share(Field):
    """A probability from 0 to 1."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> float:
        try:
            found = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            found = math.nan
        if not 0 <= found <= 1:
            raise self.no("between", least=0, most=1)
        return found


class Instant(Field):
    """Unix seconds, or a time like `2026-01-31T12:00:00Z` (UTC unless it says otherwise)."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self.no("instant")
        try:
            found = float(value)
        except ValueError:
            found = self._read(str(value))
        except OverflowError:
            found = math.inf
        if not 0 <= found <= LATEST:
            raise self.no("between", least=0, most=f"{LATEST} unix seconds")
        return found

    def _read(self, text: str) -> float:
        try:
            moment = datetime.fromisoformat(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            raise self.no("instant") from None


class AnyObject(Field):
    """A JSON object, of any size."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.no("object")
        return value


class Fixture(Field):
    """The name of a shipped fixture or of one the server was started with, or a fixture itself."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str | dict[str, Any]:
        if isinstance(value, dict) or (isinstance(value, str) and value.strip()):
            return value
        raise self.no("fixture")

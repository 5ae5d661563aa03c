"""The field types that only control requests have."""

import math
import re
from typing import Any, ClassVar

from marshmallow import ValidationError

from mockchat.api import OPERATIONS, UNBUILT
from mockchat.api.fields import Choice, Field, String
from mockchat.api.validation import text
from mockchat.core.clock import LONGEST, seconds, unix
from mockchat.core.matching import SOCKET
from mockchat.core.setting_kinds import APP_ID, app_id
from mockchat.core.webhooks import MAX_URL, OPERATION, URL, checked_url
from mockchat.core.words import guess

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
LATEST_WISH = 7_000_000_000  # the latest time that a clock can be set to, in the year 2191


def _plain_number(value: Any) -> float:
    """Return a number, also from its text; nan for anything else."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}(\.[0-9]{1,18})?", value.strip()):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > LONGEST**2:
        return math.nan
    return float(value)


class AppId(String):
    """The id of an app: 1 to 64 letters, digits, dashes and underscores."""

    def __init__(self, **options: Any) -> None:
        super().__init__(says={"pattern": f"^{APP_ID}$"}, **options)

    def _read(self, value: Any) -> str:
        fraction = isinstance(value, float) and not value.is_integer()
        given = "" if fraction else super()._read(value)
        # An empty id does not mean all apps: somebody forgot the id.
        try:
            return str(app_id(given))
        except ValueError as error:
            raise self.no("plain", reason=str(error)) from None


class HttpUrl(String):
    """The URL of a webhook."""

    def __init__(self, **options: Any) -> None:
        super().__init__(maximum=MAX_URL, says={"pattern": f"^{URL}$"}, **options)

    def _read(self, value: Any) -> str:
        try:
            return checked_url(super()._read(value))
        except ValueError as error:
            raise self.no("plain", reason=str(error)) from None


OPERATION_NAMES = tuple(sorted({row.id for row in (*OPERATIONS, *UNBUILT)} | {SOCKET, OPERATION}))


class OperationName(Choice):
    """The name of an operation of the emulated API, as `mockchat routes` lists them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(OPERATION_NAMES, **options)

    def refusal(self, word: str) -> ValidationError:
        """Return the refusal of another word; the names are too many to list."""
        near = guess(word, self.choices) or " `mockchat routes` lists them."
        return ValidationError(text("exists") + near)


class Method(Choice):
    """An HTTP method, in any case."""

    def __init__(self, **options: Any) -> None:
        super().__init__(METHODS, **options)

    def _read(self, value: Any) -> str:
        return super()._read(value.upper() if isinstance(value, str) else value)


class Span(Field):
    """Seconds, or a duration like `250ms`, `2s` or `1h`."""

    def __init__(self, longest: float = LONGEST, **options: Any) -> None:
        any_span = r"[0-9]{1,4}(\.[0-9]{1,9})?(ms|s|m|h|d)?"
        in_a_minute = r"[0-5]?[0-9](\.[0-9]{1,9})?s?|[0-9]{1,4}ms"
        pattern = f"^({in_a_minute if longest < LONGEST else any_span})$"
        said = {"type": ["number", "string"], "minimum": 0, "maximum": longest, "pattern": pattern}
        super().__init__(says=said, **options)
        self.longest = longest

    def _read(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self.no("duration")
        try:
            found = seconds(value.strip() if isinstance(value, str) else value)
        except (ValueError, OverflowError):
            raise self.no("duration") from None
        if not 0 <= found <= self.longest:
            raise self.no("between", least=0, most=f"{self.longest:.0f} seconds")
        return found


class Share(Field):
    """A probability from 0 to 1."""

    SAYS: ClassVar = {"type": "number", "minimum": 0, "maximum": 1}

    def _read(self, value: Any) -> float:
        share = _plain_number(value)
        if not 0 <= share <= 1:
            raise self.no("between", least=0, most=1)
        return share


class Instant(Field):
    """Unix seconds, or a time like `2026-01-31T12:00:00Z` (UTC unless it says otherwise)."""

    SAYS: ClassVar = {
        "type": ["number", "string"],
        "minimum": 0,
        "maximum": LATEST_WISH,
        "format": "date-time",
    }

    def _read(self, value: Any) -> float:
        found = _plain_number(value)
        if math.isnan(found):
            if not isinstance(value, str):
                raise self.no("instant")
            try:
                found = unix(value)
            except ValueError:
                raise self.no("instant") from None
        if not 0 <= found <= LATEST_WISH:
            raise self.no("between", least=0, most=f"{LATEST_WISH} unix seconds")
        return found


class Json(Field):
    """A JSON object."""

    SAYS: ClassVar = {"type": "object"}

    def _read(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.no("object")
        return value

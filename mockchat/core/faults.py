"""Faults: which exchanges are to go wrong, how often, and in which way."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple, TypeVar

from mockchat.core import errors
from mockchat.core.durations import seconds
from mockchat.core.error_types import ErrorDef, Evidence, Face
from mockchat.core.errors import CATALOGUE, ApiError
from mockchat.core.fault_kinds import KINDS, CredentialError, Error, HttpKind, Kind
from mockchat.core.ids import Ids
from mockchat.core.matching import Asked, Pattern

Struck = TypeVar("Struck", bound=Kind)

MAX_RULES = 1000
LONGEST = 86_400  # seconds
BOUNDS = {
    "status": (200, 599),
    "close_code": (1000, 4999),
    "arriving": (0, 10**9),
}


class FaultError(ValueError):
    """A fault was described that cannot be; `field` is the part that is wrong."""

    def __init__(self, field_: str, reason: str) -> None:
        super().__init__(f"{field_}: {reason}")
        self.field = field_
        self.reason = reason


class Preset(NamedTuple):
    """A fault in the words of a tester: errors, each for the requests that a pattern means."""

    does: str
    strikes: tuple[tuple[ErrorDef, Pattern], ...]


_BY_TOKEN, _BY_KEY = Pattern(shows="token"), Pattern(shows="key")
_DEAD_TOKEN = (errors.AUTH_TOKEN_UNKNOWN, _BY_TOKEN)
PRESETS: dict[str, Preset] = {
    "token_expired": Preset("Auth tokens have expired.", (_DEAD_TOKEN,)),
    "token_revoked": Preset("Auth tokens were revoked.", (_DEAD_TOKEN,)),
    "key_revoked": Preset("The api keys were revoked.", ((errors.KEY_UNKNOWN, _BY_KEY),)),
    "wrong_app": Preset("The app id is unknown.", ((errors.APP_ID_INVALID, Pattern()),)),
    "wrong_region": Preset(
        "The app is of another region: its id is unknown.", ((errors.APP_ID_INVALID, Pattern()),)
    ),
    "user_deactivated": Preset(
        "The user was deactivated: its tokens are dead and its uid is not found.",
        (
            _DEAD_TOKEN,
            (errors.UID_NOT_FOUND, Pattern(path="/users/*/**")),
            (errors.UID_NOT_FOUND, Pattern(path="/users/{uid}")),
            (errors.UID_NOT_FOUND, Pattern(operation="login")),
        ),
    ),
    "quota_reached": Preset(
        "The plan allows no more users.",
        ((errors.QUOTA_REACHED, Pattern(operation="create_user")),),
    ),
    "login_in_progress": Preset(
        "Another login is in progress.",
        ((errors.LOGIN_IN_PROGRESS, Pattern(operation="login")),),
    ),
}


@dataclass(slots=True)
class Rule:
    """A fault that waits for its exchanges.

    `seen` counts the exchanges that it fits, `struck` those that it struck: the first `after`
    are spared, at most `times` are struck, each with `probability`.
    """

    id: int
    called: str  # the kind's or the preset's name
    kinds: tuple[tuple[Kind, Pattern], ...]
    app_id: str | None
    pattern: Pattern
    chance: Callable[[], float]
    probability: float = 1.0
    times: int | None = None
    after: int = 0
    seen: int = 0
    struck: int = 0

    def strike(self, app_id: str | None, asked: Asked, wanted: type[Struck]) -> Struck | None:
        """Return the kind that strikes this exchange, if one of the wanted does; count it."""
        if self.app_id is not None and self.app_id.lower() != (app_id or "").lower():
            return None
        if not self.pattern.fits(asked):
            return None
        for kind, narrower in self.kinds:
            if isinstance(kind, wanted) and narrower.fits(asked):
                return kind if self._counts() else None
        return None

    def _counts(self) -> bool:
        if self.times is not None and self.struck >= self.times:
            return False
        self.seen += 1
        if self.seen <= self.after:
            return False
        if self.probability < 1 and self.chance() >= self.probability:
            return False
        self.struck += 1
        return True


@dataclass(slots=True)
class Faults:
    """The rules of a server, in the order in which they were made."""

    ids: Ids
    rules: dict[int, Rule] = field(default_factory=dict)
    listeners: list[Callable[[Rule], None]] = field(default_factory=list)  # told of a new rule
    _last: int = 0

    def add(  # the knobs that every kind has
        self,
        called: str,
        parameters: Mapping[str, Any],
        *,
        app_id: str | None = None,
        pattern: Pattern | None = None,
        probability: float = 1.0,
        times: int | None = None,
        after: int = 0,
        random_seed: int | None = None,
    ) -> Rule:
        """Make a rule; raise FaultError where there can be no such one."""
        kinds = kinds_of(called, parameters)
        if len(self.rules) >= MAX_RULES:
            raise FaultError("kind", f"there are {MAX_RULES} faults already; remove some")
        ids = self.ids if random_seed is None else Ids(random_seed)
        self._last += 1
        rule = Rule(
            self._last, called, kinds, app_id, pattern or Pattern(), ids.chance,
            probability, times, after,
        )  # fmt: skip
        self.rules[rule.id] = rule
        for tell in self.listeners:
            tell(rule)
        return rule

    def of(self, app_id: str | None) -> list[Rule]:
        """Return the rules made for an app, or all of them."""
        return [
            rule
            for rule in self.rules.values()
            if app_id is None or (rule.app_id or "").lower() == app_id.lower()
        ]

    def remove(self, rules: list[Rule]) -> None:
        """Forget rules."""
        for rule in rules:
            self.rules.pop(rule.id, None)

    def striking(
        self, app_id: str | None, asked: Asked, wanted: type[Struck], *, own: bool = False
    ) -> Iterator[tuple[Struck, Rule]]:
        """Yield what of the wanted kinds strikes an exchange, each rule counted when reached.

        `own` leaves out the rules that are of no app.
        """
        for rule in tuple(self.rules.values()):
            if own and rule.app_id is None:
                continue
            kind = rule.strike(app_id, asked, wanted)
            if kind is not None:
                yield kind, rule


def kinds_of(called: str, parameters: Mapping[str, Any]) -> tuple[tuple[Kind, Pattern], ...]:
    """Return what a kind or preset of this name does; raise FaultError."""
    if preset := PRESETS.get(called):
        if parameters:
            raise FaultError(next(iter(parameters)), f"{called} takes no parameters")
        return tuple((CredentialError(code=row.name), pattern) for row, pattern in preset.strikes)
    if called not in KINDS:
        names = ", ".join((*KINDS, *PRESETS))
        raise FaultError("kind", f"there is no kind {called!r}; there are {names}")
    return ((_kind(KINDS[called], parameters), Pattern()),)


def _kind(kind: type[Kind], parameters: Mapping[str, Any]) -> Kind:
    known = {one.name: one for one in fields(kind)}  # type: ignore[arg-type]
    values = {}
    for name, value in parameters.items():
        if name not in known:
            names = ", ".join(known) or "none"
            raise FaultError(name, f"{kind.name} has no such parameter; there are {names}")
        values[name] = _parameter(name, value, known[name].type)
    made = kind(**values)
    if isinstance(made, Error):
        error_named(made.code, made.status, made.message)
    return made


def _parameter(name: str, value: Any, declared: Any) -> Any:
    if declared is float:
        return _span(name, value)
    if declared is str or declared == str | None:
        if not isinstance(value, str):
            raise FaultError(name, "must be a text")
        return value
    least, most = BOUNDS[name]
    digits = str(value)
    if isinstance(value, bool) or not digits.isascii() or not digits.isdigit():
        raise FaultError(name, "must be a whole number")
    if len(digits) > len(str(most)) or not least <= int(digits) <= most:
        raise FaultError(name, f"must be between {least} and {most}")
    return int(digits)


def _span(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise FaultError(name, "must be seconds or a duration like 25ms or 2s")
    try:
        found = seconds(value)
    except (ValueError, OverflowError) as error:
        raise FaultError(name, str(error)) from None
    if not (math.isfinite(found) and 0 <= found <= LONGEST):
        raise FaultError(name, f"must be between 0 and {LONGEST} seconds")
    return found


def in_header(text: str) -> list[HttpKind]:
    """Return the kinds that `X-Mock-Fault` asks for: `latency=200ms;jitter=50ms, error=401`.

    What follows a kind's own `=` is its first parameter. Raises FaultError.
    """
    found = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        first, *others = (one.strip() for one in part.split(";"))
        called, equals, value = (one.strip() for one in first.partition("="))
        parameters = dict(one.partition("=")[::2] for one in others)
        if equals:
            parameters[_main_parameter(called)] = value
        kinds = [kind for kind, _ in kinds_of(called, parameters) if isinstance(kind, HttpKind)]
        if not kinds:
            raise FaultError(called, "strikes WebSockets, which no header asks for")
        found.append(kinds[0])
    return found


def _main_parameter(called: str) -> str:
    kind = KINDS.get(called)
    names = [one.name for one in fields(kind)] if kind else []  # type: ignore[arg-type]
    if not names:
        raise FaultError(called, "takes no value" if kind or called in PRESETS else "is no kind")
    return names[0]


class _Values(dict[str, object]):
    """The values of an error's message; what a fault cannot know is three dots."""

    def __missing__(self, key: str) -> str:
        return "..."


def error_named(
    code: str,
    status: int | None = None,
    message: str | None = None,
    values: Mapping[str, object] | None = None,
) -> ApiError:
    """Return the error that a fault refuses with; raise FaultError where none is meant.

    `code` is a row's name, printed in the request's dialect, or a code, printed as it is, or a
    status as `503`. What is in no catalogue needs a status.
    """
    if code.isascii() and code.isdigit() and status is None:
        code, status = "", _parameter("status", code, int)
    row = CATALOGUE.get(code)
    face = None if row else _FACES.get(code)
    if row is None and face is None and status is None:
        raise FaultError("code", f"{code or 'nothing'!r} is in no catalogue; give a status, too")
    if row is None or status is not None or message is not None:
        known = face or (row.documented if row else None)
        made = Face(
            known.code if known else code or f"MOCK_FAULT_{status}",
            status or (known.status if known else 0),
            _literal(message) if message else known.message if known else "A fault was asked for.",
            Evidence.ASSUMED,
        )
        row = ErrorDef("fault", "A fault was asked for.", made, made)
    return ApiError(row, None, _Values(values or {}))


def _literal(message: str) -> str:
    return message.replace("{", "{{").replace("}", "}}")


_FACES: dict[str, Face] = {}
for _row in CATALOGUE.values():
    for _face in (_row.documented, _row.live):
        _FACES.setdefault(_face.code, _face)

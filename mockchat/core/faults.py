"""Faults: rules that make exchanges go wrong on purpose."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from mockchat.core import errors
from mockchat.core.errors import CATALOGUE, ApiError, ErrorDef, Evidence, Face
from mockchat.core.fault_kinds import KINDS, STATUS, CredentialError, Error, Kind
from mockchat.core.ids import Ids
from mockchat.core.matching import Pattern, RequestSummary
from mockchat.core.words import counted, nearest

Struck = TypeVar("Struck", bound=Kind)
Wanted = type[Struck] | tuple[type[Struck], ...]
Strikes = tuple[tuple[Kind, Pattern], ...]  # kinds, each for the requests that fit a pattern

MAX_RULES = 1000
OF_STATUS = "MOCK_FAULT_"  # with a status it is the code of a fault that has a status alone


class FaultError(ValueError):
    """The description of a fault is not valid; `field` is the wrong part."""

    def __init__(self, field_: str, reason: str) -> None:
        super().__init__(f"{field_}: {reason}")
        self.field = field_
        self.reason = reason


class UnstruckFault(UserWarning):  # a warning, not an error
    """A fault that a test added struck no exchange."""


class Preset(NamedTuple):
    """A named fault: errors, each for the requests that fit a pattern."""

    does: str
    strikes: tuple[tuple[ErrorDef, Pattern], ...]


_LOGIN = Pattern(logs_in=True)
_BY_TOKEN, _BY_KEY = Pattern(credential="token"), Pattern(credential="key")
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
            (errors.UID_NOT_FOUND, Pattern(path="/users/{uid}/**")),
            (errors.UID_NOT_FOUND, Pattern(operation="login")),
        ),
    ),
    "quota_reached": Preset(
        "The plan allows no more users.",
        ((errors.QUOTA_REACHED, Pattern(operation="create_user")),),
    ),
    "login_in_progress": Preset(
        "Another login is in progress.", ((errors.LOGIN_IN_PROGRESS, _LOGIN),)
    ),
}


@dataclass(slots=True, eq=False, repr=False)
class Rule:
    """A fault and its counts.

    `seen` counts the exchanges that fit it, `struck` those that it struck. It spares the first
    `after` and strikes at most `times` of the others, each with `probability`.
    """

    id: int
    called: str  # the kind's or the preset's name
    strikes: Strikes
    app_id: str | None
    pattern: Pattern
    chance: Callable[[], float]
    probability: float
    times: int | None
    after: int
    added: float = 0.0  # unix seconds, by the wall clock
    seen: int = 0
    struck: int = 0

    def strike(
        self, app_id: str | None, summary: RequestSummary, wanted: Wanted[Struck]
    ) -> Struck | None:
        """Return the first of the wanted kinds that strikes this exchange, if any; count it."""
        if self.app_id is not None and not self.is_of(app_id):
            return None
        if not self.pattern.fits(summary):
            return None
        kind = first_of(self.strikes, summary, wanted)
        return kind if kind is not None and self._counts() else None

    def is_of(self, app_id: str | None) -> bool:
        """Whether it is for this app alone."""
        if self.app_id is None or app_id is None:
            return False
        return self.app_id.lower() == app_id.lower()

    @property
    def codes(self) -> Iterator[str]:
        """The error codes that it refuses with, as it was told them."""
        return (kind.code for kind, _ in self.strikes if isinstance(kind, Error))

    def __str__(self) -> str:
        """Return its id, its kind and the exchanges that it is for."""
        pattern = self.pattern._asdict().items()
        where = "".join(f", {name}={value!r}" for name, value in pattern if value is not None)
        return f"fault {self.id} ({self.called}{where})"

    def told(self, now: float) -> str:
        """Return in words which fault this is: a test may have left it to the next one."""
        age, times = max(0, round(now - self.added)), counted(self.struck, "time", "times")
        return (
            f"fault {self.id} ({self.called}) struck; it was added {age} s ago and struck "
            f"{times} so far; DELETE /_mock/faults/{self.id} removes it"
        )

    @property
    def is_spent(self) -> bool:
        """Whether it has struck `times` exchanges."""
        return self.times is not None and self.struck >= self.times

    def _counts(self) -> bool:
        if self.is_spent:
            return False
        self.seen += 1
        if self.seen <= self.after:
            return False
        if self.chance() >= self.probability:
            return False
        self.struck += 1
        return True


@dataclass(slots=True, eq=False, repr=False)
class Faults:
    """The rules of a server, oldest first; `idle` are removed ones that never struck."""

    rules: dict[int, Rule] = field(default_factory=dict)
    on_added: list[Callable[[Rule], None]] = field(default_factory=list)
    on_removed: list[Callable[[Rule], None]] = field(default_factory=list)
    idle: deque[Rule] = field(default_factory=lambda: deque(maxlen=MAX_RULES))
    _last: int = 0

    def add(
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
        """Add a rule; raise FaultError if it is not valid.

        If there are too many rules, the spent ones are removed.
        """
        strikes = strikes_of(called, parameters)
        if len(self.rules) >= MAX_RULES:
            self.remove([rule for rule in self.rules.values() if rule.is_spent])
        if len(self.rules) >= MAX_RULES:
            raise FaultError("kind", f"would be one of more than {MAX_RULES} faults; remove some")
        # The rule draws from its own sequence, so that it is reproducible.
        self._last += 1
        rule = Rule(
            self._last, called, strikes, app_id, pattern or Pattern(), Ids(random_seed).chance,
            probability, times, after,
        )  # fmt: skip
        self.rules[rule.id] = rule
        for tell in self.on_added:
            tell(rule)
        return rule

    def of(self, app_id: str | None) -> list[Rule]:
        """Return the rules of an app, or all of them."""
        return [rule for rule in self.rules.values() if app_id is None or rule.is_of(app_id)]

    def remove(self, rules: list[Rule]) -> None:
        """Remove rules."""
        for rule in rules:
            if self.rules.pop(rule.id, None) is not None:
                if not rule.struck:
                    self.idle.append(rule)
                for tell in self.on_removed:
                    tell(rule)

    def take_idle(self, app_id: str) -> list[Rule]:
        """Remove the rules of an app that never struck; return them and those removed before.

        A rule that chance spared is none of them.
        """
        self.remove([rule for rule in self.of(app_id) if not rule.struck])
        mine = [rule for rule in self.idle if rule.is_of(app_id)]
        for rule in mine:
            self.idle.remove(rule)
        told = [rule for rule in mine if not rule.seen or rule.probability == 1]
        return sorted(told, key=lambda rule: rule.id)

    def striking(
        self,
        app_id: str | None,
        summary: RequestSummary,
        wanted: Wanted[Struck],
        but: Callable[[Rule], bool] | None = None,
    ) -> Iterator[tuple[Struck, Rule]]:
        """Yield the wanted kinds that strike an exchange; a rule counts when it is reached.

        It leaves out the rules for which `but` is true.
        """
        for rule in tuple(self.rules.values()):
            if but is not None and but(rule):
                continue
            kind = rule.strike(app_id, summary, wanted)
            if kind is not None:
                yield kind, rule


def first_of(strikes: Strikes, summary: RequestSummary, wanted: Wanted[Struck]) -> Struck | None:
    """Return the first of the wanted kinds whose pattern fits an exchange, if there is one."""
    for kind, pattern in strikes:
        if isinstance(kind, wanted) and pattern.fits(summary):
            return kind
    return None


def strikes_of(called: str, parameters: Mapping[str, Any]) -> Strikes:
    """Return the strikes of a kind or preset; raise FaultError if its error does not exist."""
    if preset := PRESETS.get(called):
        return tuple((CredentialError(code=row.name), pattern) for row, pattern in preset.strikes)
    kind = KINDS[called](**parameters)
    if isinstance(kind, Error):
        error_named(kind.code, kind.status, kind.message)
    return ((kind, Pattern()),)


# --- errors ---------------------------------------------------------------------------------
def error_named(
    code: str,
    status: int | None = None,
    message: str | None = None,
    values: Mapping[str, object] | None = None,
) -> ApiError:
    """Return the error that a fault refuses with; raise FaultError if there is none.

    `code` is the name of a catalogue row, printed in the request's dialect, or a code, printed as
    it is, or a status like `503`. A code that the catalogue lacks needs a status.
    """
    if code.isascii() and code.isdigit() and status is None:
        code, status = "", int(code[:9])
        if not STATUS[0] <= status <= STATUS[1]:
            raise FaultError("status", f"must be between {STATUS[0]} and {STATUS[1]}")
    row = CATALOGUE.get(code) or _ROWS.get(code) or _own_row(code, status)
    if status or message:
        changed = {"status": status, "message": message and _literal(message)}
        row = _changed(row, {name: value for name, value in changed.items() if value})
    return ApiError(row, None, defaultdict(lambda: "...", {"near": "", **(values or {})}))


def _own_row(code: str, status: int | None) -> ErrorDef:
    if status is None and not code:
        raise FaultError("code", "is missing: name an error (ERR_UID_NOT_FOUND), or give a status")
    if status is None:
        near = nearest(code, (*CATALOGUE, *_ROWS))
        own = f"Did you mean {near!r}? A code of your own" if near else "A code of your own"
        raise FaultError("code", f"{code!r} is in no catalogue. {own} needs a status")
    return _row(Face(Evidence.ASSUMED, code or f"{OF_STATUS}{status}", status, _ASKED))


def _row(face: Face) -> ErrorDef:
    return ErrorDef("fault", _ASKED, face, face)


def _changed(row: ErrorDef, values: Mapping[str, Any]) -> ErrorDef:
    """Return an error with another status or message, also for developers."""
    documented, live = (
        face._replace(**values, evidence=Evidence.ASSUMED, dev_message=None)
        for face in (row.documented, row.live)
    )
    return ErrorDef("fault", _ASKED, documented, live)


def _literal(message: str) -> str:
    return message.replace("{", "{{").replace("}", "}}")


_ASKED = "A fault was asked for."
_ROWS: dict[str, ErrorDef] = {}  # by code, printed as it is
for _one in CATALOGUE.values():
    for _face in (_one.documented, _one.live):
        _ROWS.setdefault(_face.code, _row(_face))
CODES = tuple(_ROWS)

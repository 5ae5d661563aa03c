"""A play: one attempt to ask both sides the probes of a group."""

from collections.abc import AsyncIterator, Callable, Mapping
from enum import StrEnum
from http import HTTPStatus
from typing import Any, NamedTuple

from mockchat.core.errors import mask
from mockchat.verify.assumed import assumption
from mockchat.verify.compare import Difference, Forms, compare
from mockchat.verify.made import Made
from mockchat.verify.probe import SOCKET, Probe, names_under
from mockchat.verify.side import Answer, GoneError, LostError, Request, Side
from mockchat.verify.table import GROUPS

_READ_ONLY, _NO_AUTH_KEY = "it needs more than to read", "it needs --auth-key"
WISHES = (_READ_ONLY, _NO_AUTH_KEY)  # reasons that the caller gave


class Verdict(StrEnum):
    """The result of a probe."""

    SAME = "same"
    DIFFERS = "differs"
    NEWLY_KNOWN = "newly known"  # the same, and only assumed so far
    NOT_ASKED = "not asked"


class Outcome(NamedTuple):
    """A probe and its result; `reason` says why it was not asked, `assumed` what was assumed."""

    group: str
    probe: Probe
    verdict: Verdict
    differences: tuple[Difference, ...] = ()
    reason: str = ""
    assumed: str = ""


class Played(NamedTuple):
    """A request of the live side and its answer, for a recording."""

    group: str
    probe: Probe
    request: Request
    answer: Answer


class Secrets:
    """Texts that no report may show, each with the name that stands for it."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def add(self, values: Mapping[str, str]) -> None:
        """Add values by name."""
        self._names |= {value: name for name, value in values.items()}

    def hidden(self, text: str, shown: Callable[[str, str], str] = "<{}>".format) -> str:
        """Return a text without the secrets; `shown` returns what a name and a value become.

        Their masked forms become something else, too, as they show a part of them.
        """
        pairs = [(value, shown(name, value)) for value, name in self._names.items()]
        pairs += [(mask(value), mask(other)) for value, other in pairs]
        for secret, other in sorted(pairs, key=lambda pair: -len(pair[0])):
            text = text.replace(secret, other)
        return text


def told(answer: Answer) -> str:
    """Return the error of an answer as text."""
    body = answer.body
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return f"HTTP {answer.status}"
    return f"{error.get('code')}: {error.get('message')}"


class Play:
    """One attempt to play a group; `last` takes the errors of gateways for answers."""

    def __init__(
        self, group: str, sides: tuple[Side, Side], made: Made, secrets: Secrets, *, last: bool
    ) -> None:
        self.outcomes: list[Outcome] = []
        self.played: list[Played] = []
        self._group, self._made, self._secrets, self._last = group, made, secrets, last
        self._live, self._mock = sides
        self._blocked = ""  # why the rest of the group cannot be asked

    async def run(
        self, values: Mapping[str, str], base: str, *, read_only: bool
    ) -> AsyncIterator[int]:
        """Ask all probes, and yield the number of those that are done.

        `values` are those of the run, `base` begins the names of this play.
        """
        for side in (self._live, self._mock):
            side.values = {**values, **names_under(base)}
        for probe in GROUPS[self._group]:
            reason = self._reason(probe, read_only=read_only)
            if reason:
                outcome = Outcome(self._group, probe, Verdict.NOT_ASKED, reason=reason)
            else:
                outcome = await self._ask(probe)
            self.outcomes.append(outcome)
            yield len(self.outcomes)

    def _reason(self, probe: Probe, *, read_only: bool) -> str:
        """Return why a probe cannot be asked, or an empty text."""
        if read_only and not probe.only_reads:
            return _READ_ONLY
        if self._blocked:
            return self._blocked
        try:
            self._live.request(probe)
            self._mock.request(probe)
        except KeyError as error:
            name = str(error.args[0])
            if name == "auth_key":
                return _NO_AUTH_KEY
            return f"it needs the {name} of an earlier answer"
        return ""

    async def _ask(self, probe: Probe) -> Outcome:
        request = self._live.request(probe)
        new = self._made.note_request(request)
        if probe.pause:
            await self._live.sleep(probe.pause)
        try:
            answer = await self._live.ask(request, last=self._last)
        except GoneError:
            raise
        except LostError as error:
            if probe.method != SOCKET:
                raise
            return Outcome(self._group, probe, Verdict.NOT_ASKED, reason=str(error))
        self._made.note_answer(request, answer, new)
        self.played.append(Played(self._group, probe, request, answer))
        own = await self._mock.ask(self._mock.request(probe))
        self._keep(probe, answer, own)
        return self._judge(probe, answer, own)

    def _keep(self, probe: Probe, live: Answer, mock: Answer) -> None:
        """Keep the values that both answers have."""
        for name, place in probe.kept.items():
            found = [_at(answer.body, place) for answer in (live, mock)]
            if all(isinstance(value, str) and value for value in found):
                self._live.values[name], self._mock.values[name] = found
                self._secrets.add({name: found[0]})

    def _judge(self, probe: Probe, live: Answer, mock: Answer) -> Outcome:
        outcome = Outcome(self._group, probe, Verdict.SAME, assumed=assumption(probe, mock))
        if live.status == HTTPStatus.PAYMENT_REQUIRED != mock.status:
            reason = f"the plan of the app does not allow it: {self._secrets.hidden(told(live))}"
            self._blocked = self._blocked or (reason if probe.base else "")
            return outcome._replace(verdict=Verdict.NOT_ASKED, reason=reason)
        if probe.base and live.succeeded != mock.succeeded:
            self._blocked = f"it needs what {probe.what!r} creates"
        forms = Forms(self._live.values), Forms(self._mock.values)
        prefix = self._made.prefix if probe.shared else ""
        found = tuple(
            Difference(*map(self._secrets.hidden, one))
            for one in compare(live, mock, forms, prefix)
        )
        if found:
            return outcome._replace(verdict=Verdict.DIFFERS, differences=found)
        return outcome._replace(verdict=Verdict.NEWLY_KNOWN if outcome.assumed else Verdict.SAME)


def _at(value: Any, place: list[str]) -> Any:
    """Return the value at a place in a JSON document, or None."""
    for key in place:
        value = value.get(key) if isinstance(value, dict) else None
    return value

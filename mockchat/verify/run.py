"""A run: plays the probes against the live service and an own mockchat, and judges the answers."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from http import HTTPStatus
from typing import NamedTuple

from mockchat.api.validation import TEXTS
from mockchat.config import Config
from mockchat.core.errors import CATALOGUE, Evidence
from mockchat.core.ids import Ids
from mockchat.server import MockChat
from mockchat.verify import VerifyError
from mockchat.verify.compare import Difference, Names, compare, replaced
from mockchat.verify.made import Made
from mockchat.verify.probe import SOCKET, Probe, names_under
from mockchat.verify.side import Answer, LostError, NoAnswerError, Place, Request, Side, Sleep
from mockchat.verify.table import GROUPS

PREFIX = "mockchat-verify-"
_PLAYS = 5  # of a group whose connection breaks
_SECRET = ("app_id", "rest_key", "auth_key")
_READ_ONLY, _NO_AUTH_KEY = "it needs more than to read", "it needs --auth-key"

_WEAK = (Evidence.ASSUMED, Evidence.VENDOR)  # of vendor's errors, the status is assumed
_FACES = [row.live for row in CATALOGUE.values()]
_CODES = {face.code for face in _FACES if face.evidence in _WEAK}
_CODES -= {face.code for face in _FACES if face.evidence not in _WEAK}
_SENTENCES = [
    (name, re.compile(re.sub(r"\\{\w+\\}", ".+", re.escape(text.text))))
    for name, text in sorted(TEXTS.items(), key=lambda item: -len(item[1].text))
]


class Verdict(StrEnum):
    """The result of a probe."""

    SAME = "same"
    DIFFERS = "differs"
    NEWLY_KNOWN = "newly known"  # the same, and only assumed so far
    NOT_ASKED = "not asked"


class Outcome(NamedTuple):
    """A probe and its result; `reason` says why it was not asked, `assumed` what was assumed."""

    probe: Probe
    verdict: Verdict
    differences: tuple[Difference, ...] = ()
    reason: str = ""
    assumed: str = ""
    request: Request | None = None  # to the live side, where it has answered
    answer: Answer | None = None
    group: str = ""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The probes to play, the place and the keys."""

    place: Place
    rest_key: str
    auth_key: str = ""
    read_only: bool = False
    groups: tuple[str, ...] = tuple(GROUPS)
    timeout: float = 30.0  # seconds
    prefix: str = field(default_factory=lambda: PREFIX + Ids().hex(8))

    @property
    def values(self) -> dict[str, str]:
        """The values that exist before the first request; their texts must not be told."""
        nobody = f"{self.prefix}-nobody"
        found = {
            "app_id": self.place.app_id,
            "rest_key": self.rest_key,
            "auth_key": self.auth_key,
            "nobody": nobody,
            "NOBODY": nobody.upper(),
            "wrong_app": "0123456789abcdef",
            "wrong_key": "0123456789" * 4,
            "wrong_token": f"{nobody}_1600000000{'0123456789' * 3}",
        }
        return {name: value for name, value in found.items() if value}

    def probes(self, group: str) -> tuple[Probe, ...]:
        """Return the probes of a group that are to be asked."""
        return tuple(one for one in GROUPS[group] if one.only_reads or not self.read_only)

    @property
    def size(self) -> int:
        """The number of probes to ask."""
        return sum(len(self.probes(group)) for group in self.groups)


class Run:
    """One comparison of the two services."""

    def __init__(
        self,
        plan: Plan,
        *,
        sleep: Sleep = asyncio.sleep,
        progress: Callable[[str, int, int], None] = lambda _group, _done, _total: None,
    ) -> None:
        self.plan, self.made = plan, Made(plan.prefix)
        self.outcomes: list[Outcome] = []
        # The texts that no report may show, each with what stands for it.
        self.secrets = {it: f"<{name}>" for name, it in plan.values.items() if name in _SECRET}
        self._progress, self._sleep = progress, sleep
        self._blocked = ""  # why the rest of the group cannot be asked

    @property
    def is_complete(self) -> bool:
        """Whether every probe was asked that the plan wished for, and nothing is left."""
        unasked = (one.reason for one in self.outcomes if one.verdict is Verdict.NOT_ASKED)
        wished = (_READ_ONLY, _NO_AUTH_KEY)
        return all(reason in wished for reason in unasked) and not self.made.left

    @property
    def agrees(self) -> bool:
        """Whether everything was asked, and no answer differs."""
        return self.is_complete and all(one.verdict is not Verdict.DIFFERS for one in self.outcomes)

    async def play(self) -> None:
        """Play all groups, then remove what they created; raise VerifyError for wrong keys.

        If the task is cancelled, it removes what was created, too.
        """
        plan = self.plan
        async with self._open() as live, MockChat(_config(plan)) as mock:
            place = replace(plan.place, base_url=str(mock.url))
            async with Side(place, plan.values, per_minute=None) as own:
                try:
                    for group in plan.groups:
                        await self._play_group(group, live, own)
                finally:
                    live.gone = ""  # it is tried once more
                    await self.made.remove(live)

    async def remove(self) -> None:
        """Only remove what is under the prefix; raise VerifyError for wrong keys."""
        async with self._open() as live:
            await self.made.remove(live)

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Side]:
        """Open the live side, and check its keys."""
        plan = self.plan
        async with Side(plan.place, plan.values, sleep=self._sleep, timeout=plan.timeout) as live:
            await self._check_key(live, "--rest-api-key", "rest_key")
            if plan.auth_key:
                await self._check_key(live, "--auth-key", "auth_key")
            yield live

    async def _check_key(self, live: Side, flag: str, name: str) -> None:
        """Raise VerifyError if a key is not what it is said to be."""
        path = f"/users?perPage=1&searchKey={self.plan.prefix}"
        probe = Probe("", f"GET {path}", headers={"apikey": f"${name}"})
        try:
            answer = await live.ask(live.request(probe))
        except NoAnswerError as error:
            raise VerifyError(f"{self.plan.place} cannot be asked: {error}") from None
        is_limited, said = name == "auth_key", replaced(answer.error, self.secrets)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            raise VerifyError(f"{flag}: {self.plan.place} refuses the key: {said}")
        if answer.status == HTTPStatus.FORBIDDEN and not is_limited:
            raise VerifyError(
                f"{flag}: the key has no full access: {said}; take the REST API "
                "key of the dashboard, whose scope is fullAccess"
            )
        if answer.succeeded and is_limited:
            raise VerifyError(f"{flag}: the key has full access; take the Auth Key")

    async def _play_group(self, group: str, live: Side, own: Side) -> None:
        """Play a group, anew with other names if the connection breaks."""
        outcomes: list[Outcome] = []
        for number in range(1, _PLAYS + 1):
            base = f"{self.plan.prefix}-{group}{number if number > 1 else ''}"
            for side in (live, own):
                side.values = {**self.plan.values, **names_under(base)}
            outcomes, self._blocked = [], ""
            with suppress(LostError):
                for probe in GROUPS[group]:
                    outcome = await self._outcome(probe, live, own, is_last=number == _PLAYS)
                    outcomes.append(outcome._replace(group=group))
                    self._progress(group, len(outcomes), len(GROUPS[group]))
                break
        self.outcomes += outcomes

    async def _outcome(self, probe: Probe, live: Side, own: Side, *, is_last: bool) -> Outcome:
        """Ask both sides a probe; raise LostError unless this is the last play of the group."""
        reason = self._reason(probe, live, own)
        if not reason:
            try:
                return await self._ask(probe, live, own, is_last=is_last)
            except NoAnswerError as error:
                if isinstance(error, LostError) and not is_last:
                    raise
                reason = self._blocked = str(error)
        return Outcome(probe, Verdict.NOT_ASKED, reason=reason)

    def _reason(self, probe: Probe, live: Side, own: Side) -> str:
        """Return why a probe cannot be asked, or an empty text."""
        if self.plan.read_only and not probe.only_reads:
            return _READ_ONLY
        if self._blocked:
            return self._blocked
        try:
            live.request(probe)
            own.request(probe)
        except KeyError as error:
            name = str(error.args[0])
            if name == "auth_key":
                return _NO_AUTH_KEY
            return f"it needs the {name} of an earlier answer"
        return ""

    async def _ask(self, probe: Probe, live: Side, own: Side, *, is_last: bool) -> Outcome:
        request, answer = live.request(probe), None
        await live.sleep(probe.pause)
        try:
            answer = await live.ask(request, last=is_last)
        except LostError as error:
            if probe.method != SOCKET:
                raise
            return Outcome(probe, Verdict.NOT_ASKED, reason=str(error))
        finally:
            self.made.note(request, answer)
        ours = await own.ask(own.request(probe))
        if probe.keeps:
            name, _, place = probe.keeps.partition("=")
            found = [one.at(*place.split(".")) for one in (answer, ours)]
            if all(isinstance(value, str) and value for value in found):
                live.values[name], own.values[name] = found
                self.secrets[found[0]] = f"<{name}>"
        outcome = self._judge(probe, answer, ours, (live.names, own.names))
        return outcome._replace(request=request, answer=answer)

    def _judge(self, probe: Probe, live: Answer, own: Answer, names: Names) -> Outcome:
        outcome = Outcome(probe, Verdict.SAME, assumed=_assumption(probe, own))
        if live.status == HTTPStatus.PAYMENT_REQUIRED != own.status:
            reason = f"the plan of the app does not allow it: {replaced(live.error, self.secrets)}"
            self._blocked = self._blocked or (reason if probe.base else "")
            return outcome._replace(verdict=Verdict.NOT_ASKED, reason=reason)
        if probe.base and live.succeeded != own.succeeded:
            self._blocked = f"it needs what {probe.what!r} creates"
        found = tuple(
            Difference(*(replaced(text, self.secrets) for text in one))
            for one in compare(live, own, names, self.plan.prefix if probe.shared else "")
        )
        if found:
            return outcome._replace(verdict=Verdict.DIFFERS, differences=found)
        return outcome._replace(verdict=Verdict.NEWLY_KNOWN if outcome.assumed else Verdict.SAME)


def _config(plan: Plan) -> Config:
    """Return the settings of the mockchat that stands beside the live service."""
    return Config(
        port=0,
        https_port=None,
        app_id=plan.place.app_id,
        region=plan.place.region,
        rest_api_key=(plan.rest_key,),
        auth_key=(plan.auth_key or f"no-{plan.prefix}",),
        errors="live",
        strict_apps=True,
        login_latency=0.0,
    )


# --- assumptions ----------------------------------------------------------------------------
def codes_and_rules(answer: Answer) -> tuple[str, set[str]]:
    """Return the error code of an answer, and the names of the sentences of its details."""
    details = answer.at("error", "details") or {}
    texts = [text for texts in details.values() for text in texts]
    found = (next((name for name, one in _SENTENCES if one.fullmatch(it)), "") for it in texts)
    return str(answer.at("error", "code") or ""), {*found} - {""}


def _assumption(probe: Probe, mock: Answer) -> str:
    """Return what is assumed: an error, a sentence, or what the probe settles, or an empty text."""
    code, rules = codes_and_rules(mock)
    if code in _CODES:
        return code
    assumed = sorted(name for name in rules if TEXTS[name].evidence is Evidence.ASSUMED)
    if assumed:
        return f"sentence of details: {', '.join(assumed)}"
    return probe.settles

"""A run: plays the probes against the live service and an own mockchat, and judges the answers."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from mockchat.config import Config
from mockchat.core.ids import Ids
from mockchat.server import MockChat
from mockchat.verify import VerifyError
from mockchat.verify.made import Made
from mockchat.verify.play import WISHES, Outcome, Play, Played, Secrets, Verdict, told
from mockchat.verify.probe import Probe
from mockchat.verify.side import BusyError, GoneError, LostError, Place, Side, Sleep
from mockchat.verify.table import GROUPS

PREFIX = "mockchat-verify-"
_PLAYS = 5  # of a group whose connection breaks
_SECRET = ("app_id", "rest_key", "auth_key")


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

    @property
    def size(self) -> int:
        """The number of probes to ask."""
        probes = [probe for name in self.groups for probe in GROUPS[name]]
        return sum(probe.only_reads or not self.read_only for probe in probes)


class Run:
    """One comparison of the two services."""

    def __init__(
        self,
        plan: Plan,
        *,
        sleep: Sleep = asyncio.sleep,
        progress: Callable[[str, int], None] = lambda _group, _done: None,
    ) -> None:
        self.plan, self.made = plan, Made(plan.prefix)
        self.outcomes: list[Outcome] = []
        self.played: list[Played] = []
        self.secrets = Secrets()
        self._progress, self._sleep = progress, sleep
        self._gone = ""

    @property
    def is_complete(self) -> bool:
        """Whether every probe was asked that the plan wished for, and nothing is left."""
        unasked = (one.reason for one in self.outcomes if one.verdict is Verdict.NOT_ASKED)
        return all(reason in WISHES for reason in unasked) and not self.made.left

    @property
    def agrees(self) -> bool:
        """Whether everything was asked, and no answer differs."""
        return self.is_complete and all(one.verdict is not Verdict.DIFFERS for one in self.outcomes)

    async def play(self) -> None:
        """Play all groups, then remove what they created; raise VerifyError for wrong keys.

        If the task is cancelled, it removes what was created, too.
        """
        plan = self.plan
        async with AsyncExitStack() as stack:
            enter = stack.enter_async_context
            live = await enter(
                Side(plan.place, plan.values, sleep=self._sleep, timeout=plan.timeout)
            )
            self._hide(live)
            await self._check_keys(live)
            mock = await enter(MockChat(_config(plan)))
            place = replace(plan.place, base_url=str(mock.url))
            other = await enter(Side(place, plan.values, per_minute=None))
            try:
                for group in plan.groups:
                    await self._play_group(group, live, other)
            finally:
                live.forgive()
                await self.made.remove(live)

    async def remove(self) -> None:
        """Only remove what is under the prefix; raise VerifyError for wrong keys."""
        async with Side(self.plan.place, self.plan.values, sleep=self._sleep) as live:
            self._hide(live)
            await self._check_keys(live)
            await self.made.remove(live)

    def _hide(self, live: Side) -> None:
        self.secrets.add({name: it for name, it in live.values.items() if name in _SECRET})

    async def _check_keys(self, live: Side) -> None:
        """Raise VerifyError if the keys are not what they are said to be."""
        path = f"/users?perPage=1&searchKey={self.plan.prefix}"
        wanted = {"--rest-api-key": ("rest_key", False), "--auth-key": ("auth_key", True)}
        for flag, (name, is_limited) in wanted.items():
            if name not in live.values:
                continue
            probe = Probe("", f"GET {path}", headers={"apikey": f"${name}"})
            try:
                answer = await live.ask(live.request(probe), last=True)
            except (LostError, BusyError) as error:
                raise VerifyError(f"{self._where()} cannot be asked: {error}") from None
            said = self.secrets.hidden(told(answer))
            if answer.status == HTTPStatus.UNAUTHORIZED:
                raise VerifyError(
                    f"{flag}: {self._where()} refuses the key: {self.secrets.hidden(told(answer))}"
                )
            if answer.status == HTTPStatus.FORBIDDEN and not is_limited:
                raise VerifyError(
                    f"{flag}: the key has no full access: {said}; take the REST API "
                    "key of the dashboard, whose scope is fullAccess"
                )
            if answer.succeeded and is_limited:
                raise VerifyError(f"{flag}: the key has full access; take the Auth Key")

    def _where(self) -> str:
        return self.plan.place.base_url or f"the live service ({self.plan.place.region})"

    # --- groups -------------------------------------------------------------------------
    async def _play_group(self, group: str, live: Side, mock: Side) -> None:
        """Play a group, anew with other names if the connection breaks."""
        plan, reason = self.plan, self._gone
        play = Play(group, (live, mock), self.made, self.secrets, last=True)
        for number in range(1, _PLAYS + 1) if not reason else ():
            last = number == _PLAYS
            play = Play(group, (live, mock), self.made, self.secrets, last=last)
            base = f"{plan.prefix}-{group}{number if number > 1 else ''}"
            try:
                async for done in play.run(plan.values, base, read_only=plan.read_only):
                    self._progress(group, len(self.outcomes) + done)
                break
            except GoneError as error:
                reason = self._gone = str(error)
                break
            except BusyError as error:
                reason = str(error)
                break
            except LostError as error:
                reason = str(error)
        rest = GROUPS[group][len(play.outcomes) :]
        self.outcomes += play.outcomes
        self.outcomes += [Outcome(group, it, Verdict.NOT_ASKED, reason=reason) for it in rest]
        self.played += play.played


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

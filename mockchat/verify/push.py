"""Push: the users, roles and friends of a fixture into an app, by the import endpoint."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from mockchat.core.entities import DEFAULT_ROLE
from mockchat.core.ids import camel
from mockchat.core.seed import Seed
from mockchat.core.steps import pieces
from mockchat.verify import VerifyError
from mockchat.verify.side import IMPORTS_PER_MINUTE, Answer, NoAnswerError, Pace, Side, told

AT_ONCE = 50  # users in an import; the live service takes no more (reference section 15.5)
_FRIENDS_AT_ONCE = 25
_OWN = ("uid", "friends", "deactivated_at")  # which the import does not take

Json = dict[str, Any]


class Push:
    """One push; `refused` holds the reason for each thing that the service did not take."""

    def __init__(self, seed: Seed, progress: Callable[[str, int, int], None]) -> None:
        self.refused: dict[str, str] = {}
        self.pushed = 0  # users
        self._seed, self._progress = seed, progress

    async def run(self, side: Side) -> None:
        """Create the roles, import the users, then make the friends; raise VerifyError."""
        try:
            for role in self._seed.roles:
                await self._create_role(side, role)
            users = self._seed.users
            pace = Pace(IMPORTS_PER_MINUTE, side.sleep)
            for part in pieces(users, AT_ONCE):
                await pace.wait()
                await self._import(side, part)
                self._progress("users", self.pushed + len(self.refused), len(users))
            await self._befriend(side)
            gone = [user["uid"] for user in users if user.get("deactivated_at")]
            for uids in pieces(gone, _FRIENDS_AT_ONCE):
                await self._call(side, "DELETE", "/users", {"uidsToDeactivate": uids})
        except NoAnswerError as error:
            raise VerifyError(f"{error}; users pushed so far: {self.pushed}") from None

    async def _create_role(self, side: Side, role: Json) -> None:
        name = role["role"]
        path = f"/roles/{quote(name, safe='')}"
        if name == DEFAULT_ROLE or (await side.call("GET", path)).succeeded:
            return
        answer = await side.call("POST", "/roles", {**role})
        if not answer.succeeded:
            self.refused[f"role {name}"] = answer.error

    async def _import(self, side: Side, users: Sequence[Json]) -> None:
        wanted = {
            user["uid"]: {camel(name): value for name, value in user.items() if name not in _OWN}
            for user in users
        }
        answer = await self._call(side, "POST", "/data_import/users", {"users": wanted})
        places = (answer.at("data", "users"), answer.at("data"), answer.at("users"), answer.body)
        outcomes = next((place for place in places if isinstance(place, dict)), {})
        told_of = {uid.lower(): outcome for uid, outcome in outcomes.items()}
        for uid in wanted:
            outcome = told_of.get(uid.lower())
            outcome = outcome if isinstance(outcome, dict) else {}
            if outcome.get("success"):
                self.pushed += 1
            else:
                self.refused[uid] = told(outcome.get("error")) or "the service does not say why"

    async def _befriend(self, side: Side) -> None:
        users = [user for user in self._seed.users if user.get("friends")]
        for number, user in enumerate(users, 1):
            for uids in pieces(sorted(user["friends"]), _FRIENDS_AT_ONCE):
                path = f"/users/{quote(user['uid'], safe='')}/friends"
                answer = await side.call("POST", path, {"accepted": uids})
                if not answer.succeeded:
                    self.refused[f"friends of {user['uid']}"] = answer.error
            self._progress("friends", number, len(users))

    @staticmethod
    async def _call(side: Side, method: str, path: str, body: Json) -> Answer:
        answer = await side.call(method, path, body)
        if not answer.succeeded:
            raise VerifyError(f"the service refuses {method} {path}: {answer.error}")
        return answer

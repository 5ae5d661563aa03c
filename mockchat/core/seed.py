"""Seeds: the users, roles and keys that an app starts with, from fixtures or made up."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mockchat.core.entities import DEFAULT_ROLE, ApiKey, Role, Scope, User
from mockchat.core.relations import befriend
from mockchat.core.snapshot import copied
from mockchat.core.state import App
from mockchat.core.steps import STEP, Steps, in_thread
from mockchat.core.words import AdviceError

MAX_FAKE_USERS = 100_000  # at once
_STEP = 50  # users that Faker makes before other requests have their turn: a millisecond or two

# The contents of a fixture by section: the attributes of its users, roles and keys.
Sections = dict[str, list[dict[str, Any]]]


class FixtureError(AdviceError):
    """A fixture cannot be used; the message has the file, the place in it and the reason."""

    status = 2


@dataclass(slots=True, eq=False, repr=False)
class Seed:
    """The contents of every new app: keys from the settings, the rest from fixtures."""

    keys: list[tuple[str, str, Scope]] = field(default_factory=list)
    users: list[dict[str, Any]] = field(default_factory=list)
    roles: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        fixtures: Iterable[tuple[str, Sections]],
        keys: Iterable[tuple[str, str, Scope]] = (),
        app: App | None = None,
    ) -> "Seed":
        """Return the seed of these fixtures, each with its name, and keys.

        Raises FixtureError if they do not fit each other, or an app in use that is to get them.
        """
        seed, origins = cls(keys=list(keys)), []
        for origin, sections in fixtures:
            seed.roles += sections.get("roles", ())
            seed.users += sections.get("users", ())
            seed.keys += [
                (key["value"], key["name"], Scope(key["scope"])) for key in sections.get("keys", ())
            ]
            origins += [(origin, user) for user in sections.get("users", ())]
        _check_names(seed)
        roles = {DEFAULT_ROLE, *(role["role"] for role in seed.roles)}
        uids: set[str] = set()
        if app:
            roles |= app.roles.keys()
            uids = {user.key for user in app.all_users()}
        _check_references(origins, roles, uids)
        return seed

    def planting(self, app: App) -> Steps[None]:
        """Fill a new, empty app in steps."""
        app.add(Role(DEFAULT_ROLE, "Default Role", app.now))
        yield from self.adding(app)

    def adding(self, app: App) -> Steps[None]:
        """Add everything to an app in steps.

        A user that exists already gets the attributes of the seed.
        """
        now = app.now
        app.add(*(Role(**role, created_at=now) for role in self.roles))
        app.add(*(ApiKey(*key, now) for key in self.keys))
        # Lists show the newest user first: added last, the first user of the file leads.
        for number, values in enumerate(reversed(self.users), 1):
            _settle(app, {"created_at": now, **copied(values)})
            if number % STEP == 0:
                yield
        for number, values in enumerate(self.users, 1):
            for friend in values.get("friends", ()):
                both = app.find_user(values["uid"]), app.find_user(friend)
                if both[0] and both[1]:  # neither was deleted meanwhile
                    befriend(app, both[0], both[1])
            if number % STEP == 0:
                yield


def fixtures_dir() -> Path:
    """Return the folder of the shipped fixtures, in the installed package or in the checkout."""
    package = Path(__file__).parent.parent
    packaged = package / "fixtures"
    return packaged if packaged.is_dir() else package.parent / "fixtures"


def _settle(app: App, values: dict[str, Any]) -> None:
    values.pop("friends", None)
    user = app.find_user(values["uid"])
    if user is None:
        app.add_user(User(**values))
        return
    deactivated = values.pop("deactivated_at", None)
    kept = ("uid", "created_at")  # these two do not change
    app.update_user(user, {name: value for name, value in values.items() if name not in kept})
    if deactivated is not None and user.deactivated_at is None:
        app.deactivate_user(user)


def _check_names(seed: Seed) -> None:
    """Raise FixtureError for a role or an api key that is declared twice."""
    for kind, names in (
        ("role", [role["role"] for role in seed.roles]),
        ("api key", [key for key, _, _ in seed.keys]),
    ):
        if twice := sorted(name for name, count in Counter(names).items() if count > 1):
            raise FixtureError(f"the {kind} {twice[0]!r} is declared twice")


def _check_references(
    origins: list[tuple[str, dict[str, Any]]], roles: set[str], uids: set[str]
) -> None:
    """Raise FixtureError for users that do not fit each other, the roles or the existing `uids`."""
    keys = {user["uid"].lower() for _, user in origins} | uids
    seen: set[str] = set()
    for path, user in origins:
        key = user["uid"].lower()
        friends = user.get("friends", set())
        reason = ""
        if key in seen:
            reason = "stands in the fixtures twice"
        elif user.get("role", DEFAULT_ROLE) not in roles:
            reason = f"has the role {user['role']!r}, which no fixture declares"
        elif key in friends:
            reason = "is its own friend"
        elif strangers := sorted(friends - keys):
            reason = f"has the friend {strangers[0]!r}, but there is no such user"
        if reason:
            raise FixtureError(f"{path}: user {user['uid']!r}: {reason}")
        seen.add(key)


# --- fake users ----------------------------------------------------------------------------
def adding_fake_users(app: App, count: int) -> Steps[None]:
    """Add plausible users, made by Faker and reproducible from the random seed.

    A uid is a name and a number that no user of the app has.
    """
    faker = yield from in_thread(_faker)
    faker.seed_instance(app.ids.whole())
    for at in range(count):
        name = f"{faker.first_name()} {faker.last_name()}"
        number = app.serial + 1
        uid = f"{re.sub('[^a-z]+', '-', name.lower())}-{number}"
        while app.find_user(uid):
            number += 1
            uid = f"{uid.rpartition('-')[0]}-{number}"
        metadata = {"email": f"{uid}@example.com", "company": faker.last_name()}
        app.add_user(User(uid, name, app.now, metadata=metadata))
        if at % _STEP == 0:
            yield


def _faker() -> Any:
    from faker import Faker  # noqa: PLC0415  # 200 ms that a start must not pay

    return Faker("en_US", use_weighting=False, providers=["faker.providers.person"])

"""Seeds: the users, roles and keys that an app starts with, from fixtures or made up."""

import contextlib
import copy
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mockchat.core.entities import DEFAULT_ROLE, ApiKey, Role, Scope, User
from mockchat.core.relations import befriend
from mockchat.core.state import MAX_UID_LENGTH, App

# What an object of a fixture may hold: wire name -> (attribute, type, required).
_Shape = dict[str, tuple[str, type, bool]]
_USER: _Shape = {
    "uid": ("uid", str, True),
    "name": ("name", str, True),
    "avatar": ("avatar", str, False),
    "link": ("link", str, False),
    "role": ("role", str, False),
    "statusMessage": ("status_message", str, False),
    "metadata": ("metadata", dict, False),
    "tags": ("tags", list, False),
    "friends": ("friends", list, False),
    "createdAt": ("created_at", int, False),
    "lastActiveAt": ("last_active_at", int, False),
    "deactivatedAt": ("deactivated_at", int, False),
}
_ROLE: _Shape = {"role": ("role", str, True), "name": ("name", str, True)}
_KEY: _Shape = {
    "apiKey": ("value", str, True),
    "name": ("name", str, True),
    "scope": ("scope", Scope, True),
}
SECTIONS = {"users": _USER, "roles": _ROLE, "apiKeys": _KEY}
MAX_FAKE_USERS = 100_000  # at once
_TOO_LARGE = 2**63  # for a whole number that all readers of JSON agree on
_JSON_NAMES = {str: "text", dict: "an object", list: "a list of texts", int: "a whole number"}


class FixtureError(Exception):
    """A fixture cannot be used; says the file, the place in it and the reason."""


@dataclass(slots=True)
class Seed:
    """What every new app is planted with: keys from the settings, the rest from fixtures."""

    keys: list[tuple[str, str, Scope]] = field(default_factory=list)
    users: list[dict[str, Any]] = field(default_factory=list)
    roles: list[dict[str, Any]] = field(default_factory=list)

    def apply(self, app: App) -> None:
        """Fill a new, empty app."""
        now = app.now
        app.roles[DEFAULT_ROLE] = Role(DEFAULT_ROLE, "Default Role", now)
        for role in self.roles:
            app.roles[role["role"]] = Role(**role, created_at=now)
        for value, name, scope in self.keys:
            app.keys[value] = ApiKey(value, name, scope, now)
        # Lists show the newest first: planted backwards, the first user of the file leads.
        for values in reversed(self.users):
            app.add_user(User(**{"created_at": now, **copy.deepcopy(values)}))
        befriended = {user.key: user for user in app.all_users()}
        for user in befriended.values():
            for friend in user.friends:  # a friendship may stand on either side
                befriended[friend].friends.add(user.key)


def fixtures_dir() -> Path:
    """Return where the shipped fixtures are: in the installed package, else in the checkout."""
    package = Path(__file__).parent.parent
    packaged = package / "fixtures"
    return packaged if packaged.is_dir() else package.parent / "fixtures"


def load_seed(fixtures: Iterable[str], keys: Iterable[tuple[str, str, Scope]]) -> Seed:
    """Read fixtures, each a shipped name or a path; raise FixtureError for one that is no good."""
    seed = Seed(keys=list(keys))
    paths = [_find(fixture) for fixture in fixtures]
    origins = [(path, user) for path in paths for user in _read(path, seed)]
    _check_names(seed)
    _check_references(origins, {DEFAULT_ROLE, *(role["role"] for role in seed.roles)}, set())
    return seed


def _find(fixture: str) -> Path:
    shipped = fixtures_dir() / f"{fixture}.json"
    if Path(fixture).name == fixture and shipped.is_file():
        return shipped
    path = Path(fixture)
    with contextlib.suppress(RuntimeError):  # no such home: no such file
        path = path.expanduser()
    if not path.is_file():
        names = ", ".join(_shipped())
        raise FixtureError(f"{fixture}: no such fixture file; shipped are {names}")
    return path


def _shipped() -> list[str]:
    return sorted(file.stem for file in fixtures_dir().glob("*.json"))


Sections = dict[str, list[dict[str, Any]]]


def read_fixture(fixture: str | dict[str, Any], named: Iterable[str]) -> Sections:
    """Return what a fixture holds; raise FixtureError.

    It is given itself, or by its name: one that is shipped, or one of `named`.
    """
    if not isinstance(fixture, str):
        return _sections(fixture, "fixture")
    if fixture not in (*_shipped(), *named):
        raise FixtureError(
            f"{fixture[:80]} is neither one that the server started with nor shipped; "
            f"shipped are {', '.join(_shipped())}"
        )
    path = _find(fixture)
    return _sections(_content(path), str(path))


def check_fixture(app: App, sections: Sections) -> None:
    """Raise FixtureError where an app that is in use cannot take a fixture."""
    keys = [(key["value"], key["name"], key["scope"]) for key in sections["apiKeys"]]
    _check_names(Seed(keys, roles=sections["roles"]))
    roles = app.roles.keys() | {role["role"] for role in sections["roles"]}
    uids = {user.key for user in app.all_users()}
    _check_references((("fixture", user) for user in sections["users"]), roles, uids)


def add_fixture(app: App, sections: Sections) -> int:
    """Add a fixture that an app can take and return how many users it has.

    Who is there already takes over its attributes.
    """
    for role in sections["roles"]:
        app.roles[role["role"]] = Role(**role, created_at=app.now)
    for key in sections["apiKeys"]:
        app.keys[key["value"]] = ApiKey(**key, created_at=app.now)
    for values in reversed(sections["users"]):
        _settle(app, copy.deepcopy(values))
    everyone = {user.key: user for user in app.all_users()}
    for values in sections["users"]:
        for friend in values.get("friends", ()):
            befriend(app, everyone[values["uid"].lower()], everyone[friend])
    return len(sections["users"])


def _settle(app: App, values: dict[str, Any]) -> None:
    values.pop("friends", None)
    user = app.find_user(values["uid"])
    if user is None:
        app.add_user(User(**{"created_at": app.now, **values}))
        return
    deactivated = values.pop("deactivated_at", None)
    kept = ("uid", "created_at")  # who it is and when it came does not change
    app.update_user(user, {name: value for name, value in values.items() if name not in kept})
    if deactivated is not None and user.deactivated_at is None:
        app.deactivate_user(user)


def _read(path: Path, seed: Seed) -> list[dict[str, Any]]:
    sections = _sections(_content(path), str(path))
    seed.roles += sections["roles"]
    seed.users += sections["users"]
    seed.keys += [(key["value"], key["name"], key["scope"]) for key in sections["apiKeys"]]
    return sections["users"]


def _content(path: Path) -> Any:
    try:
        return json.loads(
            path.read_bytes(), parse_float=_number, parse_int=_number, parse_constant=_number
        )
    except OSError as error:
        raise FixtureError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise FixtureError(f"{path}: is not valid JSON: {error}") from error


def _number(text: str) -> float:
    """Return a number that JSON's readers agree on; raise ValueError for any other."""
    if text.lstrip("-").isdigit():
        if abs(int(text)) >= _TOO_LARGE:
            raise ValueError(f"{text} is too large")
        return int(text)
    if not math.isfinite(float(text)):
        raise ValueError(f"{text} is no number of JSON")
    return float(text)


_Refuse = Callable[[str, str], FixtureError]


def _sections(content: Any, origin: str) -> dict[str, list[dict[str, Any]]]:
    def refuse(place: str, reason: str) -> FixtureError:
        return FixtureError(f"{origin}: {place}: {reason}")

    if not isinstance(content, dict):
        raise refuse("top level", 'must be an object like {"users": [...]}')
    if unknown := sorted(content.keys() - SECTIONS.keys()):
        known = ", ".join(SECTIONS)
        raise refuse(unknown[0], f"is not a section of a fixture; there are {known}")
    sections = {}
    for name, shape in SECTIONS.items():
        rows = content.get(name, [])
        if not isinstance(rows, list):
            raise refuse(name, "must be a list")
        sections[name] = [
            _attributes(row, shape, f"{name}[{at}]", refuse) for at, row in enumerate(rows)
        ]
    for at, user in enumerate(sections["users"]):
        _check_uid(user, f"users[{at}].uid", refuse)
    return sections


def _attributes(row: Any, shape: _Shape, place: str, refuse: _Refuse) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise refuse(place, "must be an object")
    if unknown := sorted(row.keys() - shape.keys()):
        raise refuse(f"{place}.{unknown[0]}", f"is not known here; there are {', '.join(shape)}")
    values = {}
    for key, (attribute, kind, required) in shape.items():
        if key in row:
            values[attribute] = _value(row[key], kind, f"{place}.{key}", refuse)
        if required and not values.get(attribute):
            raise refuse(f"{place}.{key}", "is required")
    if "role" in values:
        values["role"] = values["role"].lower()  # as the service stores roles
    if "friends" in values:
        values["friends"] = {uid.lower() for uid in values["friends"]}
    return values


def _value(value: Any, kind: type, place: str, refuse: _Refuse) -> Any:
    if kind is Scope:
        if value not in list(Scope):
            raise refuse(place, f"must be one of {', '.join(Scope)}")
        return Scope(value)
    good = isinstance(value, kind) and not isinstance(value, bool)
    if good and kind is int:
        good = -_TOO_LARGE <= value < _TOO_LARGE
    if good and kind is list:
        good = all(isinstance(item, str) for item in value)
    if not good:
        raise refuse(place, f"must be {_JSON_NAMES[kind]}")
    return value


def _check_uid(user: dict[str, Any], place: str, refuse: _Refuse) -> None:
    uid = user["uid"]
    if len(uid) > MAX_UID_LENGTH or any(map(str.isspace, uid)):
        raise refuse(place, f"a uid has at most {MAX_UID_LENGTH} characters and no spaces")


def _check_names(seed: Seed) -> None:
    """Hold roles and api keys against each other and against those of the settings."""
    for kind, names in (
        ("role", [role["role"] for role in seed.roles]),
        ("api key", [key for key, _, _ in seed.keys]),
    ):
        if twice := sorted(name for name, count in Counter(names).items() if count > 1):
            raise FixtureError(f"the {kind} {twice[0]!r} is declared twice")


def _check_references(
    origins: Iterable[tuple[object, dict[str, Any]]],
    roles: AbstractSet[str],
    uids: AbstractSet[str],
) -> None:
    """Hold the users against each other, the roles and the `uids` that are there already."""
    origins = list(origins)
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
            reason = f"has the friend {strangers[0]!r}, who is no user"
        if reason:
            raise FixtureError(f"{path}: user {user['uid']!r}: {reason}")
        seen.add(key)


# --- fake users ----------------------------------------------------------------------------
def add_fake_users(app: App, count: int) -> Iterator[User]:
    """Add plausible users, made by Faker and reproducible from the random seed; yield each.

    A uid is a name and a number that no user of the app has.
    """
    from faker import Faker  # noqa: PLC0415  # 200 ms that a start must not pay

    faker = Faker("en_US", use_weighting=False)
    faker.seed_instance(app.ids.whole())
    for _ in range(count):
        name = f"{faker.first_name()} {faker.last_name()}"
        number = app.serial + 1
        uid = f"{re.sub('[^a-z]+', '-', name.lower())}-{number}"
        while app.find_user(uid):
            number += 1
            uid = f"{uid.rpartition('-')[0]}-{number}"
        metadata = {"email": f"{uid}@example.com", "company": faker.last_name()}
        yield app.add_user(User(uid, name, app.now, metadata=metadata))

"""Pull: the users and roles of an app as a fixture, page by page; it goes on where it ended."""

import hashlib
import json
import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mockchat.core.entities import DEFAULT_ROLE
from mockchat.verify import VerifyError
from mockchat.verify.play import told
from mockchat.verify.side import BusyError, LostError, Side

_PER_PAGE = 1000
_FIELDS = (
    *("uid", "name", "avatar", "link", "role", "statusMessage", "metadata", "tags", "createdAt"),
    *("lastActiveAt", "deactivatedAt"),
)
_OF_ROLE = ("role", "name", "description", "metadata", "settings")
_TYPES = {"metadata": dict, "settings": dict, "tags": list}

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Wish:
    """The data to pull; an interrupted pull goes on only for the same wish."""

    app_id: str
    friends: bool = False
    anonymise: bool = False
    limit: int | None = None


class Pull:
    """One pull into a file; `FILE.part` holds what has come so far, a JSON document a line."""

    def __init__(self, wish: Wish, file: Path, progress: Callable[[str, int, int], None]) -> None:
        self.file, self.part = file, file.with_name(f"{file.name}.part")
        self.resumed = 0  # users that an earlier pull got
        self._wish, self._progress = wish, progress
        self._users: dict[str, Json] = {}
        self._pages = 0
        self._anonymise = _Anonymiser() if wish.anonymise else None

    async def run(self, side: Side) -> Json:
        """Write the fixture and return it; raise VerifyError if the service refuses, OSError."""
        self._resume()
        try:
            roles = [role async for role in _roles(side)]
            await self._pull_users(side)
            if self._wish.friends:
                await self._pull_friends(side)
        except (LostError, BusyError) as error:
            raise VerifyError(f"{error}; the same command goes on where this one ended") from None
        fixture = {"users": self._settled(), "roles": _complete(roles, self._users.values())}
        _write(self.file, json.dumps(fixture, indent=1, ensure_ascii=False) + "\n", "w")
        self.part.unlink()
        return fixture

    def _resume(self) -> None:
        """Read what an earlier pull of the same wish has got, or begin anew."""
        lines = list(_documents(self.part)) if self.part.exists() else []
        if not lines or lines[0] != asdict(self._wish):
            _write(self.part, _line(asdict(self._wish)), "w")
            return
        for line in lines[1:]:
            self._take(line)
        self.resumed = len(self._users)
        # A line that was cut off ends the file: what follows must not begin on it.
        _write(self.part, "".join(map(_line, lines)), "w")

    def _take(self, line: Json) -> None:
        """Take a line of the part: a page of users, or the friends of one."""
        for user in line.get("users", ()):
            self._users.setdefault(user["uid"], user)
        self._pages = line.get("page", self._pages)
        if "of" in line:
            self._users[line["of"]]["friends"] = line["friends"]

    def _add(self, line: Json) -> None:
        _write(self.part, _line(line), "a")
        self._take(line)

    # --- pages --------------------------------------------------------------------------
    async def _pull_users(self, side: Side) -> None:
        limit = self._wish.limit
        per_page = min(_PER_PAGE, limit or _PER_PAGE)
        path = f"/users?withDeactivated=true&withTags=true&perPage={per_page}&page="
        more = True
        while more and (limit is None or len(self._users) < limit):
            rows, pagination = await _page(side, f"{path}{self._pages + 1}", "uid")
            users = [self._user(row) for row in rows if row["uid"] not in self._users]
            self._add({"page": self._pages + 1, "users": users})
            total = min(pagination.get("total", 0), limit or pagination.get("total", 0))
            self._progress("users", len(self._users), total)
            more = self._pages < pagination.get("total_pages", 0) and bool(users)

    async def _pull_friends(self, side: Side) -> None:
        users = self._settled()
        for number, user in enumerate(users, 1):
            if "friends" not in user and "deactivatedAt" not in user:
                path = f"/users/{quote(user['uid'], safe='')}/friends"
                found = [row["uid"] async for row in _rows(side, path, "uid")]
                self._add({"of": user["uid"], "friends": found})
            self._progress("friends", number, len(users))

    def _user(self, row: Json) -> Json:
        """Return a user as a fixture has it."""
        user = {
            key: row[key]
            for key in _FIELDS
            if isinstance(row.get(key), _type(key)) and row[key] != ""
        }
        user = {**user, "name": user.get("name", user["uid"])}
        return self._anonymise(user) if self._anonymise else user

    def _settled(self) -> list[Json]:
        """Return the users within the limit; friends that were not pulled are left out."""
        users = list(self._users.values())[: self._wish.limit]
        uids = {user["uid"] for user in users}
        return [
            user | {"friends": [uid for uid in user["friends"] if uid in uids]}
            if "friends" in user
            else user
            for user in users
        ]


def _type(key: str) -> type:
    """Return the type of a value that a fixture takes; another one is left out."""
    return int if key.endswith("At") else _TYPES.get(key, str)


async def _roles(side: Side) -> AsyncIterator[Json]:
    async for row in _rows(side, "/roles", "role"):
        known = {key: row[key] for key in _OF_ROLE if isinstance(row.get(key), _type(key))}
        yield {"name": known["role"], **known}


def _complete(roles: list[Json], users: Iterable[Json]) -> list[Json]:
    """Return all roles but the default one: those of the list, and others that users have."""
    found = {role["role"]: role for role in roles}
    for user in users:
        role = user.get("role", DEFAULT_ROLE)
        found.setdefault(role, {"role": role, "name": role})
    return [role for name, role in found.items() if name != DEFAULT_ROLE]


async def _rows(side: Side, path: str, key: str) -> AsyncIterator[Json]:
    """Yield the rows of all pages of a list, whose `key` is their id."""
    page, seen, more = 1, set[str](), True
    while more:
        rows, pagination = await _page(side, f"{path}?perPage={_PER_PAGE}&page={page}", key)
        new = [row for row in rows if row[key] not in seen]
        for row in new:
            yield row
        seen |= {row[key] for row in new}
        more = page < pagination.get("total_pages", 0) and bool(new)
        page += 1


async def _page(side: Side, path: str, key: str) -> tuple[list[Json], dict[str, int]]:
    """Return the rows of a page and its pagination; raise VerifyError."""
    answer = await side.call("GET", path)
    body = answer.body if isinstance(answer.body, dict) else {}
    rows, meta = body.get("data"), body.get("meta")
    if not answer.succeeded or not isinstance(rows, list):
        raise VerifyError(f"the service refuses GET {path}: {told(answer)}")
    if not all(isinstance(row, dict) and isinstance(row.get(key), str) for row in rows):
        raise VerifyError(f"the service answers GET {path} with rows that have no {key}")
    pagination = meta.get("pagination") if isinstance(meta, dict) else None
    numbers = pagination.items() if isinstance(pagination, dict) else ()
    return rows, {name: number for name, number in numbers if isinstance(number, int)}


# --- the part -------------------------------------------------------------------------------
def _documents(part: Path) -> Iterator[Json]:
    """Yield the documents of a part; one that was cut off ends it."""
    for line in part.read_text(encoding="utf-8").splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            return


def _line(document: Json) -> str:
    return json.dumps(document, ensure_ascii=False) + "\n"


def _write(path: Path, text: str, mode: str) -> None:
    """Write a text that only the owner may read: it names people."""
    with open(path, mode, encoding="utf-8", opener=_private) as file:
        file.write(text)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


# --- other people ---------------------------------------------------------------------------
class _Anonymiser:
    """Gives a user the name, pictures, links and metadata of nobody, the same for the same uid."""

    def __init__(self) -> None:
        from faker import Faker  # noqa: PLC0415  # slow to import

        self._faker = Faker()

    def __call__(self, user: Json) -> Json:
        """Return the user as somebody else; uid, role, tags and times stay."""
        faker, digest = self._faker, hashlib.sha256(user["uid"].encode()).digest()
        faker.seed_instance(int.from_bytes(digest[:8], "big"))
        made = {
            "name": faker.name(),
            "avatar": faker.image_url(150, 150),
            "link": faker.url(),
            "statusMessage": faker.sentence(4),
        }
        found = user | {key: value for key, value in made.items() if key in user}
        if "metadata" in user:
            found["metadata"] = self._other(user["metadata"])
        return found

    def _other(self, value: Any, key: str = "") -> Any:
        """Return a value of the same type, its keys kept."""
        if isinstance(value, dict):
            return {name: self._other(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._other(inner, key) for inner in value]
        if isinstance(value, bool):
            return self._faker.pybool()
        if isinstance(value, int):
            return self._faker.random_int(0, max(10, abs(value)))
        if isinstance(value, float):
            return float(self._faker.random_int())
        return self._word(key) if isinstance(value, str) else value

    def _word(self, key: str) -> str:
        kind = key.lower()
        if "mail" in kind:
            return str(self._faker.safe_email())
        if "phone" in kind or "contact" in kind or "mobile" in kind:
            return str(self._faker.phone_number())
        return str(self._faker.word())

"""Pull: the users and roles of an app as a fixture, page by page; it goes on where it ended."""

import hashlib
import itertools
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from mockchat.core.entities import DEFAULT_ROLE
from mockchat.verify import VerifyError
from mockchat.verify.side import NoAnswerError, Side

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
            pages = _pages(side, f"/roles?perPage={_PER_PAGE}", "role")
            roles = [row async for page in pages for row in page.rows]
            await self._pull_users(side)
            if self._wish.friends:
                await self._pull_friends(side)
        except NoAnswerError as error:
            raise VerifyError(f"{error}; the same command goes on where this one ended") from None
        users = self._settled()
        fixture = {"users": users, "roles": _roles(roles, users)}
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
        limit = self._wish.limit or sys.maxsize
        path = f"/users?withDeactivated=true&withTags=true&perPage={min(_PER_PAGE, limit)}"
        if len(self._users) >= limit:
            return
        async for page in _pages(side, path, "uid", self._pages + 1):
            users = [self._user(row) for row in page.rows if row["uid"] not in self._users]
            self._add({"page": page.number, "users": users})
            self._progress("users", len(self._users), min(page.total, limit))
            if len(self._users) >= limit:
                break

    async def _pull_friends(self, side: Side) -> None:
        users = self._settled()
        for number, user in enumerate(users, 1):
            if "friends" not in user and "deactivatedAt" not in user:
                path = f"/users/{quote(user['uid'], safe='')}/friends?perPage={_PER_PAGE}"
                pages = _pages(side, path, "uid")
                friends = [row["uid"] async for page in pages for row in page.rows]
                self._add({"of": user["uid"], "friends": friends})
            self._progress("friends", number, len(users))

    def _user(self, row: Json) -> Json:
        """Return a user as a fixture has it."""
        known = {key: value for key, value in _known(row, _FIELDS).items() if value != ""}
        user = {**known, "name": known.get("name", row["uid"])}
        return self._anonymise(user) if self._anonymise else user

    def _settled(self) -> list[Json]:
        """Return the users within the limit; friends that were not pulled are left out."""
        users = list(self._users.values())[: self._wish.limit]
        uids = {user["uid"] for user in users}
        for user in users:
            if "friends" in user:
                user["friends"] = [uid for uid in user["friends"] if uid in uids]
        return users


def _known(row: Json, fields: Iterable[str]) -> Json:
    """Return the values that a fixture takes."""
    types = {key: int if key.endswith("At") else _TYPES.get(key, str) for key in fields}
    return {key: row[key] for key, kind in types.items() if isinstance(row.get(key), kind)}


def _roles(rows: list[Json], users: list[Json]) -> list[Json]:
    """Return all roles but the default one: those of the list, and others that users have."""
    found = {row["role"]: {"name": row["role"], **_known(row, _OF_ROLE)} for row in rows}
    for user in users:
        role = user.get("role", DEFAULT_ROLE)
        found.setdefault(role, {"role": role, "name": role})
    return [role for name, role in found.items() if name != DEFAULT_ROLE]


class _Page(NamedTuple):
    """A page of a list: the rows that no page before had, and the number of all rows."""

    number: int
    rows: list[Json]
    total: int


async def _pages(side: Side, path: str, key: str, first: int = 1) -> AsyncIterator[_Page]:
    """Yield the pages of a list, whose `key` is the id of a row; raise VerifyError."""
    seen: set[str] = set()
    for number in itertools.count(first):
        request = f"{path}&page={number}"
        answer = await side.call("GET", request)
        rows = answer.at("data")
        if not answer.succeeded or not isinstance(rows, list):
            raise VerifyError(f"the service refuses GET {request}: {answer.error}")
        if not all(isinstance(row, dict) and isinstance(row.get(key), str) for row in rows):
            raise VerifyError(f"the service answers GET {request} with rows that have no {key}")
        places = (("meta", "pagination", name) for name in ("total", "total_pages"))
        total, last = (it if isinstance(it := answer.at(*place), int) else 0 for place in places)
        new = [row for row in rows if row[key] not in seen]
        seen |= {row[key] for row in new}
        yield _Page(number, new, total)
        if number >= last or not new:
            return


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
    with open(path, mode, encoding="utf-8", opener=partial(os.open, mode=0o600)) as file:
        file.write(text)


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
        if isinstance(value, dict):
            return {name: self._other(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._other(inner, key) for inner in value]
        if isinstance(value, bool):
            return self._faker.pybool()
        if isinstance(value, int):
            return self._faker.random_int(0, max(10, abs(value)))
        if isinstance(value, float):
            return self._faker.pyfloat()
        return self._word(key.lower()) if isinstance(value, str) else value

    def _word(self, key: str) -> str:
        if "mail" in key:
            return str(self._faker.safe_email())
        if "phone" in key or "contact" in key or "mobile" in key:
            return str(self._faker.phone_number())
        return str(self._faker.word())

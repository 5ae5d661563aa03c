"""Matching: what a fault strikes and a journal is searched for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple


class Asked(NamedTuple):
    """What a request asks for, as patterns see it."""

    method: str
    path: str  # without version and app, query and doubled slashes
    operation: str | None
    uid: str | None
    shows: str | None = None  # the credential: `key`, `token` or none


@lru_cache(maxsize=1024)
def _path_pattern(path: str) -> re.Pattern[str]:
    segments = re.sub(r"\{[^{}/]*\}", "*", "/" + path.strip("/"))
    parts = re.split(r"(\*\*|\*)", segments)
    wild = {"*": "[^/]*", "**": ".*"}
    return re.compile("".join(wild.get(part) or re.escape(part) for part in parts))


@dataclass(frozen=True, slots=True)
class Pattern:
    """Which requests are meant; what is None fits all.

    In `path`, `*` and `{uid}` stand for one segment, `**` for any number of them. Methods and
    uids are compared whatever their case.
    """

    operation: str | None = None
    method: str | None = None
    path: str | None = None
    uid: str | None = None
    shows: str | None = None

    def misses(self, asked: Asked) -> Iterator[str]:
        """Say in what a request differs from the pattern; nothing where it fits."""
        if self.operation is not None and self.operation != asked.operation:
            yield f"operation is {asked.operation or 'none'}, not {self.operation}"
        if self.method is not None and self.method.upper() != asked.method:
            yield f"method is {asked.method}, not {self.method.upper()}"
        if self.path is not None and not _path_pattern(self.path).fullmatch(asked.path):
            yield f"path is {asked.path}, not {self.path}"
        if self.uid is not None and self.uid.lower() != (asked.uid or "").lower():
            yield f"uid is {asked.uid or 'none'}, not {self.uid}"
        if self.shows is not None and self.shows != asked.shows:
            yield f"shows {asked.shows or 'nothing'}, not {self.shows}"

    def fits(self, asked: Asked) -> bool:
        """Whether a request is meant."""
        return next(self.misses(asked), None) is None

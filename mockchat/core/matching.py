"""Matching: patterns that select requests for a fault or a search of the journal."""

import fnmatch
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

VERSION = re.compile(r"v[123](\.[0-9]{1,2})?")  # SDKs of all years: v1 to v1.8, v2, v2.0, v3, v3.0
_ANY_NUMBER = "**"


class RequestSummary(NamedTuple):
    """The parts of a request that patterns look at."""

    method: str
    path: str  # without version and app, query and doubled slashes
    operation: str | None
    uid: str | None
    credential: str | None = None  # its kind: `key`, `token` or none
    logs_in: bool = False  # by `POST /login`, or by the `PUT /me` of SDKs


@lru_cache(maxsize=4096)
def _path_fits(pattern: str, path: str) -> bool:
    """Whether a path fits, found in one pass, as a pattern may be full of wildcards."""
    wanted = _wanted(pattern)
    places = _with_next(wanted, {0})
    for segment in path.split("/")[1:] if path != "/" else ():
        stay = {at for at in places if at < len(wanted) and wanted[at] is None}
        go = {at + 1 for at in places if at < len(wanted) and _is(wanted[at], segment)}
        places = _with_next(wanted, stay | go)
    return len(wanted) in places


def _is(wanted: re.Pattern[str] | None, segment: str) -> bool:
    return wanted is not None and wanted.match(segment) is not None


def _with_next(wanted: tuple[re.Pattern[str] | None, ...], places: set[int]) -> set[int]:
    """Add the places after a `**`, which may stand for nothing; there are never two in a row."""
    return places | {at + 1 for at in places if at < len(wanted) and wanted[at] is None}


@lru_cache(maxsize=1024)
def _wanted(pattern: str) -> tuple[re.Pattern[str] | None, ...]:
    """Return a regular expression for each segment; None stands for any number of segments."""
    segments = [one for one in re.sub(r"\{[^{}/]*\}", "*", pattern).split("/") if one]
    while segments and VERSION.fullmatch(segments[0]):
        del segments[0]
    return tuple(
        None if one == _ANY_NUMBER else _segment_pattern(one)
        for at, one in enumerate(segments)
        if segments[at - 1 : at] != [_ANY_NUMBER] or one != _ANY_NUMBER
    )


def _segment_pattern(segment: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(re.sub(r"([?[])", r"[\1]", segment)))


class Pattern(NamedTuple):
    """The requests that a fault or a search selects; None fits all.

    In `path`, `*` stands for any part of a segment, `{uid}` for a whole segment and `**` for any
    number of segments; the version may be left out. The case of methods and uids does not matter.
    """

    operation: str | None = None
    method: str | None = None
    path: str | None = None
    uid: str | None = None
    credential: str | None = None
    logs_in: bool | None = None

    def mismatches(self, summary: RequestSummary) -> Iterator[str]:
        """Yield each difference between a request and the pattern; none if it fits."""
        if self.operation is not None and self.operation != summary.operation:
            yield f"operation is {summary.operation or 'none'}, not {self.operation}"
        if self.method is not None and self.method.upper() != summary.method:
            yield f"method is {summary.method}, not {self.method.upper()}"
        if self.path is not None and not _path_fits(self.path, summary.path):
            yield f"path is {summary.path}, not {self.path}"
        if self.uid is not None and self.uid.lower() != (summary.uid or "").lower():
            yield f"uid is {summary.uid or 'none'}, not {self.uid}"
        if self.credential is not None and self.credential != summary.credential:
            yield f"credential is {summary.credential or 'none'}, not {self.credential}"
        if self.logs_in is not None and self.logs_in != summary.logs_in:
            yield f"is {'' if summary.logs_in else 'no '}login"

    def fits(self, summary: RequestSummary) -> bool:
        """Whether a request fits."""
        return next(self.mismatches(summary), None) is None

"""Matching: patterns that select requests for a fault or a search of the journal."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

VERSION = re.compile(r"v[123](\.[0-9]{1,2})?")  # SDKs of all years: v1 to v1.8, v2, v2.0, v3, v3.0
SOCKET = "websocket"  # the operation name of the chat SDKs' WebSocket
_ANY_NUMBER = "**"


class RequestSummary(NamedTuple):
    """The parts of a request that patterns look at."""

    method: str
    path: str  # without version and app, query and doubled slashes
    operation: str | None
    uid: str | None
    credential: str | None = None  # its kind: `key`, `token` or none
    logs_in: bool = False  # by `POST /login`, or by the `PUT /me` of SDKs


def _path_fits(pattern: str, path: str) -> bool:
    return _compiled(pattern).fullmatch("" if path == "/" else path) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Return a regular expression that tries no place again for a `*` or a middle `**`."""
    segments = [one for one in pattern.split("/") if one]
    while segments and VERSION.fullmatch(segments[0]):
        del segments[0]
    blocks = [""]  # between two `**`
    for segment in segments:
        if segment == _ANY_NUMBER:
            blocks.append("")
        else:
            blocks[-1] += f"/{_segment_pattern(segment)}(?![^/])"
    first, *others = blocks
    if not others:
        return re.compile(first)
    last = others.pop()
    # The first place that fits leaves the most for the others.
    middle = "".join(f"(?>.*?{block})" for block in others)
    return re.compile(rf"{first}{middle}.*?(?![^/]){last}", re.DOTALL)


def _segment_pattern(segment: str) -> str:
    head, *others = map(re.escape, re.sub(r"\{[^{}]*\}", "*", segment).split("*"))
    if not others:
        return head
    tail = others.pop()
    middle = "".join(f"(?>[^/]*?{part})" for part in others)
    return f"{head}{middle}(?>[^/]*{tail}(?![^/]))"


class Pattern(NamedTuple):
    """The requests that a fault or a search selects; None fits all.

    In `path`, `*` stands for any part of a segment, `{uid}` for a whole segment and `**` for any
    number of segments. The version may be left out. The case of methods and uids does not matter.
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

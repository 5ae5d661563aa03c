"""`journal`: what clients sent, as lines, in full, as HAR, waited for, or live."""

import argparse
import json
import re
import time
from collections.abc import Iterator
from typing import Any

from mockchat.commands import CommandError, Run, UsageError
from mockchat.commands.files import write_json
from mockchat.commands.following import follow
from mockchat.commands.lines import lines
from mockchat.commands.remote import PATIENCE, Remote, add_server_options, path_of
from mockchat.commands.show import note, printable, say, say_json, tell, wants_json
from mockchat.core.clock import duration

_JOURNAL = "/journal"
_LONGEST_WAIT = 50.0  # seconds that one question may wait
_FILTERS = {
    "operation": "the name of an operation, like get_user",
    "method": "an HTTP method",
    "path": "a path without version; * stands for a segment, ** for several",
    "uid": "whom the request is about",
    "status": "the answer's HTTP status",
    "code": "the answer's error code",
}


def _take(parser: argparse.ArgumentParser) -> Run:
    parser.add_argument(
        "what", metavar="ID|clear", nargs="?", help="one exchange in full, or forget all"
    )
    parser.add_argument("--limit", metavar="N", help="how many are shown, the newest")
    parser.add_argument("--follow", action="store_true", help="show what comes, until Ctrl-C")
    parser.add_argument("--har", metavar="FILE", help="write them as HAR 1.2; - for a pipe")
    parser.add_argument(
        "--wait",
        metavar="DURATION",
        help="wait until --count exchanges fit, those before counted; fail if they do not come",
    )
    parser.add_argument("--count", metavar="N", help="how many to wait for (default: 1)")
    group = parser.add_argument_group("which exchanges")
    for name, does in _FILTERS.items():
        group.add_argument(f"--{name}", metavar=name.upper(), help=does)
    add_server_options(parser)
    return _run


def _run(arguments: argparse.Namespace) -> int:
    wanted = {name: getattr(arguments, name) for name in _FILTERS}
    remote = Remote(arguments)
    ways = ("what", "follow", "har", "wait")
    if sum(bool(getattr(arguments, way)) for way in ways) > 1:
        raise UsageError("journal takes one of ID, clear, --follow, --har and --wait at a time")
    if arguments.count is not None and not arguments.wait:
        raise UsageError("journal --count needs --wait DURATION")
    if arguments.what:
        return _one_or_none(arguments, remote)
    if arguments.follow:
        return follow(remote, wanted, arguments.limit, as_json=wants_json(arguments))
    if arguments.har:
        write_json(arguments.har, remote.control("GET", f"{_JOURNAL}.har", query=wanted))
        return 0
    if arguments.wait:
        return _wait(arguments, remote, wanted)
    found = remote.control("GET", _JOURNAL, query={**wanted, "limit": arguments.limit})
    _show(arguments, remote, found)
    return 0


def _show(arguments: argparse.Namespace, remote: Remote, found: dict[str, Any]) -> None:
    if wants_json(arguments):
        say_json(found)
        return
    for exchange in found["exchanges"]:
        say(lines(exchange, with_app=not remote.app))
    if found["count"] > len(found["exchanges"]):
        note(f"these are the newest of {found['count']}; --limit N shows more")
    elif not found["count"]:
        note("there is no such exchange")


def _wait(arguments: argparse.Namespace, remote: Remote, wanted: dict[str, Any]) -> int:
    timeout, count = _patience(arguments.wait), _count(arguments.count)
    end = time.monotonic() + timeout
    while True:
        left = min(max(0.0, end - time.monotonic()), _LONGEST_WAIT)
        query = {**wanted, "limit": arguments.limit, "count": count, "wait": f"{left:.3f}"}
        found = remote.control("GET", _JOURNAL, query=query, timeout=left + PATIENCE)
        if found["count"] >= count:
            _show(arguments, remote, found)
            return 0
        if time.monotonic() >= end:
            told = f"{found['count']} of {count} exchanges came within {arguments.wait}"
            raise CommandError(told)


def _patience(wait: str) -> float:
    try:
        return duration(wait)
    except ValueError as error:
        raise UsageError(f"--wait {error}, not {wait!r}") from None


def _count(count: str | None) -> int:
    if count is None:
        return 1
    if not re.fullmatch("[0-9]{1,9}", count) or not int(count):
        raise UsageError(f"--count must be a whole number from 1 on, not {count!r}")
    return int(count)


# --- one exchange ---------------------------------------------------------------------------
def _one_or_none(arguments: argparse.Namespace, remote: Remote) -> int:
    if arguments.what == "clear":
        answer = remote.control("DELETE", _JOURNAL)
        return tell(arguments, answer, answer["message"])
    if not arguments.what.isdigit():
        raise UsageError(f"journal takes the id of an exchange or clear, not {arguments.what!r}")
    exchange = remote.control("GET", _JOURNAL + path_of(arguments.what))
    if wants_json(arguments):
        say_json(exchange)
        return 0
    say(lines(exchange, with_app=True))
    for text in _told(exchange):
        say(printable(text))
    return 0


def _told(exchange: dict[str, Any]) -> Iterator[str]:
    """Yield an exchange in full, as people draw HTTP: `>` for what came, `<` for the answer."""
    yield ""
    yield f"> {exchange['method']} {exchange['target']}"
    yield from _message(exchange["request"], ">")
    yield ""
    yield f"< {exchange['status'] or 'no answer'}"
    yield from _message(exchange["response"], "<")
    for frame in exchange.get("frames", ()):
        yield f"{'>' if frame['sent'] else '<'} {frame['text']}"


def _message(message: dict[str, Any], mark: str) -> Iterator[str]:
    for name, value in message["headers"]:
        yield f"{mark} {name}: {value}"
    body = message["body"]
    if body is not None:
        text = body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False)
        yield from (f"{mark} {part}" for part in ("", *text.splitlines()))


TAKES = {"journal": _take}

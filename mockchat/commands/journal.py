"""`journal`: exchanges as lines, in full or as HAR, waited for or followed."""

import argparse
import json
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from mockchat.commands import UsageError
from mockchat.commands.remote import TIMEOUT, Remote, UnreachableError
from mockchat.commands.show import fitting, note, printable, say, say_json, tell, write_json
from mockchat.commands.table import FILTERS, Action
from mockchat.core.masking import masked_target
from mockchat.core.words import AdviceError

_JOURNAL = "/journal"
_LONGEST_WAIT = 50.0  # seconds that one request to wait may take
_FIRST = "10"  # exchanges that --follow prints at its start
_MOST = 10_000  # exchanges that the server sends at once
_PAUSE = 0.25  # seconds between two attempts to reach a lost server
_ATTEMPTS = 120


def run(_action: Action, arguments: argparse.Namespace) -> int:
    """Print, save, await, follow or clear exchanges."""
    ways = [getattr(arguments, way) for way in ("what", "follow", "har", "wait")]
    if sum(way not in (None, False) for way in ways) > 1:
        raise UsageError("journal takes only one of ID, clear, --follow, --har and --wait")
    if arguments.count is not None and arguments.wait is None:
        raise UsageError("journal --count needs --wait DURATION")
    remote = Remote(arguments)
    if arguments.what:
        return _clear_or_show(arguments, remote)
    query = {one.key: getattr(arguments, one.key) for one in FILTERS}
    if arguments.har:
        return write_json(arguments.har, remote.control("GET", f"{_JOURNAL}.har", query=query))
    query["limit"] = arguments.limit
    if arguments.follow:
        return _follow(arguments, remote, query)
    waits = arguments.wait is not None
    found = _await(arguments, remote, query) if waits else _ask(remote, query)
    return _show(arguments, remote, found)


def _show(arguments: argparse.Namespace, remote: Remote, found: dict[str, Any]) -> int:
    if arguments.json:
        return tell(arguments, found)
    _say_lines(arguments, remote, found)
    if found["count"] > len(found["exchanges"]):
        note(f"these are the newest of {found['count']}; --limit N prints more")
    elif not found["count"]:
        filters = any(getattr(arguments, one.key) is not None for one in FILTERS)
        note("no exchange matches" if filters else "the journal is empty")
    return 0


def _ask(remote: Remote, query: dict[str, Any], wait: float = 0.0) -> Any:
    query = {**query, "wait": f"{wait:.3f}"} if wait else query
    return remote.control("GET", _JOURNAL, query=query, timeout=wait + TIMEOUT)


def _say_lines(arguments: argparse.Namespace, remote: Remote, found: dict[str, Any]) -> None:
    for exchange in found["exchanges"]:
        if arguments.json:
            say_json(exchange, indent=None)
        else:
            say(_line(exchange, with_app=not remote.app))


# --- waiting and following ------------------------------------------------------------------
def _await(arguments: argparse.Namespace, remote: Remote, query: dict[str, Any]) -> Any:
    """Return the exchanges once there are enough; raise AdviceError where too few come."""
    count, end = arguments.count or 1, time.monotonic() + arguments.wait
    while True:
        left = min(max(0.0, end - time.monotonic()), _LONGEST_WAIT)
        found = _ask(remote, {**query, "count": count}, left)
        if found["count"] >= count:
            return found
        if time.monotonic() >= end:
            told = f"{found['count']} of {count} exchanges came within {arguments.wait:g} s"
            raise AdviceError(told)


def _follow(arguments: argparse.Namespace, remote: Remote, query: dict[str, Any]) -> int:
    """Print exchanges until Ctrl-C; raise UnreachableError if the server stays away."""
    found = _ask(remote, {**query, "limit": arguments.limit or _FIRST})
    while True:
        _say_lines(arguments, remote, found)
        # A restarted server counts from a later number than the last one can have reached.
        found = _next(remote, {**query, "limit": _MOST, "cursor": found["cursor"]})


def _next(remote: Remote, query: dict[str, Any]) -> Any:
    """Return the next exchanges, also of a server that was away for half a minute."""
    try:
        return _ask(remote, query, _LONGEST_WAIT)
    except UnreachableError as error:
        lost = error
    note(f"{lost}; waiting for it")
    for _ in range(_ATTEMPTS):
        time.sleep(_PAUSE)
        with suppress(UnreachableError):
            found = _ask(remote, query)
            note("the server is back")
            return found
    raise lost


# --- one exchange ---------------------------------------------------------------------------
def _clear_or_show(arguments: argparse.Namespace, remote: Remote) -> int:
    if arguments.what == "clear":
        return tell(arguments, remote.control("DELETE", _JOURNAL))
    if not re.fullmatch("[0-9]+", arguments.what):
        raise UsageError(f"journal takes the id of an exchange or clear, not {arguments.what!r}")
    exchange = remote.control("GET", f"{_JOURNAL}/{arguments.what}")
    if arguments.json:
        return tell(arguments, exchange)
    say(_line(exchange, with_app=True))
    for text in _in_full(exchange):
        say(printable(text))
    return 0


def _line(exchange: dict[str, Any], *, with_app: bool) -> str:
    """Return an exchange as a line, and its hint as a second one.

    The columns have fixed widths, because the lines come one by one.
    """
    at = float(exchange["at"])
    clock = time.strftime("%H:%M:%S", time.localtime(int(at)))
    words = [f"{'#' + str(exchange['id']):<6}", f"{clock}.{int(at % 1 * 1000):03}"]
    if with_app:
        words.append(f"{exchange['app']:<12}")
    status = f"{exchange['status'] or '-':>3} {exchange['milliseconds']:>7.1f}ms"
    words += [
        f"{exchange['method']:<6} {status}",
        masked_target(exchange["method"], exchange["target"]),
    ]
    for name, text in {
        "code": "{}",
        "operation": "{}",
        "uid": "uid={}",
        "faults": "fault: {}",
    }.items():
        if name in exchange:
            value = exchange[name]
            words.append(text.format(", ".join(value) if isinstance(value, list) else value))
    lines = ["  ".join(words)]
    lines += [f"        hint: {exchange['hint']}"] if "hint" in exchange else []
    return "\n".join(fitting(printable(line)) for line in lines)


def _in_full(exchange: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of an exchange: `>` marks the request, `<` the response."""
    yield from ("", f"> {exchange['method']} {exchange['target']}")
    yield from _message(exchange["request"], ">")
    yield from ("", f"< {exchange['status'] or 'no answer'}")
    yield from _message(exchange["response"], "<")
    for frame in exchange.get("frames", ()):
        yield f"{'>' if frame['sent'] else '<'} {frame['text']}"


def _message(message: dict[str, Any], mark: str) -> Iterator[str]:
    for name, value in message["headers"]:
        yield f"{mark} {name}: {value}"
    body = message["body"]
    if body is not None:
        text = body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False)
        yield from (f"{mark} {line}" for line in ("", *text.splitlines()))

"""Following a journal: each exchange is shown once, as soon as it is over."""

import time
from typing import Any

from mockchat.commands.lines import lines
from mockchat.commands.remote import PATIENCE, Remote, UnreachableError
from mockchat.commands.show import note, say, say_json_line

_JOURNAL = "/journal"
_BEFORE = "10"  # exchanges that were there already are shown, the newest, if nobody says
_MOST = 10_000  # that a server tells at once
_WAIT = 30.0  # seconds that a server has to answer that nothing came
_PAUSE = 0.25  # seconds between two looks whether a server is back
_LOOKS = 120


def follow(remote: Remote, wanted: dict[str, Any], limit: str | None, *, as_json: bool) -> int:
    """Print exchanges until Ctrl-C; a server that is gone has half a minute to come back.

    Raises UnreachableError where there is none, or none any more.
    """
    found = remote.control("GET", _JOURNAL, query={**wanted, "limit": limit or _BEFORE})
    while True:
        for exchange in found["exchanges"]:
            _print(exchange, with_app=not remote.app, as_json=as_json)
        # A server that was started anew counts on from where the last one cannot have been.
        query = {**wanted, "limit": _MOST, "cursor": found["cursor"], "wait": _WAIT}
        found = _next(remote, query)


def _print(exchange: dict[str, Any], *, with_app: bool, as_json: bool) -> None:
    if as_json:
        say_json_line(exchange)
    else:
        say(lines(exchange, with_app=with_app))


def _next(remote: Remote, query: dict[str, Any]) -> Any:
    """Return what comes next; raise what the server was lost by if it does not come back."""
    try:
        return _ask(remote, query)
    except UnreachableError as error:
        lost = error
    note(f"{lost}; waiting for it")
    for _ in range(_LOOKS):
        time.sleep(_PAUSE)
        try:
            found = _ask(remote, {**query, "wait": None})
        except UnreachableError:
            continue
        note("it is back")
        return found
    raise lost


def _ask(remote: Remote, query: dict[str, Any]) -> Any:
    return remote.control("GET", _JOURNAL, query=query, timeout=_WAIT + PATIENCE)

"""`clock`: what time it is for a server."""

import argparse
from typing import Any

from mockchat.commands import Run
from mockchat.commands.remote import Remote, add_actions
from mockchat.commands.show import tell

_CLOCK = "/clock"


def _take(parser: argparse.ArgumentParser) -> Run:
    actions = add_actions(
        parser,
        {
            "show": "tell the server's time",
            "freeze": "stop it, now or at an instant",
            "advance": "move it forward, stopped or not",
            "resume": "let it tick again, at the real time",
        },
    )
    actions["freeze"].add_argument(
        "at", metavar="AT", nargs="?", help="like 2026-01-31T12:00:00Z, or unix seconds"
    )
    actions["advance"].add_argument("by", metavar="DURATION", help="like 90s, 1h or 30d")
    return _move


def _move(arguments: argparse.Namespace) -> int:
    remote = Remote(arguments)
    wish = _wish(arguments)
    clock = remote.control("PATCH", _CLOCK, wish) if wish else remote.control("GET", _CLOCK)
    state = "frozen" if clock["frozen"] else "ticking"
    return tell(arguments, clock, f"{clock['time']} {state}")


def _wish(arguments: argparse.Namespace) -> dict[str, Any]:
    if arguments.action == "freeze":
        return {"freeze": True} if arguments.at is None else {"at": arguments.at}
    if arguments.action == "advance":
        return {"advance": arguments.by}
    return {"resume": True} if arguments.action == "resume" else {}


TAKES = {"clock": _take}

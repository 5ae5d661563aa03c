"""`health`, and the commands that work without a server: `errors`, `routes`, `openapi`."""

import argparse
import json
from typing import Any

from mockchat.commands import CommandError
from mockchat.commands.remote import Remote
from mockchat.commands.show import printable, say, tell
from mockchat.commands.table import Action, columns
from mockchat.core.errors import CATALOGUE, Face

_HEALTHY = 5.0  # seconds that a healthy server has to answer
_ERRORS = columns("dialect status code name when")


def health(_action: Action, arguments: argparse.Namespace) -> int:
    """Print the server's answer, which is short JSON."""
    say(printable(Remote(arguments).fetch("/health", timeout=_HEALTHY)))
    return 0


def errors(_action: Action, arguments: argparse.Namespace) -> int:
    """List the error catalogue: a line for each error, or for each of its two dialects."""
    rows = [
        {
            "name": row.name,
            "when": row.when,
            "documented": _face(row.documented),
            "live": _face(row.live),
        }
        for row in CATALOGUE.values()
    ]
    found = _matching(arguments.word, rows)
    lines = [
        {**row, **row[dialect], "dialect": shown} for row in found for dialect, shown in _of(row)
    ]
    return tell(arguments, found if arguments.json else lines, _ERRORS)


def _of(row: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the dialects to list an error in, and the word for each."""
    documented, live = row["documented"], row["live"]
    if (documented["code"], documented["status"]) == (live["code"], live["status"]):
        return [("live", "both")]
    return [("documented", "documented"), ("live", "live")]


def _face(face: Face) -> dict[str, Any]:
    shown = {name: getattr(face, name) for name in ("code", "status", "message")}
    return {**shown, "evidence": face.evidence.value}


def _matching(word: str | None, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows that contain a word; raise CommandError if there are none."""
    found = [row for row in rows if (word or "").lower() in str(row).lower()]
    if not found:
        raise CommandError(f"no row contains {word!r}")
    return found


def routes(action: Action, arguments: argparse.Namespace) -> int:
    """List the operations, those of the live service that are not built among them."""
    from mockchat.api import OPERATIONS, UNBUILT  # noqa: PLC0415  # imports marshmallow
    from mockchat.control import CONTROL_OPERATIONS  # noqa: PLC0415

    rows = [
        {
            "method": row.method,
            "path": row.path,
            "operation": row.id,
            "needs": row.access.value,
            "does": row.summary,
            "evidence": row.evidence.value,
            "built": row not in UNBUILT,
        }
        for row in (*OPERATIONS, *CONTROL_OPERATIONS, *UNBUILT)
    ]
    return tell(arguments, _matching(arguments.word, rows), action.shows)


def openapi(_action: Action, _arguments: argparse.Namespace) -> int:
    """Print the OpenAPI document."""
    from mockchat.wire.openapi import document  # noqa: PLC0415  # imports marshmallow

    say(json.dumps(document(), ensure_ascii=False, indent=2))
    return 0

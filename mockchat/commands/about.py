"""`health`, and the tables that need no server: `errors`, `routes` and `openapi`."""

import argparse
from typing import Any

from mockchat.commands import CommandError, Run
from mockchat.commands.remote import Remote, add_server_options
from mockchat.commands.show import add_json_option, printable, say, tell_table
from mockchat.core.errors import CATALOGUE, Face

_PATIENCE = 5.0  # seconds that a server has that is well


# --- health ---------------------------------------------------------------------------------
def _take_health(parser: argparse.ArgumentParser) -> Run:
    add_server_options(parser, of_apps=False)
    return _health


def _health(arguments: argparse.Namespace) -> int:
    """Print the answer as it came: it is JSON, and short."""
    answer = Remote(arguments).fetch("/health", timeout=_PATIENCE)
    say(printable(answer.decode(errors="replace")))
    return 0


# --- errors ---------------------------------------------------------------------------------
def _take_errors(parser: argparse.ArgumentParser) -> Run:
    parser.add_argument("word", nargs="?", help="only those that have this in code or condition")
    add_json_option(parser)
    return _list_errors


def _list_errors(arguments: argparse.Namespace) -> int:
    rows = [
        {
            "name": row.name,
            "when": row.when,
            "documented": _face(row.documented),
            "live": _face(row.live),
        }
        for row in CATALOGUE.values()
    ]
    found = _having(arguments.word, rows)
    lines = [line for row in found for line in _error_lines(row)]
    return tell_table(arguments, found, ("dialect", "status", "code", "name", "when"), lines)


def _face(face: Face) -> dict[str, Any]:
    return {
        "code": face.code,
        "status": face.status,
        "message": face.message,
        "evidence": face.evidence.value,
    }


def _error_lines(row: dict[str, Any]) -> list[tuple[Any, ...]]:
    def line(dialect: str, face: dict[str, Any]) -> tuple[Any, ...]:
        return (dialect, face["status"], face["code"], row["name"], row["when"])

    documented, live = row["documented"], row["live"]
    if (documented["code"], documented["status"]) == (live["code"], live["status"]):
        return [line("both", live)]
    return [line("documented", documented), line("live", live)]


def _having(word: str | None, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows that say this word somewhere; raise CommandError where none does."""
    found = [row for row in rows if (word or "").lower() in str(row).lower()]
    if not found:
        raise CommandError(f"nothing here has {word!r}")
    return found


# --- operations -----------------------------------------------------------------------------
def _take_routes(parser: argparse.ArgumentParser) -> Run:
    parser.add_argument("word", nargs="?", help="only those that have this in path or summary")
    add_json_option(parser)
    return _list_routes


def _list_routes(arguments: argparse.Namespace) -> int:
    from mockchat.api import OPERATIONS, UNBUILT  # noqa: PLC0415  # what follows needs marshmallow
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
    found = _having(arguments.word, rows)
    lines = [
        (row["method"], row["path"], row["needs"], row["does"] if row["built"] else "not built")
        for row in found
    ]
    return tell_table(arguments, found, ("method", "path", "needs", "what it does"), lines)


def _take_openapi(_parser: argparse.ArgumentParser) -> Run:
    return _print_openapi


def _print_openapi(_arguments: argparse.Namespace) -> int:
    from mockchat.wire.openapi import text  # noqa: PLC0415

    say(text().rstrip("\n"))
    return 0


TAKES = {
    "health": _take_health,
    "errors": _take_errors,
    "routes": _take_routes,
    "openapi": _take_openapi,
}

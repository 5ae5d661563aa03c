"""The output of commands: tables and sentences for people, JSON for scripts."""

import argparse
import json
import shutil
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from mockchat.commands import UsageError
from mockchat.commands.table import Column, Shows

_GAP = "  "
_CUT = "…"
_PIPE = "-"
_LONGEST = 512 * 2**20  # bytes of a JSON file; no server takes a longer snapshot


def say(text: str) -> None:
    """Print a line on stdout at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """Print a line for people on stderr."""
    sys.stderr.write(f"mockchat: {text}\n")
    sys.stderr.flush()


def say_json(value: Any, indent: int | None = 2) -> None:
    """Print a JSON document; without an indent it is one line."""
    say(json.dumps(value, indent=indent, ensure_ascii=False))


def tell(arguments: argparse.Namespace, answer: Any, shows: Shows = "{message}") -> int:
    """Print an answer as JSON, a sentence or a table; return exit status 0."""
    if arguments.json:
        say_json(answer)
    elif isinstance(shows, tuple):
        head = [column.head for column in shows]
        _say_table([head, *([_cell(row, column) for column in shows] for row in answer)])
    elif isinstance(shows, str):
        values = {name: _text(value) for name, value in answer.items()}
        say(printable(shows.format_map(values)))
    else:
        say(printable(shows(answer)))
    return 0


def _cell(row: dict[str, Any], column: Column) -> Any:
    value = row.get(column.value) if isinstance(column.value, str) else column.value(row)
    return column.default if value in (None, {}, []) else value


def _say_table(rows: list[list[Any]]) -> None:
    """Print rows in columns; on a terminal, lines are cut at its width."""
    lines = [[printable(_text(cell)) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        say(fitting(_GAP.join(cells).rstrip()))


def fitting(line: str) -> str:
    """Return a line, cut at the width of the terminal if stdout is one."""
    if not sys.stdout.isatty():
        return line
    width = shutil.get_terminal_size().columns
    return line if len(line) <= width else line[: width - 1] + _CUT


def printable(text: str) -> str:
    """Return a text with control characters escaped, so that it cannot change the terminal."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def pairs(values: dict[str, Any]) -> str:
    """Return a mapping as `name=value` words."""
    return " ".join(f"{name}={value}" for name, value in values.items())


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return pairs(value)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


# --- JSON files -----------------------------------------------------------------------------
def read_json(name: str) -> Any:
    """Return the content of a JSON file or of stdin (`-`); raise UsageError."""
    try:
        with nullcontext(sys.stdin.buffer) if name == _PIPE else Path(name).open("rb") as file:
            content = file.read(_LONGEST + 1)
        if len(content) > _LONGEST:
            raise UsageError(f"{name}: is longer than {_LONGEST >> 20} MiB")
        return json.loads(content)
    except OSError as error:
        raise UsageError(f"{name}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name}: is not valid JSON: {error}") from None


def write_json(name: str, content: Any) -> int:
    """Write a JSON file or print it (`-`); return exit status 0, raise UsageError."""
    text = json.dumps(content, indent=2)
    if name == _PIPE:
        say(text)
        return 0
    try:
        Path(name).write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{name}: cannot be written: {error.strerror}") from None
    note(f"wrote {name}")
    return 0

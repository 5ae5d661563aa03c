"""What commands print: tables for people, JSON for scripts."""

import argparse
import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any

_GAP = "  "
_CUT = "…"


def say(text: str) -> None:
    """Print a line, at once: others may read along."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """Tell the person who waits, apart from what is printed for scripts."""
    sys.stderr.write(f"mockchat: {text}\n")
    sys.stderr.flush()


def say_json(value: Any) -> None:
    """Print a document for scripts."""
    say(json.dumps(value, indent=2, ensure_ascii=False))


def say_json_line(value: Any) -> None:
    """Print one document of many, in a line of its own."""
    say(json.dumps(value, ensure_ascii=False))


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """Declare that JSON is printed if it is asked for."""
    parser.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON")


def wants_json(arguments: argparse.Namespace) -> bool:
    """Whether JSON is to be printed."""
    return bool(getattr(arguments, "json", False))


def tell(arguments: argparse.Namespace, answer: Any, text: str) -> int:
    """Print an answer, as JSON if that is wanted, else a sentence; return that all is well."""
    if wants_json(arguments):
        say_json(answer)
    else:
        say(printable(text))
    return 0


def tell_table(
    arguments: argparse.Namespace, answer: Any, head: Sequence[str], rows: Iterable[Sequence[Any]]
) -> int:
    """Print an answer, as JSON if that is wanted, else a table; return that all is well."""
    if wants_json(arguments):
        say_json(answer)
    else:
        say_table(head, rows)
    return 0


def say_table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print columns as wide as they need to be; on a terminal no line is longer than it is wide."""
    lines = [[printable(head_) for head_ in head]]
    lines += [[printable(_text(cell)) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        say(fitting(_GAP.join(cells).rstrip()))


def fitting(line: str) -> str:
    """Return a line that the terminal holds, if that is where it goes."""
    if not sys.stdout.isatty():
        return line
    width = shutil.get_terminal_size().columns
    return line if len(line) <= width else line[: width - 1] + _CUT


def sentence(text: str) -> str:
    """Return what a table says as a sentence of its own."""
    return f"{text[:1].upper()}{text[1:]}."


def printable(text: str) -> str:
    """Return what a client sent in a form that moves no cursor and changes no colour."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)

"""Writes the README's tables from the project's own: `python docs/tables.py`.

`--check` changes nothing and fails where a table is out of date.
"""

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from mockchat import config
from mockchat.api import OPERATIONS, UNBUILT
from mockchat.api.operation import Access
from mockchat.control import CONTROL_OPERATIONS
from mockchat.core.errors import CATALOGUE, Face

README = Path(__file__).parent.parent / "README.md"
_BLOCK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_ACCESS = {
    Access.PUBLIC: "nothing",
    Access.ANY_KEY: "api key",
    Access.FULL_KEY: "full-access key",
    Access.TOKEN: "auth token",
    Access.FULL_KEY_OR_TOKEN: "full-access key or auth token",
    Access.CONTROL: "control token, if set",
}


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def operations() -> str:
    """Return the table of built operations."""
    rows = [
        (f"`{row.method} {row.path}`", row.summary, _ACCESS[row.access], row.evidence.value)
        for row in (*OPERATIONS, *CONTROL_OPERATIONS)
    ]
    return table(("operation", "what it does", "needs", "evidence"), rows)


def unbuilt() -> str:
    """Return the table of what is known and not built."""
    paths: dict[str, list[str]] = {}
    for row in UNBUILT:
        paths.setdefault(row.path, []).append(row.method + "*" * (row.query is not None))
    rows = [(f"`{path}`", " ".join(methods)) for path, methods in paths.items()]
    return table(("path", "methods"), rows)


def errors() -> str:
    """Return the table of the error catalogue."""

    def shown(face: Face) -> str:
        return f"`{face.code}` {face.status} ({face.evidence.value})"

    rows = [
        (row.when, shown(row.documented), shown(row.live) if row.differs else "the same")
        for row in CATALOGUE.values()
    ]
    return table(("condition", "`documented`", "`live`"), rows)


def settings() -> str:
    """Return the table of settings."""
    rows = [
        (f"`{config.flag(name)}`", f"`{config.variable(name)}`", row.shown, row.help)
        for name, row in config.rows()
    ]
    return table(("flag", "variable", "default", "meaning"), rows)


TABLES = {
    "operations": operations,
    "unbuilt": unbuilt,
    "errors": errors,
    "settings": settings,
}


def render(text: str) -> str:
    """Return the text with every marked table written anew."""
    return _BLOCK.sub(lambda block: block[1] + TABLES[block[2]]() + block[3], text)


def main() -> int:
    """Write the tables, or check them; return the exit status."""
    text = README.read_text()
    fresh = render(text)
    if "--check" in sys.argv[1:]:
        return int(fresh != text)
    README.write_text(fresh)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Writes the tables in docs/ from the project's own tables.

`python docs/tables.py` writes what is out of date, `--check` changes nothing and fails there.
"""

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from docs import kit_names, kit_reference
from docs.differences import DIFFERENCES
from mockchat import config
from mockchat.api import MANAGEMENT, OPERATIONS, UNBUILT
from mockchat.api.operation import Operation
from mockchat.api.validation import TEXTS
from mockchat.commands.table import COMMANDS, GROUPS
from mockchat.control import CONTROL_OPERATIONS
from mockchat.control.faults import kind_rows as fault_rows
from mockchat.core.errors import CATALOGUE, Face
from mockchat.wire.hosts import MANAGEMENT_SERVICE

DOCS = Path(__file__).parent
FIDELITY = DOCS / "fidelity.md"
KIT = DOCS / "kit.md"
_BLOCK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def operations() -> str:
    """Return the table of built operations."""
    rows = [
        (f"`{row.id}`", _request(row), row.summary, row.access.label, row.evidence.value)
        for row in (*OPERATIONS, *CONTROL_OPERATIONS)
    ]
    return table(("operation", "request", "what it does", "needs", "evidence"), rows)


def _request(row: Operation) -> str:
    return f"`{row.method} {row.path}`"


def unbuilt() -> str:
    """Return the table of what is known and not built."""
    paths: dict[str, list[str]] = {}
    for row in UNBUILT:
        paths.setdefault(row.path, []).append(row.method + "*" * (row.query is not None))
    for row in MANAGEMENT:
        paths.setdefault(f"{MANAGEMENT_SERVICE}: {row.path}", []).append(row.method)
    rows = [(f"`{path}`", " ".join(methods)) for path, methods in paths.items()]
    return table(("path", "methods"), rows)


def errors() -> str:
    """Return the table of the error catalogue."""

    def shown(face: Face) -> str:
        return f"`{face.code}` {face.status} ({face.evidence.value})"

    rows = [
        (
            f'<a id="{row.name}"></a>`{row.name}`',
            row.when,
            shown(row.documented),
            shown(row.live) if row.differs else "the same",
        )
        for row in CATALOGUE.values()
    ]
    return table(("name", "condition", "`documented`", "`live`"), rows)


def settings() -> str:
    """Return the table of settings."""
    rows = [
        (f"`{config.flag(name)}`", f"`{config.variable(name)}`", row.shown, row.help)
        for name, row in config.ROWS.items()
    ]
    return table(("flag", "variable", "default", "meaning"), rows)


def commands() -> str:
    """Return the table of commands."""
    rows = [
        (f"`{f'mockchat {row.words} {row.usage}'.strip()}`", row.does, kind)
        for kind, group in GROUPS.items()
        for row in group
        if row.words in COMMANDS
    ]
    return table(("command", "what it does", "kind"), rows)


def differences() -> str:
    """Return the table of known differences from the live service, with the reason of each."""
    rows = [
        (row.area, row.live or "not known", row.mockchat, row.why, row.asked) for row in DIFFERENCES
    ]
    return table(("about", "live service", "mockchat", "why", "in reports of verify"), rows)


def evidence() -> str:
    """Return the table of all operations, built or not, with how well each is known."""
    rows = [(f"`{row.id}`", _request(row), row.summary, row.evidence.value) for row in OPERATIONS]
    rows += [
        (
            f"`{row.id}`",
            _request(row),
            "Not built: 501." if row.query is None else "An empty list.",
            row.evidence.value,
        )
        for row in UNBUILT
    ]
    return table(("operation", "request", "what it does", "evidence"), rows)


def faces() -> str:
    """Return the table of all errors, a row for each of their codes."""
    rows = []
    for row in CATALOGUE.values():
        pair = {"documented": row.documented, "live": row.live}
        shown = pair if row.differs else {"both": row.live}
        rows += [
            (
                row.when,
                dialect,
                f"`{face.code}`",
                str(face.status),
                face.message,
                face.evidence.value,
            )
            for dialect, face in shown.items()
        ]
    return table(("condition", "dialect", "code", "status", "message", "evidence"), rows)


def sentences() -> str:
    """Return the table of the sentences of `details`."""
    rows = [(name, text.text, text.evidence.value) for name, text in TEXTS.items()]
    return table(("rule", "sentence", "evidence"), rows)


def faults() -> str:
    """Return the table of fault kinds and presets."""
    rows = [
        (
            f"`{row['kind']}`",
            row["does"],
            "<br>".join(f"`{one['name']}`: {_told(one)}" for one in row["parameters"]),
        )
        for row in fault_rows()
    ]
    return table(("kind", "what happens", "parameters (default)"), rows)


def _told(parameter: dict[str, Any]) -> str:
    default = parameter["default"]
    return f"{parameter['help']}{'' if default in (None, '') else f' ({default:g})'}"


TABLES = {
    "faults": faults,
    "operations": operations,
    "unbuilt": unbuilt,
    "errors": errors,
    "settings": settings,
    "commands": commands,
}
_FIDELITY = """\
# How faithful mockchat is

Written by `make docs` from the tables that serve; do not edit. Evidence says how well a behaviour
is known:

* `live` was answered by the service. The answers are in `tests/recordings`, and a test replays
  each of them.
* `documented` is stated by the vendor's pages, or shipped in its SDKs.
* `vendor` is the code and text of an error in a table of a vendor's client of 2021; the status is
  mockchat's choice.
* `assumed` is mockchat's choice where nothing is known: what a user would expect.

## Send a report

If you have an account, [`mockchat verify`](verify.md) asks your own app what this page tells, and
compares the answers. `mockchat verify --report report.md` writes a report without keys and data of
users: attach it to an issue of mockchat.

## Known differences from the live service

{differences}
## Operations

{operations}
## Errors

The evidence of a row is that of its text, status or condition: the one that is known least. Of a
`live` row, one of its conditions is recorded at least.

{errors}
## Sentences of `details`

{sentences}"""


def render(text: str) -> str:
    """Return the text with every marked table written anew."""
    return _BLOCK.sub(lambda block: block[1] + TABLES[block[2]]() + block[3], text)


def fidelity() -> str:
    """Return the page on fidelity."""
    return _FIDELITY.format(
        differences=differences(), operations=evidence(), errors=faces(), sentences=sentences()
    )


def files() -> dict[Path, str]:
    """Return the pages with generated parts, each with its text as it should be."""
    pages = {page: page.read_text(encoding="utf-8") for page in DOCS.glob("*.md")}
    marked = {page: render(text) for page, text in pages.items() if _BLOCK.search(text)}
    written = {FIDELITY: fidelity(), KIT: kit_reference.page()}
    return {**marked, **written, kit_names.PLACE: kit_names.names()}


def main() -> int:
    """Write the files, or check them; return the exit status."""
    stale = {file: text for file, text in files().items() if not _is(file, text)}
    if "--check" in sys.argv[1:]:
        sys.stderr.writelines(f"{file} is out of date: make docs\n" for file in stale)
        return int(bool(stale))
    for file, text in stale.items():
        file.write_text(text)
    return 0


def _is(file: Path, text: str) -> bool:
    return file.exists() and file.read_text() == text


if __name__ == "__main__":
    sys.exit(main())

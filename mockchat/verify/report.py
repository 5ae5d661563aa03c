"""Reports of a run: tables for a terminal, JSON, and a file in Markdown or HTML."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mockchat.verify.compare import Difference
from mockchat.verify.play import Outcome, Verdict
from mockchat.verify.run import Run
from mockchat.verify.table import GROUPS, NOT_ASKED
from mockchat.version import __version__

if TYPE_CHECKING:
    from rich.console import Console

_TITLE = "mockchat and the live service"
_PAGE = """\
<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 75em; margin: 2em auto; padding: 0 1em }}
div {{ overflow-x: auto }}
table {{ border-collapse: collapse }}
th, td {{ text-align: left; vertical-align: top; padding: .3em .8em; overflow-wrap: break-word;
          border-bottom: 1px solid #8886; min-width: 4.5em }}
</style>
{body}
</html>
"""
_DIFFERENCES = "Differences"


class Section(NamedTuple):
    """A table of a report; `empty` stands for it if it has no rows."""

    title: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]
    empty: str = ""


def document(run: Run) -> dict[str, Any]:
    """Return the whole result as JSON has it, without keys."""
    return {
        "mockchat": __version__,
        "region": run.plan.place.region,
        "counts": _counts(run.outcomes),
        "complete": run.is_complete,
        "left": run.made.left,
        "probes": [
            {
                "group": one.group,
                "what": one.probe.what,
                "request": one.probe.request,
                "verdict": one.verdict.value,
                "assumed": one.assumed,
                "reason": one.reason,
                "differences": [difference._asdict() for difference in one.differences],
            }
            for one in run.outcomes
        ],
        "notAsked": NOT_ASKED,
    }


def _counts(outcomes: Iterable[Outcome]) -> dict[str, int]:
    found = Counter(one.verdict.value for one in outcomes)
    return {verdict.value: found[verdict.value] for verdict in Verdict}


def conclusion(run: Run) -> str:
    """Return the result in a sentence or two."""
    counts = ", ".join(f"{name} {number}" for name, number in _counts(run.outcomes).items())
    left = run.made.left
    more = f"Perhaps left on the app: {', '.join(left)}." if left else "Nothing is left on the app."
    return f"{len(run.outcomes)} probes: {counts}. {more}"


# --- sections -------------------------------------------------------------------------------
def sections(run: Run) -> Iterator[Section]:
    """Yield the tables of a report."""
    verdicts = tuple(verdict.value for verdict in Verdict)
    counts = [
        (group, *(str(number) for number in _counts(found).values()))
        for group in GROUPS
        if (found := [one for one in run.outcomes if one.group == group])
    ]
    yield Section("Probes", ("group", *verdicts), counts)
    yield Section(
        _DIFFERENCES,
        ("probe", "place", "live service", "mockchat"),
        list(_differences(run.outcomes)),
        "No answer differs.",
    )
    known = [one for one in run.outcomes if one.verdict is Verdict.NEWLY_KNOWN]
    rows = _grouped((one.assumed, one.probe.what) for one in known)
    yield Section("Newly known: assumed so far, and the same", ("assumption", "probes"), rows)
    unasked = [one for one in run.outcomes if one.verdict is Verdict.NOT_ASKED]
    reasons = _grouped((one.reason, one.probe.what) for one in unasked)
    rows = [row[::-1] for row in reasons] + [*NOT_ASKED.items()]
    yield Section("Not asked", ("what", "why"), rows)


def _differences(outcomes: Sequence[Outcome]) -> Iterator[tuple[str, ...]]:
    """Yield each difference once, those of a probe together, under the first that showed it."""
    seen: dict[Difference, list[Outcome]] = {}
    for one in outcomes:
        for difference in one.differences:
            seen.setdefault(difference, []).append(one)
    told = ""
    for difference, found in seen.items():
        first = found[0]
        more = f" (and {len(found) - 1} more probes)" if len(found) > 1 else ""
        assumed = ". Assumed so far." if first.assumed else ""
        name = f"{first.probe.what}: {first.probe.request}{more}{assumed}"
        yield (name if name != told else ""), *difference
        told = name


def _grouped(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for name, what in pairs:
        found.setdefault(name, []).append(what)
    return [(name, _joined(whats)) for name, whats in found.items()]


def _joined(whats: list[str]) -> str:
    shown = 3
    more = f"; and {len(whats) - shown} more" if len(whats) > shown else ""
    return "; ".join(whats[:shown]) + more


# --- forms ----------------------------------------------------------------------------------
def show(run: Run, console: "Console") -> None:
    """Print the tables."""
    from rich import box  # noqa: PLC0415  # of the extra `verify`
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    for section in sections(run):
        console.print()
        if not section.rows and section.empty:
            console.print(Text(section.empty, "bold green"))
        if not section.rows:
            continue
        table = Table(
            title=section.title, title_justify="left", box=box.SIMPLE_HEAD, title_style="bold"
        )
        for number, head in enumerate(section.head):
            is_count = section.title == "Probes" and number
            table.add_column(
                head, overflow="fold", justify="right" if is_count else "left", min_width=5
            )
        for row in section.rows:
            table.add_row(*(Text(_printable(cell)) for cell in row), style=_style(section, row))
        console.print(table)
    console.print(Text(conclusion(run)), soft_wrap=True)


def _style(section: Section, row: Sequence[str]) -> str:
    """Return the style of a row: groups with differences stand out."""
    differs = section.head.index(Verdict.DIFFERS) if Verdict.DIFFERS in section.head else 0
    return "bold red" if differs and row[differs] != "0" else ""


def save(run: Run, path: str) -> None:
    """Write the report as HTML or, with any other suffix, as Markdown; raise OSError."""
    suffix = Path(path).suffix.lower()
    text = html(run) if suffix in (".html", ".htm") else markdown(run)
    Path(path).write_text(text, encoding="utf-8")


def markdown(run: Run) -> str:
    """Return the report in Markdown."""
    parts = [f"# {_TITLE}\n\nmockchat {__version__}. {conclusion(run)}\n"]
    for one in sections(run):
        lines = [one.head, ("---",) * len(one.head), *one.rows]
        table = "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)
        parts.append(f"## {one.title}\n\n{table if one.rows else one.empty or 'None.'}\n")
    return "\n".join(parts)


def html(run: Run) -> str:
    """Return the report as an HTML page."""
    parts = [f"<h1>{_TITLE}</h1><p>mockchat {__version__}. {escape(conclusion(run))}</p>"]
    for one in sections(run):
        parts.append(f"<h2>{escape(one.title)}</h2>")
        rows = [_row("th", one.head), *(_row("td", row) for row in one.rows)]
        table = f"<div><table>{''.join(rows)}</table></div>"
        parts.append(table if one.rows else f"<p>{escape(one.empty or 'None.')}</p>")
    return _PAGE.format(title=_TITLE, body="\n".join(parts))


def _row(tag: str, cells: Sequence[str]) -> str:
    told = "".join(f"<{tag}>{escape(_printable(cell))}</{tag}>" for cell in cells)
    return f"<tr>{told}</tr>\n"


def _cell(text: str) -> str:
    escaped = _printable(text).replace("\\", "\\\\").replace("|", "\\|")
    return escaped.replace("<", "&lt;").replace("`", "\\`")


def _printable(text: str) -> str:
    """Return a text with control characters escaped, so that it cannot change the terminal."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)

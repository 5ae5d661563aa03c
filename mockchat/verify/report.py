"""Reports of a run: tables for a terminal, JSON, and a file in Markdown or HTML."""

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mockchat.commands.show import printable
from mockchat.verify.compare import Difference
from mockchat.verify.run import Outcome, Run, Verdict
from mockchat.verify.table import GROUPS, NOT_ASKED
from mockchat.version import __version__

if TYPE_CHECKING:
    from rich.console import Console

_WIDTH = 110  # characters of an HTML report
_SHOWN = 3  # probes that a row names


class Section(NamedTuple):
    """A table of a report."""

    title: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


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
    found = Counter(one.verdict for one in outcomes)
    return {verdict.value: found[verdict] for verdict in Verdict}


def conclusion(run: Run) -> str:
    """Return the result in a few sentences."""
    counts, left = _counts(run.outcomes), run.made.left
    told = ", ".join(f"{name} {number}" for name, number in counts.items())
    same = "" if counts[Verdict.DIFFERS] else " No answer differs."
    more = f"Perhaps left on the app: {', '.join(left)}." if left else "Nothing is left on the app."
    return f"{len(run.outcomes)} probes: {told}.{same} {more}"


def sections(run: Run) -> Iterator[Section]:
    """Yield the tables of a report, of which any may have no rows."""
    counts = [
        (group, *map(str, _counts(found).values()))
        for group in GROUPS
        if (found := [one for one in run.outcomes if one.group == group])
    ]
    yield Section("Probes", ("group", *Verdict), counts)
    head = ("probe", "place", "live service", "mockchat")
    yield Section("Differences", head, list(_differences(run.outcomes)))
    known = [one for one in run.outcomes if one.verdict is Verdict.NEWLY_KNOWN]
    rows = _grouped((one.assumed, one.probe.what) for one in known)
    yield Section("Newly known: assumed so far, and the same", ("assumption", "probes"), rows)
    unasked = [one for one in run.outcomes if one.verdict is Verdict.NOT_ASKED]
    reasons = _grouped((one.reason, one.probe.what) for one in unasked)
    rows = [(whats, reason) for reason, whats in reasons] + [*NOT_ASKED.items()]
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


def _grouped(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return each name with the first of its probes and the number of the others."""
    found: dict[str, list[str]] = {}
    for name, what in pairs:
        found.setdefault(name, []).append(what)
    return [(name, _joined(whats)) for name, whats in found.items()]


def _joined(whats: list[str]) -> str:
    more = f"; and {len(whats) - _SHOWN} more" if len(whats) > _SHOWN else ""
    return "; ".join(whats[:_SHOWN]) + more


# --- forms ----------------------------------------------------------------------------------
def show(run: Run, console: "Console") -> None:
    """Print the tables; groups with differences stand out."""
    from rich import box  # noqa: PLC0415  # of the extra `verify`
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    for title, head, rows in sections(run):
        if not rows:
            continue
        table = Table(box=box.SIMPLE_HEAD, title=f"\n{title}", title_style="bold")
        table.title_justify = "left"
        differs = head.index(Verdict.DIFFERS) if Verdict.DIFFERS in head else 0
        for number, name in enumerate(head):
            is_count = differs and number
            table.add_column(name, overflow="fold", justify="right" if is_count else "left")
        for row in rows:
            style = "bold red" if differs and row[differs] != "0" else ""
            table.add_row(*(Text(printable(cell)) for cell in row), style=style)
        console.print(table)
    console.print(Text(conclusion(run)), soft_wrap=True)


def save(run: Run, path: str) -> None:
    """Write the report as HTML or, with any other suffix, as Markdown; raise OSError."""
    is_html = Path(path).suffix.lower() in (".html", ".htm")
    Path(path).write_text(html(run) if is_html else markdown(run), encoding="utf-8")


def markdown(run: Run) -> str:
    """Return the report in Markdown."""
    parts = [f"# mockchat and the live service\n\nmockchat {__version__}. {conclusion(run)}\n"]
    for title, head, rows in sections(run):
        lines = [head, ("---",) * len(head), *rows] if rows else []
        table = "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)
        parts.append(f"## {title}\n\n{table or 'None.'}\n")
    return "\n".join(parts)


def html(run: Run) -> str:
    """Return the tables of a terminal as an HTML page."""
    from rich.console import Console  # noqa: PLC0415  # of the extra `verify`

    console = Console(file=io.StringIO(), record=True, width=_WIDTH, highlight=False)
    console.print(f"mockchat {__version__} and the live service", style="bold")
    show(run, console)
    return console.export_html()


def _cell(text: str) -> str:
    escaped = printable(text).replace("\\", "\\\\").replace("|", "\\|")
    return escaped.replace("<", "&lt;").replace("`", "\\`")

"""How the matrix is told: a line a run while it goes on, and a page for the docs at the end."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

Facts = dict[str, Any]

INTRO = """\
# SDK matrix

`make sdk-matrix` runs every version of CometChat's three browser packages on npm, unmodified,
through the steps of the SDK tests in headless Chromium. It writes this page. `override`: the
hosts are overridden, where the package has options for that. `live`: the live host names lead to
mockchat.

`yes`: passed, by the very assertions of the suite; `no`: not passed. `XMPP`: the package speaks
XMPP where newer ones open CometChat's WebSocket; its login does not need it. `promises`: how many
methods and requests that return a promise were called after a login. Each settled within eight
seconds, none threw inside the SDK, and every request of an app after its login was answered.

The suite works around three flaws of the packages. 2.1.3 and 2.1.4 cannot log in a second
user over the first, so the first logs out before. Up to 2.3.0 no login works in a page that was
refused a dead token, so dead tokens have pages of their own. And 3.0.11 cannot register a push
token: `registerTokenForPushNotification()` is not called there. A token that turns out dead logs
the app out from 2.3.1 on, and not in 3.0.0-beta1.
"""
OLD = """
## 1.0 to 2.1.2

These versions of `@cometchat-pro/chat`, of 2018 to 2020, end a login by connecting to an XMPP
server. mockchat has none and none is planned. So this is how far they get, by live host names.
"""
OK = 200
TOO_LONG = re.compile(r"step (\w+): nothing in \d+ ms")


class Run(NamedTuple):
    """The facts of one package in one mode, and which milestones it passed."""

    facts: Facts
    passed: dict[str, bool]

    @property
    def expected(self) -> bool:
        """Whether the package is one whose login mockchat can complete."""
        return bool(self.facts["traits"]["finishes"])

    @property
    def complete(self) -> bool:
        return all(self.passed.values())

    @property
    def failed(self) -> bool:
        return self.expected and not self.complete

    @property
    def stopped(self) -> str:
        """What kept a package from completing its login, or else the milestones it failed."""
        steps = self.facts.get("steps", {})
        told = [trouble(name, steps[name]) for name in upto("login", steps)]
        if not trouble("login", steps.get("login")):
            told.append(endless(self.facts))
        if found := [text for text in told if text]:
            return "; ".join(dict.fromkeys(found))
        return ", ".join(name for name, passed in self.passed.items() if not passed)


def upto(last: str, names: Iterable[str]) -> list[str]:
    names = list(names)
    return names[: names.index(last) + 1] if last in names else names


def trouble(name: str, step: Any) -> str:
    """How a step that went wrong is told; of most there is nothing to tell."""
    unexpected = step.get("unexpected") if isinstance(step, dict) else None
    if not unexpected:
        return ""
    if "is not a function" in unexpected["message"]:
        return f"no {unexpected['message'].split()[0].removeprefix('CometChat.')}()"
    return f"{name}: {unexpected.get('name') or unexpected.get('code')}"


def endless(facts: Facts) -> str:
    hung = facts.get("hung") or ""
    waiting = TOO_LONG.search(hung)
    return f"{waiting[1]}: waits for ever" if waiting else hung


def cells(run: Run) -> list[str]:
    """A row of the table: package, version, mode, the milestones."""
    facts = run.facts
    marks = [mark(run, name) for name in run.passed]
    return [f"`{facts['package']}`", facts["version"], facts["hosts"], *marks]


def mark(run: Run, milestone: str) -> str:
    if milestone == "live socket" and not run.facts["traits"]["realtime"]:
        return "XMPP"
    if milestone == "promises" and run.passed[milestone]:
        return str(run.facts["steps"]["promises"]["called"])
    return "yes" if run.passed[milestone] else "no"


def old_cells(run: Run) -> list[str]:
    """A row of a package that never completes its login: how far it gets."""
    facts, steps = run.facts, run.facts.get("steps", {})
    done = [name for name in upto("login", steps) if not trouble(name, steps[name])]
    answered = [
        f"{fetch['method']} {fetch['path'].rsplit('/', 1)[-1]}"
        for fetch in facts.get("fetches", [])
        if fetch["status"] == OK
    ]
    return [
        facts["version"],
        ", ".join(name.replace("_", " ") for name in done),
        ", ".join(dict.fromkeys(f"`{call}`" for call in answered)),
        run.stopped,
    ]


def line(run: Run) -> str:
    facts = run.facts
    promises = facts.get("steps", {}).get("promises", {})
    told = "" if run.complete else f"{run.stopped} {promises.get('hung')} {promises.get('thrown')}"
    verdict = "pass" if run.complete else "FAIL" if run.expected else "old "
    count = promises.get("called", "")
    return f"{verdict}  {facts['label']:<22} {facts['hosts']:<9} {count:>4} {told}".rstrip()


def summary(runs: list[Run]) -> list[str]:
    """The result in a few sentences."""
    expected = [run for run in runs if run.expected]
    complete = [run for run in expected if run.complete]
    passing = bundles(expected) - bundles(run for run in expected if not run.complete)
    live = bundles(run for run in complete if run.facts["traits"]["realtime"])
    modes = Counter(run.facts["hosts"] for run in complete)
    by_mode = ", ".join(f"{count} by {mode}" for mode, count in sorted(modes.items()))
    result = f"{len(passing)} of {len(bundles(expected))} bundles pass in every mode they have"
    return [
        f"{len(bundles(runs))} bundles, {len(runs)} runs.",
        f"From 2.1.3 on: {result} ({by_mode}). {len(live)} of them have a live WebSocket.",
        f"Older: {len(bundles(runs) - bundles(expected))}, which finish a login only over XMPP.",
    ]


def bundles(runs: Iterable[Run]) -> set[str]:
    return {run.facts["label"] for run in runs}


def page(runs: list[Run]) -> str:
    """The page for the docs; the same runs make the same page."""
    runs = sorted(runs, key=place)
    new = [run for run in runs if run.expected]
    old = [run for run in runs if not run.expected]
    parts = [INTRO, *(f"* {sentence}" for sentence in summary(runs)), ""]
    parts += table(["package", "version", "mode", *next(iter(runs)).passed], map(cells, new))
    parts.append(OLD)
    parts += table(["version", "steps done", "calls answered", "stops at"], map(old_cells, old))
    return "\n".join([*parts, ""])


def place(run: Run) -> tuple[Any, ...]:
    """By line and version, a beta before what it precedes."""
    facts = run.facts
    line = facts["label"].partition("-")[0]
    release, _, beta = facts["version"].partition("-")
    numbers = tuple(int(number) for number in release.split("."))
    betas = tuple(int(number) for number in re.findall(r"\d+", beta))
    return line, numbers, not beta, betas, facts["hosts"] == "live"


def table(head: list[str], rows: Iterable[list[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows]]

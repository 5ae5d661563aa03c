"""The pages with generated tables against those tables, and the README's snippets."""

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

from docs.differences import DIFFERENCES
from docs.tables import DOCS, FIDELITY, files
from mockchat import Config, MockChat, __version__, config
from mockchat.api import OPERATIONS, UNBUILT
from mockchat.api.validation import TEXTS
from mockchat.commands.table import COMMANDS
from mockchat.control import CONTROL_OPERATIONS
from mockchat.core.errors import CATALOGUE, Evidence
from tests.command_line import Command
from tests.pages import blocks

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def lines_with(page: str, *patterns: str) -> list[str]:
    """The lines of a page of docs/ that have all patterns."""
    lines = (DOCS / f"{page}.md").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if all(re.search(pattern, line) for pattern in patterns)]


def section(page: Path, title: str) -> str:
    """The text under a heading of a page."""
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", page.read_text(), re.DOTALL | re.MULTILINE)
    assert found, f"{page.name} has no section {title!r}"
    return found[1].replace("\\|", "|")


def snippets(language: str) -> list[str]:
    """The code blocks of the README in this language."""
    return [block.code for block in blocks(README) if block.language == language]


# --- tables ---------------------------------------------------------------------------------
def test_generated_docs_are_up_to_date() -> None:
    for file, text in files().items():
        assert file.read_text() == text, f"{file}: run `make docs`"


def test_every_operation_command_and_setting_is_in_a_line_of_its_page() -> None:
    for operation in (*OPERATIONS, *CONTROL_OPERATIONS):
        path = re.escape(operation.path) + r"(?![\w/{])"
        told = rf"^\| `{operation.id}` \| `{operation.method} {path}"
        assert lines_with("operations", told), operation.path
    for name in COMMANDS:
        assert lines_with("cli", rf"^\| `mockchat {name}\b"), name
    for name, row in config.ROWS.items():
        flag = rf"(?<![\w-]){config.flag(name)}(?![\w-])"
        assert lines_with(
            "settings", flag, rf"\b{config.variable(name)}\b", re.escape(row.shown)
        ), name


def test_every_error_has_codes_statuses_and_evidence_of_both_dialects_on_both_pages() -> None:
    lines = section(FIDELITY, "Errors").splitlines()
    for row in CATALOGUE.values():
        faces = (row.documented, row.live)
        evidence = [rf"{one.code}\b.*\b{one.status}\b.*\b{one.evidence.value}\b" for one in faces]
        assert lines_with("errors", f'<a id="{row.name}">', re.escape(row.when), *evidence)
        for face in faces:
            cells = f"| `{face.code}` | {face.status} | {face.message} | {face.evidence} |"
            found = [line for line in lines if f"| {row.when} |" in line and line.endswith(cells)]
            assert found, f"{row.name}: {cells}"


def test_every_operation_and_sentence_of_details_has_its_evidence() -> None:
    lines = section(FIDELITY, "Operations").splitlines()
    for row in (*OPERATIONS, *UNBUILT):
        start = f"| `{row.id}` | `{row.method} {row.path}` |"
        [line] = [line for line in lines if line.startswith(start)]
        assert line.endswith(f"| {row.evidence} |"), line

    told = section(FIDELITY, "Sentences of `details`")
    for rule, text in TEXTS.items():
        assert f"| {rule} | {text.text} | {text.evidence} |" in told
    known = [name for name, text in TEXTS.items() if text.evidence is Evidence.LIVE]
    assert known == ["required", "filled", "taken", "url"]


def test_every_known_difference_and_no_other_is_told() -> None:
    text = section(FIDELITY, "Known differences from the live service")
    for row in DIFFERENCES:
        told = f"| {row.area} | {row.live or 'not known'} | {row.mockchat} | {row.why} |"
        assert told in text

    assert text.count("\n| ") == len(DIFFERENCES) + 2


# --- what the text names --------------------------------------------------------------------
def test_the_readme_is_short_enough_to_be_read() -> None:
    assert len(README.splitlines()) <= 150


def test_whatever_target_file_and_command_the_readme_names_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"(?:`|\$ |&& )make ([a-z-]+)", README))
    named = re.findall(r"`((?:mockchat|fixtures|tests|docs|benchmarks)/[\w./-]*)`", README)
    linked = re.findall(r"\]\((?!https?:|#)([^)#]+)", README)
    commands = set(re.findall(r"(?:`|\$ )(?:python -m )?mockchat ([a-z]+)", README))

    assert {"run"} <= targets <= set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert [name for name in (*named, *linked) if not (ROOT / name).exists()] == []
    assert {"serve"} <= commands <= {*COMMANDS}
    assert re.search(r"What mockchat does not do", README)


def test_the_changelog_is_headed_by_what_comes_next_or_by_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    heads = re.findall(r"^## \[(.+?)\]", text, re.MULTILINE)

    assert heads[0] in ("Unreleased", __version__)


# --- snippets -------------------------------------------------------------------------------
def test_the_first_login_by_curl_works_as_printed() -> None:
    lines = re.findall(r"^\$ (curl .*)$", "\n".join(snippets("console")), re.MULTILINE)

    with MockChat(Config(port=0, https_port=None)).in_thread() as mock:
        answers = [run(line.replace("http://127.0.0.1:8080", str(mock.url))) for line in lines]

    assert answers
    assert all("authToken" in answer["data"] for answer in answers)


def run(line: str) -> Any:
    command = [*shlex.split(line), "--silent", "--show-error", "--fail", "--noproxy", "*"]
    return json.loads(subprocess.run(command, capture_output=True, check=True, timeout=20).stdout)


def test_the_command_lines_run_one_after_the_other_as_printed(steer: Command) -> None:
    page = (DOCS / "cli.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\$ (?:TOKEN=\$\()?mockchat (.*?)\)?$", page, re.MULTILINE)

    complaints = {line: steer(*shlex.split(line)).err for line in lines}
    steer("clock", "resume")

    assert lines
    assert complaints == dict.fromkeys(lines, "")


# --- security -------------------------------------------------------------------------------
def test_every_threat_names_tests_that_there_are() -> None:
    tests = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text(), re.MULTILINE)
    }
    lines = section(DOCS / "security.md", "Threats").strip().splitlines()[2:]

    assert len(lines) >= 20
    for line in lines:
        named = set(re.findall(r"`(test_\w+)`", line.split(" | ")[-1]))
        assert named, line
        assert named <= tests, line

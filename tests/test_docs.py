"""The README and docs/fidelity.md against the tables they come from, and the README's snippets."""

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pytest_aiohttp.plugin import AiohttpClient

from docs.differences import DIFFERENCES
from docs.tables import FIDELITY, files
from docs.tables import README as README_FILE
from mockchat import Config, MockChat, __version__, config
from mockchat.api import OPERATIONS, UNBUILT
from mockchat.api.validation import TEXTS
from mockchat.commands.table import COMMANDS
from mockchat.control import CONTROL_OPERATIONS
from mockchat.core.errors import CATALOGUE, Evidence
from tests.command_line import Command
from tests.pages import blocks

ROOT = Path(__file__).parent.parent
README = README_FILE.read_text(encoding="utf-8")


def lines_with(*patterns: str) -> list[str]:
    """The lines of the README that have all patterns."""
    lines = README.splitlines()
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


def test_every_route_command_and_setting_is_in_a_line_of_the_readme() -> None:
    for operation in (*OPERATIONS, *CONTROL_OPERATIONS):
        path = re.escape(operation.path) + r"(?![\w/{])"
        assert lines_with(rf"\b{operation.method}\b.*{path}"), operation.path
    for name in COMMANDS:
        assert lines_with(rf"^\| `mockchat {name}\b"), name
    for name, row in config.rows():
        flag = rf"(?<![\w-]){config.flag(name)}(?![\w-])"
        assert lines_with(flag, rf"\b{config.variable(name)}\b", re.escape(row.shown)), name


def test_every_error_has_codes_statuses_and_evidence_of_both_dialects_on_both_pages() -> None:
    lines = section(FIDELITY, "Errors").splitlines()
    for row in CATALOGUE.values():
        faces = (row.documented, row.live)
        evidence = [rf"{one.code}\b.*\b{one.status}\b.*\b{one.evidence.value}\b" for one in faces]
        assert lines_with(re.escape(row.when), *evidence), row.name
        for face in faces:
            cells = f"| `{face.code}` | {face.status} | {face.message} | {face.evidence} |"
            found = [line for line in lines if f"| {row.when} |" in line and line.endswith(cells)]
            assert found, f"{row.name}: {cells}"


def test_every_operation_and_sentence_of_details_has_its_evidence() -> None:
    lines = section(FIDELITY, "Operations").splitlines()
    for row in (*OPERATIONS, *UNBUILT):
        start = f"| `{row.method} {row.path}` |"
        [line] = [line for line in lines if line.startswith(start)]
        assert line.endswith(f"| {row.evidence} |"), line

    told = section(FIDELITY, "Sentences of `details`")
    for rule, text in TEXTS.items():
        assert f"| {rule} | {text.text} | {text.evidence} |" in told
    known = [name for name, text in TEXTS.items() if text.evidence is Evidence.LIVE]
    assert known == ["required", "filled", "taken", "url"]


def test_every_known_difference_and_no_other_is_told_in_both_places() -> None:
    text = section(README_FILE, "Where mockchat differs from the live service")
    for row in DIFFERENCES:
        told = f"| {row.area} | {row.live or 'not known'} | {row.mockchat} |"
        assert told in text
        assert f"{told} {row.why} |" in section(FIDELITY, "Known differences from the live service")

    assert not re.search(r"^[*-] ", text, re.MULTILINE)
    assert text.count("\n| ") == len(DIFFERENCES) + 2


# --- what the text names --------------------------------------------------------------------
def test_whatever_target_file_and_command_the_readme_names_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"(?:`|\$ |&& )make ([a-z-]+)", README))
    named = re.findall(r"`((?:mockchat|fixtures|tests|docs|benchmarks)/[\w./-]*)`", README)
    linked = re.findall(r"\]\((?!https?:|#)([^)]+)\)", README)
    commands = set(re.findall(r"(?:`|\$ )(?:python -m )?mockchat ([a-z]+)", README))

    assert {"run", "test"} <= targets <= set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert [name for name in (*named, *linked) if not (ROOT / name).exists()] == []
    assert {"serve"} <= commands <= {*COMMANDS}
    assert re.search(r"What mockchat does not do", README)


def test_the_changelog_is_headed_by_what_comes_next_or_by_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    heads = re.findall(r"^## \[(.+?)\]", text, re.MULTILINE)

    assert heads[0] in ("Unreleased", __version__)


# --- snippets -------------------------------------------------------------------------------
def namespace_of(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "snippet"}
    exec(compile(code, "README.md", "exec"), names)
    return names


def python_snippet(word: str) -> str:
    (found,) = [code for code in snippets("python") if word in code]
    return found


async def test_the_pytest_snippet_passes(aiohttp_client: AiohttpClient) -> None:
    names = namespace_of(python_snippet("aiohttp_client"))
    tests = [value for name, value in names.items() if name.startswith("test_")]

    for test in tests:
        await test(aiohttp_client)

    assert tests


def test_the_library_snippet_runs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    namespace_of(python_snippet("in_thread"))

    url, https_url, ws_url, ca_path = capsys.readouterr().out.split()
    assert url.startswith("http://127.0.0.1:")
    assert https_url.replace("https", "wss") == ws_url
    assert ca_path == str(tmp_path / "mockchat" / "ca.pem")


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
    lines = re.findall(r"^\$ (?:TOKEN=\$\()?mockchat (.*?)\)?$", README, re.MULTILINE)

    complaints = {line: steer(*shlex.split(line)).err for line in lines}
    steer("clock", "resume")

    assert lines
    assert complaints == dict.fromkeys(lines, "")

"""The README against the tables it is derived from, and its snippets against the product."""

import importlib.util
import json
import re
import shlex
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pytest_aiohttp.plugin import AiohttpClient

from mockchat import Config, MockChat, __version__, config
from mockchat.api import OPERATIONS
from mockchat.api.operation import Operation
from mockchat.commands.table import COMMANDS
from mockchat.control import CONTROL_OPERATIONS
from mockchat.core.errors import CATALOGUE, ErrorDef
from tests.command_line import Command
from tests.pages import blocks

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINES = README.splitlines()
OURS = (*OPERATIONS, *CONTROL_OPERATIONS)
NAMES = [name for name, _ in config.rows()]


def lines_with(*patterns: str) -> list[str]:
    return [line for line in LINES if all(re.search(pattern, line) for pattern in patterns)]


def snippets(language: str) -> list[str]:
    """The code blocks of the README in this language."""
    return [block.code for block in blocks(README) if block.language == language]


# --- tables ---------------------------------------------------------------------------------
@pytest.mark.parametrize("operation", OURS, ids=lambda row: f"{row.method} {row.path}")
def test_every_route_is_in_the_readme(operation: Operation) -> None:
    path = re.escape(operation.path) + r"(?![\w/{])"

    assert lines_with(rf"\b{operation.method}\b.*{path}")


@pytest.mark.parametrize("row", CATALOGUE.values(), ids=lambda row: row.name)
def test_both_codes_of_every_error_are_in_one_line_of_the_readme(row: ErrorDef) -> None:
    codes = [rf"\b{face.code}\b.*\b{face.status}\b" for face in (row.documented, row.live)]

    assert lines_with(*codes)


@pytest.mark.parametrize("row", CATALOGUE.values(), ids=lambda row: row.name)
def test_the_readme_tells_how_well_every_error_is_known(row: ErrorDef) -> None:
    words = [rf"{face.code}.*\b{face.evidence.value}\b" for face in (row.documented, row.live)]

    assert lines_with(re.escape(row.when), *words)


@pytest.mark.parametrize("name", NAMES)
def test_flag_variable_and_default_of_every_setting_are_in_one_line(name: str) -> None:
    shown = dict(config.rows())[name].shown
    flag = rf"(?<![\w-]){config.flag(name)}(?![\w-])"

    assert lines_with(flag, rf"\b{config.variable(name)}\b", re.escape(shown))


def test_the_tables_are_as_the_tool_writes_them() -> None:
    tables = load(ROOT / "docs" / "tables.py")

    assert tables.render(README) == README, "run `make docs`"


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- what the text names --------------------------------------------------------------------
def test_every_make_target_that_the_readme_names_is_one() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:`|\$ |&& )make ([a-z-]+)", README))

    assert {"run", "test"} <= named
    assert named <= set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


def test_every_file_that_the_readme_names_is_there() -> None:
    named = re.findall(r"`((?:mockchat|fixtures|tests|docs|benchmarks)/[\w./-]*)`", README)
    linked = re.findall(r"\]\((?!https?:|#)([^)]+)\)", README)

    assert [name for name in (*named, *linked) if not (ROOT / name).exists()] == []


def test_every_command_of_mockchat_that_the_readme_names_is_one() -> None:
    named = set(re.findall(r"(?:`|\$ )(?:python -m )?mockchat ([a-z]+)", README))

    assert "serve" in named
    assert [name for name in named if name not in COMMANDS] == []


def test_every_command_is_in_the_readme() -> None:
    for name in COMMANDS:
        assert lines_with(rf"^\| `mockchat {name}\b")


def test_the_readme_says_what_mockchat_does_not_do_and_where_it_differs() -> None:
    assert re.search(r"What mockchat does not do", README)
    assert re.search(r"^## Where mockchat differs", README, re.MULTILINE)


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

"""The projects of `examples/`: their own tests pass, run as their users run them."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import httpx
import pytest

from mockchat import Config, MockChat
from mockchat.config import variable
from tests.processes import run
from tests.test_recipes import PROJECTS

ROOT = Path(__file__).parent.parent
BACKEND = ROOT / "examples" / "backend"


@pytest.fixture
def backend(tmp_path: Path) -> Path:
    made = shutil.ignore_patterns("__pycache__", ".*")
    return Path(shutil.copytree(BACKEND, tmp_path / "backend", ignore=made))


def run_tests(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run a project's tests, with no plugin but ours: those of this suite are slow to load."""
    settings = {name for name in os.environ if name.startswith(variable(""))}
    environment = {name: value for name, value in os.environ.items() if name not in settings}
    environment |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    words = ("-m", "pytest", "-W", "error", "-p", "mockchat.pytest_plugin", *options)
    return run(sys.executable, *words, cwd=folder, env=environment)


def test_the_back_end_passes_its_own_tests(backend: Path) -> None:
    done = run_tests(backend)

    assert done.returncode == 0, done.stdout
    assert re.search(r"^=+ \d+ passed in ", done.stdout, re.MULTILINE)


def test_a_back_end_that_mints_no_token_fails_its_own_tests(backend: Path) -> None:
    app = backend / "app.py"
    code = app.read_text(encoding="utf-8")
    app.write_text(code.replace("/auth_tokens", "/auth_token"), encoding="utf-8")

    done = run_tests(backend, "-x")

    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert "ERR_API_NOT_FOUND" in done.stdout


def test_the_calls_of_the_http_file_succeed_one_after_the_other() -> None:
    text = (ROOT / "examples" / "mockchat.http").read_text(encoding="utf-8")
    head, *calls = re.split(r"^###.*\n", text, flags=re.MULTILINE)
    values = dict(re.findall(r"^@(\w+) = (.*)$", head, re.MULTILINE))

    def filled(line: str) -> str:
        return re.sub(r"\{\{([\w.]+)\}\}", lambda found: values[found[1]], line)

    with MockChat(Config(port=0, https_port=None)).in_thread() as mock:
        values["url"] = str(mock.url)
        for call in calls:
            named = re.match(r"# @name (\w+)\n", call)
            asked, _, body = filled(call[named.end() if named else 0 :]).partition("\n\n")
            (method, url), *headers = [line.split(maxsplit=1) for line in asked.splitlines()]
            sent = {name.rstrip(":"): value for name, value in headers}
            with httpx.Client(trust_env=False) as client:
                answer = client.request(method, url, headers=sent, content=body.strip() or None)
            assert answer.is_success, f"{call}\n{answer.text}"
            if named:
                values[f"{named[1]}.response.body.data.authToken"] = answer.json()["data"][
                    "authToken"
                ]

    assert len(calls) > 10


def test_a_page_leads_to_each_project_and_this_suite_installs_what_the_back_end_needs() -> None:
    def load(folder: Path) -> dict[str, dict[str, list[str]]]:
        return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))

    installed = load(ROOT)["dependency-groups"]["examples"]
    assert load(BACKEND)["project"]["dependencies"] == installed

    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    assert [project for project in PROJECTS if f"examples/{project}" not in text] == []

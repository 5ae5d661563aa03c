"""The projects of `examples/`: their own tests pass, run as their users run them."""

import os
import re
import shutil
import sys
import tomllib
from pathlib import Path

import httpx

from mockchat import Config, MockChat
from mockchat.config import variable
from tests.processes import run
from tests.test_recipes import PROJECTS

ROOT = Path(__file__).parent.parent
BACKEND = ROOT / "examples" / "backend"


# Runs the tests twice, the second time against a back end that mints no token; what they need is
# loaded once.
TWICE = """
import sys
from pathlib import Path
import pytest

own = pytest.main(["-W", "error", *sys.argv[1:]])
app = Path("app.py")
app.write_text(app.read_text().replace("/auth_tokens", "/auth_token"))
del sys.modules["app"], sys.modules["test_app"]
print("-- broken --")
print(*map(int, [own, pytest.main(["-x", *sys.argv[1:]])]))
"""


def test_the_back_end_passes_its_own_tests_and_fails_them_if_it_mints_no_token(
    tmp_path: Path,
) -> None:
    made = shutil.ignore_patterns("__pycache__", ".*")
    shutil.copytree(BACKEND, tmp_path / "backend", ignore=made)
    settings = {name for name in os.environ if name.startswith(variable(""))}
    environment = {name: value for name, value in os.environ.items() if name not in settings}
    # With no plugin but ours: those of this suite are slow to load.
    environment |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}

    words = ("-c", TWICE, "-p", "mockchat.pytest_plugin")
    done = run(sys.executable, *words, cwd=tmp_path / "backend", env=environment)

    own, _, broken = done.stdout.partition("-- broken --")
    assert re.search(r"^=+ \d+ passed in ", own, re.MULTILINE), done.stdout
    assert "ERR_API_NOT_FOUND" in broken
    assert done.stdout.splitlines()[-1] == "0 1"  # all passed; some failed


def test_the_calls_of_the_http_file_succeed_one_after_the_other() -> None:
    text = (ROOT / "examples" / "mockchat.http").read_text(encoding="utf-8")
    head, *calls = re.split(r"^###.*\n", text, flags=re.MULTILINE)
    values = dict(re.findall(r"^@(\w+) = (.*)$", head, re.MULTILINE))

    def filled(line: str) -> str:
        return re.sub(r"\{\{([\w.]+)\}\}", lambda found: values[found[1]], line)

    mockchat = MockChat(Config(port=0, https_port=None)).in_thread()
    with mockchat as mock, httpx.Client(trust_env=False) as client:
        values["url"] = str(mock.url)
        for call in calls:
            named = re.match(r"# @name (\w+)\n", call)
            asked, _, body = filled(call[named.end() if named else 0 :]).partition("\n\n")
            (method, url), *headers = [line.split(maxsplit=1) for line in asked.splitlines()]
            sent = {name.rstrip(":"): value for name, value in headers}
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

"""The pages of docs/: every block of Python and every console line on them runs and says so."""

import os
import re
import shlex
import sys
from pathlib import Path

from mockchat import Config, MockChat
from tests.environments import environment
from tests.pages import Page, blocks
from tests.processes import run

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
_NAMES = [
    "pytest",
    "kit",
    "library",
    "control-api",
    "server",
    "faults",
    "errors",
    "webhooks",
    "verify",
]
PAGES = [Page(DOCS / f"{name}.md") for name in _NAMES]
_PROMPT = "$ "


def python_blocks(page: Page) -> list[str]:
    return [block.code for block in page.blocks if block.language == "python"]


def is_test(code: str) -> bool:
    return "def test_" in code


def sessions(page: Page) -> list[tuple[str, str]]:
    """The console lines of a page, each with what it prints."""
    found: list[tuple[str, str]] = []
    for block in blocks(page.text):
        if block.language == "console":
            for part in re.split(rf"^{re.escape(_PROMPT)}", block.code, flags=re.MULTILINE)[1:]:
                line, _, output = part.partition("\n")
                found.append((line, output.strip()))
    return found


def as_pattern(output: str) -> str:
    """What a printed answer must begin with; three dots in one character stand for anything."""
    return ".*".join(re.escape(part) for part in output.split("…"))


# --- Python ---------------------------------------------------------------------------------
def test_the_tests_pass_where_nothing_is_installed_but_what_the_pytest_page_says(
    tmp_path: Path,
) -> None:
    pages = [*PAGES, Page(ROOT / "README.md")]
    tests = [code for page in pages for code in python_blocks(page) if is_test(code)]
    for number, code in enumerate(tests):
        (tmp_path / f"test_block_{number}.py").write_text(code, encoding="utf-8")
    (conftest,) = [code for page in PAGES for code in python_blocks(page) if is_conftest(code)]
    (tmp_path / "conftest.py").write_text(conftest.replace("https_port=None", "https_port=0"))
    (settings,) = [block.code for block in PAGES[0].blocks if block.language == "toml"]
    (tmp_path / "pyproject.toml").write_text(settings, encoding="utf-8")
    python = environment(tmp_path / "venv", installed_by(PAGES[0]))

    own = {"PYTEST_ADDOPTS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD"}
    others = {name: value for name, value in os.environ.items() if name not in own}
    options = ("-q", "-W", "error", "-p", "no:cacheprovider")
    done = run(python, "-m", "pytest", *options, tmp_path, cwd=tmp_path, env=others)

    passed = re.search(r"(\d+) passed", done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert passed
    assert int(passed[1]) == sum(len(re.findall(r"def test_", code)) for code in tests)


def is_conftest(code: str) -> bool:
    return "def mockchat_config" in code


def installed_by(page: Page) -> list[str]:
    """The packages that the page says to install."""
    lines = re.findall(r"^pip install (.*)$", page.text, re.MULTILINE)
    words = [word for line in lines for word in shlex.split(line)]
    return [word.partition(" @ ")[0] for word in words]


def test_the_scripts_on_the_pages_run_one_after_the_other(tmp_path: Path) -> None:
    for page in PAGES:
        codes = python_blocks(page)
        assert codes or sessions(page), f"nothing runs on {page}"
        for number, code in enumerate(codes):
            if not is_test(code) and not is_conftest(code):
                (tmp_path / f"{page.path.stem}_{number}.py").write_text(code, encoding="utf-8")
    scripts = sorted(map(str, tmp_path.glob("*.py")))
    run_each = (
        "import runpy, sys\nfor one in sys.argv[1:]: runpy.run_path(one, run_name='__main__')"
    )

    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    done = run(sys.executable, "-W", "error", "-c", run_each, *scripts, env=environment)

    assert scripts
    assert done.returncode == 0, done.stderr


# --- consoles -------------------------------------------------------------------------------
def test_what_a_page_types_into_a_console_prints_what_it_says_and_links_lead_somewhere() -> None:
    for page in PAGES:
        links = re.findall(r"\]\((?!https?:|#)([^)#]+)[^)]*\)", page.text)
        assert [link for link in links if not (DOCS / link).exists()] == [], page

        with MockChat(Config(port=0, https_port=None)).in_thread() as mock:
            for line, output in sessions(page):
                printed = in_shell(line.replace("http://127.0.0.1:8080", str(mock.url)))

                assert re.match(as_pattern(output), printed, re.DOTALL), f"{line}\n{printed}"


def in_shell(line: str) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "NO_PROXY": "*", "no_proxy": "*"}
    return run("sh", "-c", line, env=environment, check=True).stdout

"""What publishes a version: the workflows, the tag's check, and the two files that are built."""

import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from mockchat import __version__

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
USING = [*WORKFLOWS, ROOT / "examples" / "ci" / "github-actions.yml"]


def run(*command: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, timeout=300
    )


def load(name: str) -> Any:
    # YAML 1.1 reads the key `on` as true.
    return yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8"))


# --- workflows ------------------------------------------------------------------------------
@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_is_valid_by_its_schema(workflow: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema"]

    done = run(*command, "vendor.github-workflows", workflow)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("workflow", USING, ids=lambda path: path.name)
def test_every_action_is_pinned_by_a_whole_version(workflow: Path) -> None:
    used = re.findall(r"uses: (\S+)", workflow.read_text(encoding="utf-8"))

    foreign = [action for action in used if not action.startswith("./")]
    assert foreign
    assert [name for name in foreign if not re.search(r"@v\d+\.\d+\.\d+$", name)] == []


def test_ci_runs_what_ci_runs_here() -> None:
    commands = [step.get("run") for step in load("ci.yml")["jobs"]["suite"]["steps"]]

    assert ".ci/run" in commands


def test_nothing_is_published_before_the_tag_is_checked_and_ci_has_passed() -> None:
    jobs = load("release.yml")["jobs"]

    assert jobs["ci"] == {"needs": "tag", "uses": "./.github/workflows/ci.yml"}
    assert [step["run"] for step in jobs["tag"]["steps"] if "check-tag" in step.get("run", "")]
    for job in ("wheel", "image"):
        assert "ci" in jobs[job]["needs"]


def test_only_the_publisher_may_ask_for_a_token() -> None:
    jobs = load("release.yml")["jobs"]

    allowed = {name: job["permissions"] for name, job in jobs.items() if "permissions" in job}
    assert allowed == {"wheel": {"id-token": "write"}}
    assert load("release.yml")["permissions"] == {"contents": "read"}


# --- the tag --------------------------------------------------------------------------------
@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the check looks at, with a changelog that has a part for this version."""
    for name in (".ci/check-tag", "mockchat/version.py"):
        (tmp_path / name).parent.mkdir()
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n## [{__version__}] - 2026-01-01\n")
    return tmp_path


def test_the_tag_of_this_version_passes(checkout: Path) -> None:
    done = run(checkout / ".ci" / "check-tag", f"v{__version__}")

    assert (done.stderr, done.returncode) == ("", 0)


@pytest.mark.parametrize("tag", ["v9.9.9", __version__, f"v{__version__}.1", "v", ""])
def test_another_tag_is_refused_in_a_sentence(checkout: Path, tag: str) -> None:
    done = run(checkout / ".ci" / "check-tag", tag)

    assert done.returncode == 1
    assert f"the version in mockchat/version.py is {__version__}" in done.stderr


def test_a_version_that_the_changelog_lacks_is_refused(checkout: Path) -> None:
    (checkout / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n")

    done = run(checkout / ".ci" / "check-tag", f"v{__version__}")

    assert done.returncode == 1
    assert f"CHANGELOG.md has no part '## [{__version__}]'" in done.stderr


# --- what is built --------------------------------------------------------------------------
@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make dist` builds: a source distribution, and the wheel from it."""
    folder = tmp_path_factory.mktemp("dist")
    done = run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def sources(dist: Path) -> set[str]:
    """The names of the files in the source distribution."""
    with tarfile.open(dist / f"mockchat-{__version__}.tar.gz") as sdist:
        names = [name.partition("/")[2] for name in sdist.getnames()]
    return set(names)


def test_both_pass_twine_s_check(dist: Path) -> None:
    done = run(sys.executable, "-m", "twine", "check", "--strict", *dist.iterdir())

    assert done.stdout.count("PASSED") == 2, done.stdout


@pytest.mark.parametrize("folder", ["mockchat", "fixtures", "docs", "examples", "locks", ".github"])
def test_the_sources_carry_a_folder_whole(sources: set[str], folder: str) -> None:
    files = [path for path in (ROOT / folder).rglob("*") if path.is_file()]
    named = {str(path.relative_to(ROOT)) for path in files if "__pycache__" not in path.parts}

    assert named
    assert named - sources == set()


def test_the_sources_carry_the_tests_and_what_builds(sources: set[str]) -> None:
    files = {"Dockerfile", ".dockerignore", "Makefile", "LICENSE", "CHANGELOG.md", ".ci/run"}
    tests = {f"tests/{path.name}" for path in (ROOT / "tests").glob("*.py")}

    assert files | tests <= sources


def test_the_sources_carry_nothing_made(sources: set[str]) -> None:
    made = r"(^|/)(__pycache__|node_modules|\.venv.*|dist|\.matrix)/|\.(pyc|pem)$"

    assert [name for name in sources if re.search(made, name)] == []


def test_a_wheel_from_the_sources_is_the_wheel_from_the_checkout(
    dist: Path, tmp_path: Path
) -> None:
    command = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir")
    assert run(*command, tmp_path, ROOT).returncode == 0

    (ours,), (theirs,) = tmp_path.glob("*.whl"), dist.glob("*.whl")
    with zipfile.ZipFile(ours) as one, zipfile.ZipFile(theirs) as other:
        content = [{info.filename: info.CRC for info in zip_.infolist()} for zip_ in (one, other)]
    assert content[0] == content[1]


def test_the_version_has_one_place() -> None:
    pattern = re.compile(rf"""["']{re.escape(__version__)}["']""")
    files = [*(ROOT / "mockchat").rglob("*.py"), ROOT / "pyproject.toml", ROOT / "Dockerfile"]

    holding = [path for path in files if pattern.search(path.read_text(encoding="utf-8"))]

    assert [path.name for path in holding] == ["version.py"]

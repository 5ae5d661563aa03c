"""What publishes a version: the workflows and the tag's check."""

import re
import shutil
from pathlib import Path
from typing import Any

import yaml

from mockchat import __version__
from tests.processes import run
from tests.test_recipes import assert_valid

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
USING = [*WORKFLOWS, *(ROOT / "examples" / "ci").glob("github-actions*.yml")]


def load(name: str) -> Any:
    # YAML 1.1 reads the key `on` as true.
    return yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text(encoding="utf-8"))


# --- workflows ------------------------------------------------------------------------------
def test_workflows_are_valid_by_their_schema_and_pin_every_action() -> None:
    assert_valid("vendor.github-workflows", *WORKFLOWS)
    assert_valid("vendor.github-actions", ROOT / "action.yml")
    for workflow in USING:
        used = re.findall(r"uses: (\S+)", workflow.read_text(encoding="utf-8"))
        foreign = [action for action in used if not action.startswith("./")]
        assert foreign, workflow
        loose = [name for name in foreign if not re.search(r"@v\d+\.\d+\.\d+$", name)]
        assert loose == [], workflow


def test_nothing_is_published_before_the_tag_is_checked_and_ci_has_passed() -> None:
    release = load("release.yml")
    jobs = release["jobs"]
    commands = [step.get("run") for step in load("ci.yml")["jobs"]["suite"]["steps"]]

    assert ".ci/run" in commands
    assert jobs["ci"] == {"needs": "tag", "uses": "./.github/workflows/ci.yml"}
    assert [step["run"] for step in jobs["tag"]["steps"] if "check-tag" in step.get("run", "")]
    for job in ("wheel", "image"):
        assert "ci" in jobs[job]["needs"]
    # Only the job that publishes may ask for a token.
    allowed = {name: job["permissions"] for name, job in jobs.items() if "permissions" in job}
    assert allowed == {"wheel": {"id-token": "write"}}
    assert release["permissions"] == {"contents": "read"}


# --- the tag --------------------------------------------------------------------------------
def test_only_the_tag_of_this_version_passes_and_the_changelog_has_a_part_for_it(
    tmp_path: Path,
) -> None:
    for name in (".ci/check-tag", "mockchat/version.py"):
        (tmp_path / name).parent.mkdir()
        shutil.copy(ROOT / name, tmp_path / name)
    changelog, check = tmp_path / "CHANGELOG.md", tmp_path / ".ci" / "check-tag"
    changelog.write_text(f"# Changelog\n\n## [{__version__}] - 2026-01-01\n")

    done = run(check, f"v{__version__}")
    assert (done.stderr, done.returncode) == ("", 0)
    for tag in ("v9.9.9", __version__, f"v{__version__}.1", "v", ""):
        done = run(check, tag)
        assert done.returncode == 1, tag
        assert f"the version in mockchat/version.py is {__version__}" in done.stderr, tag

    changelog.write_text("# Changelog\n\n## [Unreleased]\n")
    done = run(check, f"v{__version__}")
    assert done.returncode == 1
    assert f"CHANGELOG.md has no part '## [{__version__}]'" in done.stderr


def test_the_version_has_one_place() -> None:
    pattern = re.compile(rf"""["']{re.escape(__version__)}["']""")
    files = [*(ROOT / "mockchat").rglob("*.py"), ROOT / "pyproject.toml", ROOT / "Dockerfile"]

    holding = [path for path in files if pattern.search(path.read_text(encoding="utf-8"))]

    assert [path.name for path in holding] == ["version.py"]

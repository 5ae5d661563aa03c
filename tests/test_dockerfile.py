"""The image's files, read: what needs no container engine to be checked."""

import re
import sys
from fnmatch import fnmatch
from pathlib import Path

from mockchat import config
from tests.processes import run

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
INSTRUCTIONS = DOCKERFILE.replace("\\\n", " ").splitlines()


def lines_of(instruction: str) -> list[str]:
    starts = f"{instruction} "
    return [line.removeprefix(starts) for line in INSTRUCTIONS if line.startswith(starts)]


def test_hadolint_finds_nothing_to_mend() -> None:
    done = run(Path(sys.executable).parent / "hadolint", ROOT / "Dockerfile")

    assert (done.stdout, done.returncode) == ("", 0)


def test_every_stage_is_of_the_one_base_that_an_argument_pins() -> None:
    assert {line.split(" AS ")[0] for line in lines_of("FROM")} == {"python:${PYTHON_VERSION}"}
    (pinned,) = [line for line in lines_of("ARG") if line.startswith("PYTHON_VERSION=")]
    assert re.fullmatch(r"PYTHON_VERSION=3\.\d+-slim-[a-z]+", pinned)


def test_its_settings_ports_and_user_are_right() -> None:
    settings = {config.variable(name) for name in config.ROWS}
    made = set(re.findall(r"(MOCKCHAT_\w+)=", DOCKERFILE))
    defaults = [row.shown for name, row in config.ROWS.items() if name in ("port", "https_port")]

    assert {"MOCKCHAT_HOST", "MOCKCHAT_CA_DIR"} <= made <= settings
    assert lines_of("EXPOSE") == [" ".join(defaults)]
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", lines_of("USER")[-1])  # a number, and not root


def test_what_it_copies_is_there_and_not_ignored() -> None:
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    kept = [rule[1:] for rule in ignore if rule.startswith("!")]

    for line in lines_of("COPY"):
        for name in () if "--from" in line else line.split()[:-1]:
            assert (ROOT / name).exists(), line
            assert any(fnmatch(name, rule) for rule in kept), line


def test_everything_is_installed_from_a_lock_or_from_this_folder() -> None:
    installs = re.findall(r"pip \S*(?: \S+)? ?install (.*?)(?:&&|$)", " ".join(INSTRUCTIONS))

    assert len(installs) == 3
    assert all("--require-hashes" in line or "--no-deps" in line for line in installs), installs


def test_docs_and_examples_publish_its_ports_to_this_machine_only() -> None:
    files = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*")]
    files = [one for one in files if one.is_file() and "node_modules" not in one.parts]
    published = [
        (str(file.relative_to(ROOT)), found)
        for file in files
        for found in re.findall(
            r"(?:-p |- \"?)([\d.:]*\d+:(?:8080|8443))\b", file.read_text("utf-8", "replace")
        )
    ]

    assert len(published) >= 10
    assert [one for one in published if not one[1].startswith("127.0.0.1:")] == []

"""The image's locks: every requirement pinned by digest, and what pyproject.toml asks for."""

import re
import tomllib
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SUMMARY = {
    "run": PYPROJECT["project"]["dependencies"],
    "build": PYPROJECT["build-system"]["requires"],
}


def text_of(lock: str) -> str:
    return (ROOT / "locks" / f"{lock}.txt").read_text(encoding="utf-8")


def entries(lock: str) -> dict[str, tuple[Requirement, list[str]]]:
    """The locked requirements by name, each with the digests of its files."""
    lines = text_of(lock).replace("\\\n", "").splitlines()
    found = {}
    for line in lines:
        if line.startswith("#"):
            continue
        requirement, *digests = (part.strip() for part in line.split(" --hash="))
        parsed = Requirement(requirement)
        found[normal(parsed.name)] = (parsed, digests)
    return found


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_a_lock_pins_what_pyproject_asks_for_by_version_and_digest_and_names_no_index() -> None:
    for lock, wanted in SUMMARY.items():
        locked = entries(lock)
        for requirement, digests in locked.values():
            assert re.fullmatch(r"==[^,*]+", str(requirement.specifier)), requirement
            assert digests, requirement
            assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in digests)
        for asked in map(Requirement, wanted):
            (specifier,) = locked[normal(asked.name)][0].specifier
            assert specifier.version in asked.specifier, asked
        assert "://" not in text_of(lock), lock
        assert "index" not in text_of(lock), lock

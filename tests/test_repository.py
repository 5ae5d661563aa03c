"""The tracked files: free of this machine's paths and of package registries."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
REGISTRY = re.compile(r"//[\w.-]*(?:registry\.|npmjs|pypi|artifactory|nexus)[\w.-]*", re.IGNORECASE)
HOMES = re.compile(r"(?:/home/|/Users/|C:\\Users\\)(?!runner\b)[A-Za-z]\w*")


def tracked() -> list[Path]:
    """The files of the repository, new ones that are not ignored among them."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=60)
    except (OSError, subprocess.CalledProcessError):
        return []  # an unpacked source distribution
    files = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return sorted(file for file in files if file.is_file())


def _name(file: Path) -> str:
    return str(file.relative_to(ROOT))


def texts() -> dict[str, str]:
    found = {}
    for file in tracked():
        content = file.read_bytes()
        if b"\0" not in content:
            found[_name(file)] = content.decode()
    return found


@pytest.fixture(scope="module")
def text_of() -> dict[str, str]:
    found = texts()
    if not found:
        pytest.skip("this is no git checkout")
    return found


def test_no_file_names_a_registry_a_home_or_this_machine_s_paths_or_holds_a_key(
    text_of: dict[str, str],
) -> None:
    # A place of one part, like /app, is too common a word to be told from others.
    places = {str(path) for path in (ROOT, Path.home(), Path(sys.prefix)) if len(path.parts) > 2}
    key = "-----BEGIN " + "PRIVATE KEY"
    for name, text in text_of.items():
        assert REGISTRY.findall(text) == [], name
        assert HOMES.findall(text) == [], name
        assert [place for place in places if place in text] == [], name
        assert key not in text, name
        assert not name.endswith(".pem"), name


def test_every_file_is_a_text_or_a_picture(text_of: dict[str, str]) -> None:
    others = [name for name in map(_name, tracked()) if name not in text_of]

    assert others
    assert [name for name in others if not name.endswith((".png", ".webp"))] == []


def test_a_lock_file_pins_by_digest_and_names_no_address() -> None:
    for lock in ROOT.glob("tests/*/package-lock.json"):
        packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
        installed = {name: package for name, package in packages.items() if name}

        assert installed, lock
        assert [name for name, package in installed.items() if "resolved" in package] == []
        assert [name for name, package in installed.items() if "integrity" not in package] == []


def test_text_files_end_with_a_line_end_and_have_no_trailing_blanks(
    text_of: dict[str, str],
) -> None:
    bad = {
        name
        for name, text in text_of.items()
        if text and (not text.endswith("\n") or re.search(r"[ \t]+$", text, re.MULTILINE))
    }

    assert bad == set()

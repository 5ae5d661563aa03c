"""The package as others install it: the wheel's content and the public names."""

import ast
import email
import importlib
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from email.message import Message
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import mockchat

ROOT = Path(__file__).parent.parent
DISTRIBUTION = {"jwt": "pyjwt"}  # where it is not called like its module


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """The wheel, built once by pip from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir"]
    subprocess.run([*command, str(folder), str(ROOT)], check=True, timeout=300)
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as wheel:
        yield wheel


@pytest.fixture(scope="session")
def metadata(wheel: zipfile.ZipFile) -> Message:
    return email.message_from_bytes(wheel.read(f"{dist_info()}/METADATA"))


def dist_info() -> str:
    return f"mockchat-{mockchat.__version__}.dist-info"


def files_below(folder: str, pattern: str) -> list[Path]:
    return sorted((ROOT / folder).rglob(pattern))


# --- the wheel ------------------------------------------------------------------------------
def test_the_wheel_carries_the_fixtures_as_they_are(wheel: zipfile.ZipFile) -> None:
    for file in files_below("fixtures", "*.json"):
        assert wheel.read(f"mockchat/fixtures/{file.name}") == file.read_bytes()


def test_the_wheel_carries_every_module_and_the_mark_of_types(wheel: zipfile.ZipFile) -> None:
    modules = {str(file.relative_to(ROOT)) for file in files_below("mockchat", "*.py")}

    assert modules | {"mockchat/py.typed"} <= set(wheel.namelist())


def test_the_wheel_carries_every_file_of_the_package_that_is_no_module(
    wheel: zipfile.ZipFile,
) -> None:
    others = {
        str(file.relative_to(ROOT))
        for file in files_below("mockchat", "*")
        if file.is_file() and "__pycache__" not in file.parts
    }

    assert others <= set(wheel.namelist())


def test_the_wheel_carries_nothing_else(wheel: zipfile.ZipFile) -> None:
    assert {name.partition("/")[0] for name in wheel.namelist()} == {"mockchat", dist_info()}
    assert not [name for name in wheel.namelist() if name.endswith((".pyc", ".pem"))]


def test_the_wheel_gives_the_command(wheel: zipfile.ZipFile) -> None:
    text = wheel.read(f"{dist_info()}/entry_points.txt").decode()

    assert "[console_scripts]\nmockchat = mockchat.cli:main" in text
    assert EntryPoint("mockchat", "mockchat.cli:main", "console_scripts").load()


def test_the_wheel_has_the_version_and_a_licence(wheel: zipfile.ZipFile, metadata: Message) -> None:
    assert metadata["Version"] == mockchat.__version__
    assert metadata["Requires-Python"] == ">=3.11"
    assert f"{dist_info()}/licenses/LICENSE" in wheel.namelist()


def test_whatever_the_package_imports_is_declared(metadata: Message) -> None:
    declared = {
        re.split(r"[^\w.-]", requirement)[0].lower()
        for requirement in metadata.get_all("Requires-Dist", [])
    }

    imported = {DISTRIBUTION.get(name, name) for name in foreign_imports()}

    assert imported <= declared


def foreign_imports() -> set[str]:
    names: set[str] = set()
    for file in files_below("mockchat", "*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add(node.module or "")
    tops = {name.partition(".")[0] for name in names}
    return tops - set(sys.stdlib_module_names) - {"mockchat", "pytest"}


def test_an_installed_package_finds_its_own_fixtures(
    wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    wheel.extractall(tmp_path)
    code = (
        "from mockchat.control.stored import fixtures_dir, load_seed\n"
        "print(fixtures_dir(), len(load_seed(['default'], []).users))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert done.stdout == f"{tmp_path / 'mockchat' / 'fixtures'} 10\n"


# --- public names ---------------------------------------------------------------------------
def test_the_public_names_are_these() -> None:
    assert mockchat.__all__ == [
        "ApiError",
        "Config",
        "MockApp",
        "MockChat",
        "__version__",
        "create_app",
    ]


@pytest.mark.parametrize("name", mockchat.__all__)
def test_every_public_name_can_be_imported(name: str) -> None:
    assert getattr(mockchat, name) is getattr(importlib.import_module("mockchat"), name)


def test_type_checkers_see_every_public_name() -> None:
    tree = ast.parse((ROOT / "mockchat/__init__.py").read_text(encoding="utf-8"))
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert set(mockchat.__all__) <= imported


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'mockchat' has no attribute 'MockChap'"):
        mockchat.MockChap  # noqa: B018

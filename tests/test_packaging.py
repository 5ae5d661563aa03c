"""The package as others install it: what is built, the wheel's content and the public names."""

import ast
import contextlib
import email
import importlib
import re
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from hatchling.build import build_wheel

import mockchat
from tests.processes import run
from tests.test_architecture import FILES, imports_in

ROOT = Path(__file__).parent.parent
DISTRIBUTION = {"jwt": "pyjwt", "yaml": "pyyaml"}  # where it is not called like its module


def run_module(module: str, *words: str | Path) -> str:
    """Run a module of Python that must succeed; return what it prints."""
    done = run(sys.executable, "-m", module, *words, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def dist_info() -> str:
    return f"mockchat-{mockchat.__version__}.dist-info"


def files_below(folder: str, pattern: str) -> list[Path]:
    return sorted((ROOT / folder).rglob(pattern))


# --- what is built --------------------------------------------------------------------------
@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make dist` builds: a source distribution, and the wheel from it."""
    folder = tmp_path_factory.mktemp("dist")
    run_module("build", "--no-isolation", "--outdir", folder, ROOT)
    return folder


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """The wheel from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    with contextlib.chdir(ROOT):
        name = build_wheel(str(folder))
    with zipfile.ZipFile(folder / name) as wheel:
        yield wheel


def test_the_sources_carry_the_tests_and_what_builds_and_nothing_made(dist: Path) -> None:
    with tarfile.open(dist / f"mockchat-{mockchat.__version__}.tar.gz") as sdist:
        sources = {name.partition("/")[2] for name in sdist.getnames()}

    for folder in ("mockchat", "fixtures", "docs", "examples", "locks", ".github"):
        files = [path for path in (ROOT / folder).rglob("*") if path.is_file()]
        named = {str(path.relative_to(ROOT)) for path in files if "__pycache__" not in path.parts}
        assert named, folder
        assert named - sources == set(), folder
    tests = {f"tests/{path.name}" for path in (ROOT / "tests").glob("*.py")}
    others = {"Dockerfile", ".dockerignore", "Makefile", "LICENSE", "CHANGELOG.md", ".ci/run"}
    assert others | tests <= sources
    made = r"(^|/)(__pycache__|node_modules|\.venv.*|dist|\.matrix)/|\.(pyc|pem)$"
    assert [name for name in sources if re.search(made, name)] == []


def test_both_pass_twine_s_check(dist: Path) -> None:
    assert run_module("twine", "check", "--strict", *dist.iterdir()).count("PASSED") == 2


def test_a_wheel_from_the_sources_is_the_wheel_from_the_checkout(
    dist: Path, wheel: zipfile.ZipFile
) -> None:
    (theirs,) = dist.glob("*.whl")
    with zipfile.ZipFile(theirs) as other:
        contents = [{info.filename: info.CRC for info in one.infolist()} for one in (wheel, other)]

    assert contents[0] == contents[1]


# --- the wheel ------------------------------------------------------------------------------
def test_the_wheel_carries_the_package_its_fixtures_and_nothing_else(
    wheel: zipfile.ZipFile,
) -> None:
    names = set(wheel.namelist())
    package = {
        str(file.relative_to(ROOT))
        for file in files_below("mockchat", "*")
        if file.is_file() and "__pycache__" not in file.parts
    }

    assert package | {"mockchat/py.typed", "mockchat/cli.py"} <= names
    for file in files_below("fixtures", "*.json"):
        assert wheel.read(f"mockchat/fixtures/{file.name}") == file.read_bytes()
    assert {name.partition("/")[0] for name in names} == {"mockchat", dist_info()}
    assert not [name for name in names if name.endswith((".pyc", ".pem"))]


def test_the_wheel_gives_command_version_licence_and_whatever_the_package_imports(
    wheel: zipfile.ZipFile,
) -> None:
    text = wheel.read(f"{dist_info()}/entry_points.txt").decode()
    assert "[console_scripts]\nmockchat = mockchat.cli:main" in text
    assert EntryPoint("mockchat", "mockchat.cli:main", "console_scripts").load()

    metadata = email.message_from_bytes(wheel.read(f"{dist_info()}/METADATA"))
    assert metadata["Version"] == mockchat.__version__
    assert metadata["Requires-Python"] == ">=3.11"
    assert f"{dist_info()}/licenses/LICENSE" in wheel.namelist()
    required = metadata.get_all("Requires-Dist", [])
    declared = {re.split(r"[^\w.-]", requirement)[0].lower() for requirement in required}
    assert {DISTRIBUTION.get(name, name) for name in foreign_imports()} <= declared


def foreign_imports() -> set[str]:
    tops = {one.name.partition(".")[0] for file in FILES for one in imports_in(file)}
    return tops - set(sys.stdlib_module_names) - {"mockchat", "pytest"}


def test_an_installed_package_finds_its_own_fixtures(
    wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    wheel.extractall(tmp_path)
    code = (
        "from mockchat.control.stored import fixtures_dir, load_seed\n"
        "print(fixtures_dir(), len(load_seed(['default'], []).users))"
    )

    environment = {"PYTHONPATH": str(tmp_path)}
    done = run(sys.executable, "-c", code, cwd=tmp_path, env=environment, check=True)

    assert done.stdout == f"{tmp_path / 'mockchat' / 'fixtures'} 10\n"


# --- public names ---------------------------------------------------------------------------
def test_the_public_names_are_these() -> None:
    assert mockchat.__all__ == [
        "ApiError",
        "Config",
        "MockApp",
        "MockChat",
        "UnstruckFault",
        "__version__",
        "create_app",
    ]


def test_every_public_name_can_be_imported_and_type_checkers_see_it() -> None:
    tree = ast.parse((ROOT / "mockchat/__init__.py").read_text(encoding="utf-8"))
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert set(mockchat.__all__) <= imported
    for name in mockchat.__all__:
        assert getattr(mockchat, name) is getattr(importlib.import_module("mockchat"), name)
    with pytest.raises(AttributeError, match="'mockchat' has no attribute 'MockChap'"):
        mockchat.MockChap  # noqa: B018

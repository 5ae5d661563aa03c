"""The house: which room may import what, how heavy a start is, and how long files grow."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from mockchat.commands.table import COMMANDS

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "mockchat"
FILES = sorted(PACKAGE.rglob("*.py"))
MAX_FILE, MAX_FUNCTION = 400, 40

each_file = pytest.mark.parametrize(
    "file", FILES, ids=[str(file.relative_to(PACKAGE)) for file in FILES]
)


@dataclass(frozen=True)
class Room:
    """What the modules of a room may import beyond the standard library."""

    rooms: frozenset[str]  # of mockchat, at any time
    foreign: frozenset[str] = frozenset()
    lazily: frozenset[str] = frozenset()  # inside functions and for type checkers only


def room(rooms: str = "", foreign: str = "", lazily: str = "") -> Room:
    return Room(*(frozenset(words.split()) for words in (rooms, foreign, lazily)))


# From the ground up; an import never leads to a room further down this table.
HOUSE = {
    "version": room(),
    "core": room("core", lazily="faker"),
    "config": room("core"),
    "api": room("core api", "marshmallow orjson", lazily="jwt"),
    "control": room("core api control version", "marshmallow"),
    "wire": room(
        "core api control wire config version",
        "aiohttp marshmallow multidict",
        lazily="trustme apispec",
    ),
    "bridge": room("core wire"),
    "kit": room("core api control bridge"),
    "server": room("core api control wire config version bridge kit", "aiohttp"),
    "serve": room("core api control wire config version server", "aiohttp"),
    "commands": room("core config version commands", lazily="api control wire server serve"),
    "cli": room("commands version"),
    "pytest_plugin": room("version", "pytest", lazily="config server core wire"),
    "__init__": room("version", lazily="config core server wire"),
    "__main__": room("cli"),
}
# Where even the lazy imports of a room are allowed.
ONLY_IN = {
    "faker": {"core/seed.py"},
    "jwt": {"api/session_jwt.py"},
    "trustme": {"wire/tls.py"},
    "apispec": {"wire/openapi.py"},
}


class Import(NamedTuple):
    """One imported module; `lazy` where it is not run when the importing module is."""

    name: str
    lazy: bool
    relative: bool


def imports_of(node: ast.AST, *, lazy: bool = False) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, lazy, relative=False) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            name = child.module or ""
            names = (
                [f"{name}.{alias.name}" for alias in child.names] if name == "mockchat" else [name]
            )
            yield from (Import(one, lazy, relative=child.level > 0) for one in names)
        else:
            function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            typing = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
            yield from imports_of(child, lazy=lazy or function or typing)


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def room_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def is_allowed(one: Import, room: Room) -> bool:
    first, _, rest = one.name.partition(".")
    if first in sys.stdlib_module_names:
        return True
    wanted = rest.partition(".")[0] if first == "mockchat" else first
    allowed = room.rooms if first == "mockchat" else room.foreign
    return wanted in allowed or (one.lazy and wanted in room.lazily)


# --- who imports whom -----------------------------------------------------------------------
@each_file
def test_a_module_imports_only_what_its_room_may(file: Path) -> None:
    room = HOUSE[room_of(file)]

    foreign = [one for one in imports_of(parsed(file)) if not is_allowed(one, room)]

    assert foreign == []


@each_file
def test_no_import_is_relative(file: Path) -> None:
    assert [one for one in imports_of(parsed(file)) if one.relative] == []


@pytest.mark.parametrize("name", ONLY_IN)
def test_what_is_imported_when_used_is_used_in_its_own_place_only(name: str) -> None:
    users = {
        str(file.relative_to(PACKAGE))
        for file in FILES
        if any(one.name.partition(".")[0] == name for one in imports_of(parsed(file)))
    }

    assert users <= ONLY_IN[name]


def test_no_room_may_import_one_that_is_above_it() -> None:
    order = list(HOUSE)
    below = {name: set(order[: order.index(name) + 1]) for name in order}
    facade = "__init__"  # hands out names of every room, each when it is asked for

    for name, room in HOUSE.items():
        assert room.rooms <= below[name]
        assert name == facade or room.lazily & set(order) <= below[name] | {facade}


def test_every_module_is_in_a_room() -> None:
    assert {room_of(file) for file in FILES} <= HOUSE.keys()


def test_the_state_knows_neither_the_wire_nor_schemas() -> None:
    names = {one.name.partition(".")[0] for one in imports_of(parsed(PACKAGE / "core/state.py"))}

    assert not names & {"aiohttp", "marshmallow", "asyncio", "json"}


def test_operations_touch_no_request() -> None:
    for file in (PACKAGE / "api").glob("*.py"):
        names = {node.id for node in ast.walk(parsed(file)) if isinstance(node, ast.Name)}

        assert not names & {"web", "request", "Request", "Response", "json_response"}


# --- how long, how told ---------------------------------------------------------------------
@each_file
def test_every_module_says_in_its_first_line_what_it_owns(file: Path) -> None:
    docstring = ast.get_docstring(parsed(file)) or ""

    assert docstring.partition("\n")[0].endswith((".", ":"))


@each_file
def test_no_file_grows_too_long(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= MAX_FILE


@each_file
def test_no_function_grows_too_long(file: Path) -> None:
    long = {
        node.name: (node.end_lineno or 0) - node.lineno + 1
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= MAX_FUNCTION
    }

    assert long == {}


@pytest.mark.parametrize("name", ["utils", "helpers", "manager", "base", "common", "misc"])
def test_no_module_has_a_name_that_says_nothing(name: str) -> None:
    assert not [file for file in FILES if file.stem == name]


# --- what a start costs ---------------------------------------------------------------------
HEAVY = {"aiohttp", "marshmallow", "faker", "trustme", "cryptography", "jwt", "orjson", "asyncio"}

START = """
import asyncio
from mockchat import Config, MockChat

async def start():
    async with MockChat(Config(port=0, https_port=0, ca_dir={folder!r})):
        pass

asyncio.run(start())
"""


def loaded_by(code: str) -> set[str]:
    """The top-level modules that are loaded once a new Python has run the code."""
    probe = f"{code}\nimport sys, json\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", probe],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    names: list[str] = json.loads(done.stdout)
    return {name.partition(".")[0] for name in names}


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert not loaded_by("import mockchat") & HEAVY


def test_importing_the_command_loads_nothing_heavy() -> None:
    assert not loaded_by("import mockchat.cli") & HEAVY


def test_the_help_and_every_command_s_own_load_nothing_heavy() -> None:
    words = [["--help"], *([name, "--help"] for name in COMMANDS)]
    code = f"""
import contextlib, io
from mockchat.cli import main
for words in {words}:
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
        main(words)
"""

    assert not loaded_by(code) & HEAVY


def test_the_help_of_all_loads_no_client_either() -> None:
    code = "import sys, mockchat.cli\nsys.stdout = sys.stderr\ntry:\n mockchat.cli.main(['--help'])"

    loaded = loaded_by(f"{code}\nexcept SystemExit:\n sys.stdout = sys.__stdout__")

    assert not loaded & (HEAVY | {"ssl", "urllib", "tomllib", "dataclasses"})


def test_asking_a_server_loads_nothing_heavy() -> None:
    code = """
from mockchat.cli import main
for words in ["health"], ["users"], ["journal"], ["faults"], ["reset"]:
    assert main([*words, "--url", "http://127.0.0.1:1"]) == 1
"""

    assert not loaded_by(code) & HEAVY


def test_wrong_usage_is_told_before_anything_heavy_is_loaded() -> None:
    code = "import mockchat.cli\nmockchat.cli.main(['serve', '--port', 'x'])"

    assert not loaded_by(code) & HEAVY


def test_a_start_with_a_ca_loads_nothing_that_makes_one_nor_what_logins_need(
    tmp_path: Path,
) -> None:
    start = START.format(folder=str(tmp_path))
    first, second = loaded_by(start), loaded_by(start)

    assert "trustme" in first
    assert not second & {"faker", "jwt", "trustme", "cryptography", "apispec"}

"""The house: which room may import what, how heavy a start is, and how long files grow."""

import ast
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from mockchat.commands.table import COMMANDS
from tests.processes import run

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "mockchat"
FILES = sorted(PACKAGE.rglob("*.py"))
_TESTS = Path(__file__).parent.rglob("*.py")
TESTS = [file for file in _TESTS if "node_modules" not in file.parts]
MAX_FILE, MAX_FUNCTION = 400, 40
NAMES_THAT_SAY_NOTHING = {"utils", "helpers", "manager", "base", "common", "misc"}


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
    "api": room("core api", "marshmallow orjson", lazily="jwt cryptography"),
    "control": room("core api control version", "marshmallow"),
    "wire": room(
        "core api control wire config version",
        "aiohttp aiohappyeyeballs marshmallow multidict",
        lazily="trustme cryptography apispec",
    ),
    "bridge": room("core wire", lazily="uvloop"),
    "kit": room("core api control bridge kit", "multidict"),
    "server": room("core api control wire config version bridge kit", "aiohttp"),
    "log": room("core config server"),
    "serve": room("core api control wire config version bridge server log", "aiohttp"),
    "commands": room(
        "core config version commands", lazily="api control wire kit server log serve"
    ),
    "verify": room(
        "core api control wire config version server commands verify",
        "aiohttp",
        lazily="rich yaml faker",
    ),
    "cli": room("core commands version"),
    "pytest_plugin": room("version", "pytest", lazily="config server core wire"),
    "__init__": room("version", lazily="config core server wire"),
    "__main__": room("cli"),
}
# Where even the lazy imports of a room are allowed.
ONLY_IN = {
    "faker": {"core/seed.py", "verify/pull.py"},
    "jwt": {"api/session_jwt.py"},
    "trustme": {"wire/ca.py"},
    "cryptography": {"api/session_jwt.py", "wire/ca.py"},
    "apispec": {"wire/openapi.py"},
    "uvloop": {"bridge.py"},
}


class Import(NamedTuple):
    """One imported module; `lazy` where it is not run when the importing module is."""

    name: str
    lazy: bool
    relative: bool


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """The statements in a block, a loop or a condition, not those in its own blocks."""
    for block in ("body", "handlers", "cases", "orelse", "finalbody"):
        yield from getattr(node, block, ())


def functions(node: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for child in statements(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
        yield from functions(child)


def imports_of(node: ast.AST, *, lazy: bool = False) -> Iterator[Import]:
    for child in statements(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, lazy, relative=False) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            name = child.module or ""
            names = (
                [f"{name}.{alias.name}" for alias in child.names] if name == "mockchat" else [name]
            )
            yield from (Import(one, lazy, relative=child.level > 0) for one in names)
        else:
            function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            typing = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
            yield from imports_of(child, lazy=lazy or function or typing)


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


@cache
def imports_in(file: Path) -> list[Import]:
    return list(imports_of(parsed(file)))


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
def test_a_module_imports_only_what_its_room_may_and_never_relatively() -> None:
    wrong = {
        str(file.relative_to(PACKAGE)): found
        for file in FILES
        if (
            found := [
                one
                for one in imports_in(file)
                if one.relative or not is_allowed(one, HOUSE[room_of(file)])
            ]
        )
    }

    assert wrong == {}


def test_a_lazy_import_is_in_its_own_place_only() -> None:
    for name, places in ONLY_IN.items():
        users = {
            str(file.relative_to(PACKAGE))
            for file in FILES
            if any(one.name.partition(".")[0] == name for one in imports_in(file))
        }

        assert users <= places, name


def test_no_room_may_import_one_that_is_above_it() -> None:
    order = list(HOUSE)
    below = {name: set(order[: order.index(name) + 1]) for name in order}
    facade = "__init__"  # hands out names of every room, each when it is asked for

    for name, room in HOUSE.items():
        assert room.rooms <= below[name], name
        assert name == facade or room.lazily & set(order) <= below[name] | {facade}, name


def test_the_state_knows_no_wire_and_operations_touch_no_request() -> None:
    imported = {one.name.partition(".")[0] for one in imports_in(PACKAGE / "core/state.py")}
    assert not imported & {"aiohttp", "marshmallow", "asyncio", "json"}

    for file in (PACKAGE / "api").glob("*.py"):
        names = {node.id for node in ast.walk(parsed(file)) if isinstance(node, ast.Name)}
        assert not names & {"web", "request", "Request", "Response", "json_response"}, file


# --- how long, how told ---------------------------------------------------------------------
def test_every_module_is_short_has_short_functions_and_says_in_a_line_what_it_owns() -> None:
    for file in (*FILES, *TESTS):
        first_line = (ast.get_docstring(parsed(file)) or "").partition("\n")[0]
        long = [
            node.name
            for node in functions(parsed(file))
            if (node.end_lineno or 0) - node.lineno >= MAX_FUNCTION
        ]

        assert first_line.endswith((".", ":")), file
        assert len(file.read_text(encoding="utf-8").splitlines()) <= MAX_FILE, file
        assert long == [], file
    assert NAMES_THAT_SAY_NOTHING & {file.stem for file in FILES} == set()


# --- what a start costs ---------------------------------------------------------------------
HEAVY = {"rich", "aiohttp", "marshmallow", "faker", "trustme", "cryptography"}
HEAVY |= {"jwt", "orjson", "asyncio"}

# Steps that a new Python takes one after the other; it prints what is loaded after each.
LIGHT_STEPS = f"""
import json, sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

def tell(step):
    print(json.dumps([step, sorted({{name.partition(".")[0] for name in sys.modules}})]))

def run(*words):
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        try:
            status = main([*words])
        except SystemExit as ended:
            status = ended.code
    tell(" ".join([*words, str(status or 0)]))

import mockchat
tell("import mockchat")
from mockchat.cli import main
tell("import mockchat.cli")
run("--help")
for name in {[*COMMANDS]}:
    run(name, "--help")
for name in "health", "users", "journal", "faults", "reset":
    run(name, "--url", "http://127.0.0.1:1")
run("serve", "--port", "x")
"""
START = """
import asyncio, json, sys
from mockchat import Config, MockChat

async def start():
    async with MockChat(Config(port=0, https_port=0, ca_dir={folder!r})):
        print(json.dumps(["start", [name.partition(".")[0] for name in sys.modules]]))

asyncio.run(start())
"""


def loaded_by(code: str) -> dict[str, set[str]]:
    """The top-level modules that are loaded after each step of a new Python."""
    done = run(sys.executable, "-c", code, cwd=ROOT, check=True)
    return {step: set(names) for step, names in map(json.loads, done.stdout.splitlines())}


def test_no_import_help_question_or_wrong_usage_loads_anything_heavy() -> None:
    loaded = loaded_by(LIGHT_STEPS)

    assert {step: found for step, names in loaded.items() if (found := names & HEAVY)} == {}
    assert not loaded["--help 0"] & {"ssl", "urllib", "tomllib", "dataclasses"}  # nor a client
    statuses = {step.rpartition(" ")[2] for step in loaded if "--url" in step}
    assert (statuses, "serve --port x 2" in loaded) == ({"1"}, True)
    assert {f"{name} --help 0" for name in COMMANDS} <= loaded.keys()


def test_a_start_with_a_ca_loads_nothing_that_only_first_starts_logins_or_state_files_need(
    tmp_path: Path,
) -> None:
    start = START.format(folder=str(tmp_path))
    first, second = loaded_by(start)["start"], loaded_by(start)["start"]

    assert "trustme" in first
    assert not second & {"faker", "jwt", "trustme", "cryptography", "apispec", "sqlite3"}

"""The names that the testing kit takes, as types: written from the project's own tables."""

import textwrap
from collections.abc import Iterable
from dataclasses import fields as columns_of
from pathlib import Path
from typing import Any

from mockchat import config
from mockchat.api import OPERATIONS, UNBUILT, fields
from mockchat.api.requests import UserCreate
from mockchat.core.errors import CATALOGUE
from mockchat.core.fault_kinds import KINDS
from mockchat.core.faults import PRESETS
from mockchat.core.matching import SOCKET
from mockchat.core.setting_kinds import SWITCH
from mockchat.core.webhooks import OPERATION

PLACE = Path(__file__).parent.parent / "mockchat/kit/names.py"
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_TYPES = {
    fields.Metadata: "Mapping[str, Any]",
    fields.Strings: "Sequence[str]",
    fields.Flag: "bool",
}

_FILE = '''\
"""The names that the testing kit takes, for editors and type checkers; `make docs` writes them."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

from mockchat.core.clock import Duration

# fmt: off
{literals}# fmt: on


class Where(TypedDict, total=False):
    """The exchanges that fit; in `path`, `*` stands for a segment and `**` for several."""

    operation: OperationName
    method: Method
    path: str
    uid: str


class Wanted(Where, total=False):
    """The exchanges to look for; `json` and `headers` must be part of the request's."""

    status: int
    code: str
    headers: Mapping[str, str]
    json: Any
    since: int


class FaultOptions(Where, total=False):
    """Which exchanges a fault strikes, and how often."""

    times: int
    after: int
    probability: float
    random_seed: int


class UserFields(TypedDict, total=False):
    """The fields of a new user beside its uid and name."""

{user}


class AppSettings(TypedDict, total=False):
    """The settings that an app may have of its own."""

{settings}
'''


def _literal(name: str, values: Iterable[str]) -> str:
    listed = ", ".join(f'"{value}"' for value in values)
    rows = textwrap.fill(listed, 100, initial_indent="    ", subsequent_indent="    ")
    return f"{name} = Literal[\n{rows}\n]\n"


def _rows(types: dict[str, str]) -> str:
    return "\n".join(f"    {name}: {kind}" for name, kind in types.items())


def _setting(name: str) -> str:
    row = config.ROWS[name]
    if name == "fixture":
        return "str | Mapping[str, Any] | Sequence[str | Mapping[str, Any]]"
    if "|" in row.kind.metavar and row.kind is not SWITCH:
        return "Literal[" + ", ".join(f'"{one}"' for one in row.kind.metavar.split("|")) + "]"
    if row.repeatable:
        return "str | Sequence[str]"
    declared = str(config.Config.__annotations__[name])
    return {"<class 'bool'>": "bool", "<class 'float'>": "Duration"}.get(
        declared, declared.replace("float", "Duration")
    )


def names() -> str:
    """Return the module."""
    codes = dict.fromkeys(
        code for row in CATALOGUE.values() for code in (row.documented.code, row.live.code)
    )
    operations = sorted({row.id for row in (*OPERATIONS, *UNBUILT)} | {SOCKET, OPERATION})
    user: dict[str, str] = {
        name: _TYPES.get(type(one), "str")
        for name, one in UserCreate().fields.items()
        if name not in ("uid", "name")
    }
    literals = {
        "OperationName": operations,
        "Method": _METHODS,
        "ErrorCode": sorted(codes),
        "FaultKind": KINDS,
        "PlainFaultKind": [name for name, kind in KINDS.items() if not columns_of(kind)],
        "PresetName": PRESETS,
    }
    shown: dict[str, Any] = {
        "literals": "".join(_literal(name, values) for name, values in literals.items()),
        "user": _rows(user),
        "settings": _rows({name: _setting(name) for name in sorted(config.PER_APP)}),
    }
    return _FILE.format(**shown)

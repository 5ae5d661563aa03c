"""`faults`: which exchanges go wrong, and how often they did."""

import argparse
from dataclasses import fields
from typing import Any

from mockchat.commands import Run, UsageError
from mockchat.commands.files import read_json
from mockchat.commands.remote import Remote, add_actions, path_of
from mockchat.commands.show import say, say_json, tell, tell_table, wants_json
from mockchat.core.fault_kinds import KINDS
from mockchat.core.ids import camel

_ALL = "/faults"
_MATCH = {
    "operation": "the name of an operation (`mockchat routes --json` has them)",
    "method": "an HTTP method",
    "path": "a path; * stands for a segment, ** for several",
    "uid": "whom the request is about",
}
_KNOBS = {
    "probability": ("P", "how likely one is struck, 0 to 1"),
    "times": ("N", "how many are struck at most"),
    "after": ("N", "how many are spared first"),
    "random_seed": ("N", "makes the probability reproducible"),
}


def _parameters() -> dict[str, str]:
    """Return every parameter of the kinds and what it means, with the kinds that have it."""
    owners: dict[str, dict[str, str]] = {}
    for kind in KINDS.values():
        for one in fields(kind):
            owners.setdefault(one.name, {})[kind.name] = one.metadata["help"]
    return {
        name: "; ".join(f"{kind}: {meaning}" for kind, meaning in kinds.items())
        for name, kinds in owners.items()
    }


def _take(parser: argparse.ArgumentParser) -> Run:
    actions = add_actions(parser, {name: does for name, (does, _) in _ACTIONS.items()})
    _take_fault(actions["add"])
    actions["remove"].add_argument("id", metavar="ID", help="as `mockchat faults` lists it")
    return lambda arguments: _ACTIONS[arguments.action][1](arguments)


def _take_fault(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", metavar="KIND", nargs="?", help="one that `kinds` lists")
    parser.add_argument(
        "--from",
        metavar="FILE",
        dest="file",
        help="a fault or a list of them as JSON; - for a pipe",
    )
    group = parser.add_argument_group("which exchanges it strikes")
    for name, does in _MATCH.items():
        group.add_argument(f"--{name}", metavar=name.upper(), help=does)
    for name, (metavar, does) in _KNOBS.items():
        group.add_argument(f"--{name.replace('_', '-')}", metavar=metavar, help=does)
    group = parser.add_argument_group("what it does, by kind")
    for name, does in _parameters().items():
        group.add_argument(f"--{name.replace('_', '-')}", metavar="VALUE", help=does)


def _list(arguments: argparse.Namespace) -> int:
    found = Remote(arguments).control("GET", _ALL)
    rows = [
        (
            one["id"],
            one["kind"],
            _pairs(one["parameters"]),
            _pairs(one["match"]) or "all",
            one.get("app", "all"),
            one["struck"],
            one["seen"],
            one.get("times", "any number"),
        )
        for one in found
    ]
    head = ("id", "kind", "parameters", "fits", "app", "struck", "fitted", "at most")
    return tell_table(arguments, found, head, rows)


def _pairs(values: dict[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in values.items())


def _add(arguments: argparse.Namespace) -> int:
    wanted = [_wanted(arguments)] if arguments.file is None else _from_file(arguments)
    remote = Remote(arguments)
    made = [remote.control("POST", _ALL, one) for one in wanted]
    if wants_json(arguments):
        say_json(made if arguments.file else made[0])
    else:
        for one in made:
            say(f"The fault {one['id']} is there: {one['kind']} {_pairs(one['match'])}".rstrip())
    return 0


def _wanted(arguments: argparse.Namespace) -> dict[str, Any]:
    if arguments.kind is None:
        raise UsageError("faults add needs a KIND (`mockchat faults kinds` lists them) or --from")
    names = ("kind", *_MATCH, *_KNOBS, *_parameters())
    given = {name: getattr(arguments, name) for name in names}
    return {camel(name): value for name, value in given.items() if value is not None}


def _from_file(arguments: argparse.Namespace) -> list[Any]:
    if arguments.kind is not None:
        raise UsageError("faults add takes a KIND or --from, not both")
    content = read_json(arguments.file)
    found = content if isinstance(content, list) else [content]
    if not found or not all(isinstance(one, dict) for one in found):
        raise UsageError(f'{arguments.file}: must hold a fault like {{"kind": "hang"}}, or several')
    return found


def _remove(arguments: argparse.Namespace) -> int:
    return _done(arguments, path_of(arguments.id))


def _clear(arguments: argparse.Namespace) -> int:
    return _done(arguments, "")


def _done(arguments: argparse.Namespace, what: str) -> int:
    answer = Remote(arguments).control("DELETE", _ALL + what)
    return tell(arguments, answer, answer["message"])


def _kinds(arguments: argparse.Namespace) -> int:
    """List them by the server's own word: it may be newer."""
    kinds = Remote(arguments).control("GET", f"{_ALL}/kinds")
    rows = [
        (
            one["kind"],
            one["channel"],
            " ".join(parameter["name"] for parameter in one["parameters"]),
            one["does"],
        )
        for one in kinds
    ]
    return tell_table(arguments, kinds, ("kind", "strikes", "parameters", "what happens"), rows)


_ACTIONS: dict[str, tuple[str, Run]] = {
    "list": ("list the faults and how often each struck", _list),
    "add": ("let exchanges go wrong from now on", _add),
    "remove": ("remove a fault", _remove),
    "clear": ("remove all faults", _clear),
    "kinds": ("list the kinds and presets that there are", _kinds),
}
TAKES = {"faults": _take}

"""`snapshot`: keep what a server holds, go back to it, carry it elsewhere."""

import argparse

from mockchat.commands import Run, UsageError
from mockchat.commands.files import read_json, write_json
from mockchat.commands.remote import Remote, add_actions, path_of
from mockchat.commands.show import tell, tell_table

_ALL = "/snapshots"


def _take(parser: argparse.ArgumentParser) -> Run:
    actions = add_actions(parser, {name: does for name, (does, _) in _ACTIONS.items()})
    for name, action in actions.items():
        if name != "list":
            action.add_argument("name", metavar="NAME", help="the snapshot's name")
        if name in ("export", "import"):
            action.add_argument("file", metavar="FILE", help="a JSON file; - for a pipe")
    return lambda arguments: _ACTIONS[arguments.action][1](arguments)


def _list(arguments: argparse.Namespace) -> int:
    found = Remote(arguments).control("GET", _ALL)
    rows = [
        (one["name"], one.get("app", "all"), ", ".join(one["apps"]), one["users"]) for one in found
    ]
    return tell_table(arguments, found, ("name", "of", "apps", "users"), rows)


def _save(arguments: argparse.Namespace) -> int:
    return _keep(arguments, None)


def _import(arguments: argparse.Namespace) -> int:
    content = read_json(arguments.file)
    if not isinstance(content, dict) or "apps" not in content:
        raise UsageError(f"{arguments.file}: is no snapshot: it has no `apps`")
    return _keep(arguments, {"apps": content["apps"]})


def _keep(arguments: argparse.Namespace, body: object) -> int:
    kept = Remote(arguments).control("PUT", _ALL + path_of(arguments.name), body)
    return tell(arguments, kept, f"The snapshot {kept['name']} is kept (users: {kept['users']}).")


def _restore(arguments: argparse.Namespace) -> int:
    return _done(arguments, "POST", "/restore")


def _delete(arguments: argparse.Namespace) -> int:
    return _done(arguments, "DELETE", "")


def _done(arguments: argparse.Namespace, method: str, what: str) -> int:
    answer = Remote(arguments).control(method, f"{_ALL}{path_of(arguments.name)}{what}")
    return tell(arguments, answer, answer["message"])


def _export(arguments: argparse.Namespace) -> int:
    write_json(arguments.file, Remote(arguments).control("GET", _ALL + path_of(arguments.name)))
    return 0


_ACTIONS: dict[str, tuple[str, Run]] = {
    "list": ("list the snapshots", _list),
    "save": ("keep what is held now; a snapshot of that name is replaced", _save),
    "restore": ("go back to what a snapshot holds", _restore),
    "delete": ("forget a snapshot", _delete),
    "export": ("write what a snapshot holds to a file", _export),
    "import": ("keep what a file holds as a snapshot", _import),
}
TAKES = {"snapshot": _take}

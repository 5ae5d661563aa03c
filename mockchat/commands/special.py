"""Commands with a request or an answer of their own: health, users, seed, snapshots, faults."""

import argparse
from collections import Counter
from dataclasses import fields
from pathlib import Path
from typing import Any

from mockchat.commands import UsageError
from mockchat.commands.remote import RefusedError, Remote, ask
from mockchat.commands.show import pairs, printable, read_json, say, tell, write_json
from mockchat.commands.table import FILTERS, Action, Argument, argument, options
from mockchat.core.fault_kinds import KINDS
from mockchat.core.ids import camel

_HEALTHY = 5.0  # seconds that a healthy server has to answer
_SEEDING = 600.0  # seconds that the server has to add users


def health(_action: Action, arguments: argparse.Namespace) -> int:
    """Print the server's answer, which is short JSON."""
    say(printable(Remote(arguments).fetch("/health", timeout=_HEALTHY)))
    return 0


def users(action: Action, arguments: argparse.Namespace) -> int:
    """List the users of the state, newest first, with the number of their auth tokens.

    The control API needs no api key, uses no quota and leaves the journal alone.
    """
    rows: list[Any] = []
    for app, state in ask(action, arguments)["apps"].items():
        tokens = Counter(token["uid"].lower() for token in state["authTokens"])
        rows += [
            {"app": app, **user, "authTokens": tokens[user["uid"].lower()]}
            for user in reversed(state["users"])
        ]
    return tell(arguments, rows, action.shows)


def seed(action: Action, arguments: argparse.Namespace) -> int:
    """Add made-up users and a fixture."""
    fixture = None if arguments.fixture is None else _fixture(arguments.fixture)
    given = {"users": arguments.users, "fixture": fixture}
    body = {name: value for name, value in given.items() if value is not None}
    if not body:
        raise UsageError("seed needs --users N or --fixture FILE")
    try:
        answer = ask(action, arguments, body, _SEEDING)
    except (RefusedError, UsageError) as error:
        more = f"; this machine has no file {fixture}" if isinstance(fixture, str) else ""
        raise type(error)(f"{error}{more}") from None
    return tell(arguments, answer, action.shows)


def _fixture(name: str) -> Any:
    """Return the content of a file, or the name of a fixture that the server knows.

    A plain word is a name even if a file has that name, as with `serve --fixture`.
    """
    is_word = Path(name).name == name and not Path(name).suffix
    if name != "-" and (is_word or not Path(name).is_file()):
        return name
    return read_json(name)


# --- snapshots ------------------------------------------------------------------------------
def export_snapshot(action: Action, arguments: argparse.Namespace) -> int:
    """Write a snapshot to a file."""
    return write_json(arguments.file, ask(action, arguments))


def import_snapshot(action: Action, arguments: argparse.Namespace) -> int:
    """Save the content of a file as a snapshot."""
    content = read_json(arguments.file)
    if not isinstance(content, dict) or "apps" not in content:
        raise UsageError(f"{arguments.file}: is not a snapshot: `apps` is missing")
    return tell(arguments, ask(action, arguments, {"apps": content["apps"]}), action.shows)


# --- webhooks -------------------------------------------------------------------------------
def webhook(action: Action, arguments: argparse.Namespace) -> int:
    """Add or remove a webhook; `--url` is the address of the server, so the URL is `target`."""
    body = {"url": arguments.target} if arguments.target is not None else {}
    return tell(arguments, ask(action, arguments, body), action.shows)


# --- faults ---------------------------------------------------------------------------------
_MATCH = FILTERS[:4]
_LIMITS = {
    "--probability P": "probability that a matching request is disturbed, 0 to 1",
    "--times N": "number of requests to disturb at most",
    "--after N": "number of matching requests to leave alone first",
    "--random-seed N": "make the probability reproducible",
}


def _options() -> list[Argument]:
    """Return the options of every fault and of all kinds; the help names the kinds of each."""
    helps: dict[str, list[str]] = {}
    for kind in KINDS.values():
        for one in fields(kind):
            words = f"--{one.name.replace('_', '-')} VALUE"
            helps.setdefault(words, []).append(f"{kind.name}: {one.metadata['help']}")
    parameters = {words: "; ".join(texts) for words, texts in helps.items()}
    limits = options(_LIMITS, "which of them")
    return [*_MATCH, *limits, *options(parameters, "parameters, by kind")]


def faults_arguments(_parser: argparse.ArgumentParser) -> list[Argument]:
    """Return the arguments of `faults add`."""
    told = "kind or preset, as `mockchat faults kinds` lists it"
    help_ = "add a fault or a list of faults from a JSON file; - for a pipe"
    kind = argument("kind", "KIND", told, nargs="?")
    return [kind, argument("--from", "FILE", help_, dest="file"), *_options()]


def faults(action: Action, arguments: argparse.Namespace) -> int:
    """Add a fault from the arguments, or those of a file."""
    wanted = _wanted(arguments) if arguments.file is None else _from_file(arguments)
    made = [ask(action, arguments, one) for one in wanted]
    if arguments.json:
        return tell(arguments, made if arguments.file else made[0])
    for one in made:
        say(f"Added fault {one['id']}: {one['kind']} {pairs(one['match'])}".rstrip())
    return 0


def _wanted(arguments: argparse.Namespace) -> list[Any]:
    if arguments.kind is None:
        raise UsageError("faults add needs a KIND (`mockchat faults kinds` lists them) or --from")
    keys = ["kind", *(one.key for one in _options())]
    given = {camel(key): getattr(arguments, key) for key in keys}
    return [{key: value for key, value in given.items() if value is not None}]


def _from_file(arguments: argparse.Namespace) -> list[Any]:
    if arguments.kind is not None:
        raise UsageError("faults add takes a KIND or --from, not both")
    content = read_json(arguments.file)
    found = content if isinstance(content, list) else [content]
    if not found or not all(isinstance(one, dict) for one in found):
        raise UsageError(f'{arguments.file}: must contain faults like {{"kind": "hang"}}')
    return found

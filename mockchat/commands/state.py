"""`reset` and `seed`: back to the beginning, and more users."""

import argparse
from pathlib import Path
from typing import Any

from mockchat.commands import Run, UsageError
from mockchat.commands.files import read_json
from mockchat.commands.remote import RefusedError, Remote, add_server_options
from mockchat.commands.show import tell

_SEEDING = 600.0  # seconds that any number of users may take


def _take_reset(parser: argparse.ArgumentParser) -> Run:
    add_server_options(parser)
    return _reset


def _reset(arguments: argparse.Namespace) -> int:
    answer = Remote(arguments).control("POST", "/reset")
    return tell(arguments, answer, answer["message"])


def _take_seed(parser: argparse.ArgumentParser) -> Run:
    parser.add_argument("--users", metavar="N", help="add so many plausible users")
    parser.add_argument(
        "--fixture",
        metavar="NAME",
        help="add what a fixture holds: a JSON file of this machine (- for a pipe), "
        "or a name that the server knows",
    )
    add_server_options(parser)
    return _seed


def _seed(arguments: argparse.Namespace) -> int:
    body: dict[str, Any] = {}
    if arguments.users is not None:
        body["users"] = arguments.users
    if arguments.fixture is not None:
        body["fixture"] = _fixture(arguments.fixture)
    if not body:
        raise UsageError("seed needs --users N or --fixture FILE")
    try:
        answer = Remote(arguments).control("POST", "/seed", body, timeout=_SEEDING)
    except RefusedError as error:
        if isinstance(body.get("fixture"), str):
            raise RefusedError(f"{error}; {arguments.fixture} is no file here") from None
        raise
    apps = ", ".join(answer["apps"])
    return tell(arguments, answer, f"Users added: {answer['users']} (apps: {apps}).")


def _fixture(name: str) -> Any:
    """Return what a file of this machine holds, which the server may not see; else the name.

    A plain word is a name before it is a file, as it is for `serve --fixture`.
    """
    is_word = Path(name).name == name and not Path(name).suffix
    if name != "-" and (is_word or not Path(name).is_file()):
        return name
    return read_json(name)


TAKES = {"reset": _take_reset, "seed": _take_seed}

"""`users` and `token`: who there is, and an auth token of one."""

import argparse
import os
from typing import Any

from mockchat import config
from mockchat.commands import Run
from mockchat.commands.remote import Remote, add_server_options, path_of
from mockchat.commands.show import tell, tell_table

_KEY = config.variable("rest_api_key")


# --- users ----------------------------------------------------------------------------------
def _take_users(parser: argparse.ArgumentParser) -> Run:
    add_server_options(parser)
    return _list_users


def _list_users(arguments: argparse.Namespace) -> int:
    """Ask the control API, which needs no key, costs no quota and leaves the journal alone."""
    remote = Remote(arguments)
    apps: dict[str, Any] = remote.control("GET", "/state")["apps"]
    for held in apps.values():
        held["users"].reverse()  # the newest first, as the emulated API lists them
    users = [{"app": app, **user} for app, held in apps.items() for user in held["users"]]
    lines = [line for app, held in apps.items() for line in _lines(app, held)]
    head = ("app", "uid", "name", "role", "auth tokens", "state")
    return tell_table(arguments, users, head, lines)


def _lines(app: str, held: dict[str, Any]) -> list[tuple[Any, ...]]:
    tokens: dict[str, int] = {}
    for token in held["authTokens"]:
        tokens[token["uid"].lower()] = tokens.get(token["uid"].lower(), 0) + 1
    return [
        (
            app,
            user["uid"],
            user["name"],
            user.get("role", "default"),
            tokens.get(user["uid"].lower(), 0),
            "deactivated" if user.get("deactivatedAt") else "active",
        )
        for user in held["users"]
    ]


# --- token ----------------------------------------------------------------------------------
def _take_token(parser: argparse.ArgumentParser) -> Run:
    parser.add_argument("uid", metavar="UID", help="whose auth token")
    parser.add_argument(
        "--force", action="store_true", help="a new one, even where there is one already"
    )
    parser.add_argument(
        "--api-key",
        metavar="KEY",
        default=os.environ.get(_KEY, "").partition(",")[0].strip() or config.Config.rest_api_key[0],
        help=f"an api key of the app (default: {_KEY}, else %(default)s)",
    )
    add_server_options(parser)
    return _print_token


def _print_token(arguments: argparse.Namespace) -> int:
    """Print the auth token alone, for `$(mockchat token UID)`."""
    body = {"force": True} if arguments.force else {}
    made = Remote(arguments).emulated(
        "POST", f"/users{path_of(arguments.uid)}/auth_tokens", body, arguments.api_key
    )
    return tell(arguments, made, made["authToken"])


TAKES = {"users": _take_users, "token": _take_token}

"""The commands of `mockchat`: one row each, and how one fails."""

import argparse
from collections.abc import Callable
from typing import NamedTuple

Run = Callable[[argparse.Namespace], int]
Take = Callable[[argparse.ArgumentParser], Run]


class CommandError(Exception):
    """A command cannot do what it was asked for: says why and what to do."""

    status = 1


class UsageError(CommandError):
    """A command was asked for what it does not know, or given a file that is no good."""

    status = 2


class Command(NamedTuple):
    """A row of the help: a command, what may follow it, what it does and where it lives.

    Its module is imported when the command is used; `TAKES` there has, by the command's name,
    what declares its arguments and returns what runs it and tells the exit status.
    """

    name: str
    usage: str
    does: str
    module: str


_SERVER = (
    Command("serve", "[SETTING …]", "run the server", "serving"),
    Command(
        "exec", "[SETTING …] -- CMD …", "run a command that has a server of its own", "execute"
    ),
)
_REMOTE = (
    Command("health", "", "ask whether it is up", "about"),
    Command("users", "", "list users", "users"),
    Command("token", "UID [--force]", "print an auth token of a user", "users"),
    Command("reset", "", "go back to the seed", "state"),
    Command("seed", "[--users N] [--fixture FILE]", "add users", "state"),
    Command(
        "snapshot",
        "[ACTION …]",
        "list, keep and restore what it holds, export and import files",
        "snapshots",
    ),
    Command(
        "faults",
        "[ACTION …]",
        "let exchanges go wrong, and see how often they did",
        "faults",
    ),
    Command(
        "journal",
        "[ID|clear] [OPTION …]",
        "see what clients sent, wait for it, follow it live, save it as HAR",
        "journal",
    ),
    Command(
        "clock",
        "[ACTION …]",
        "see the time of the server, stop it, move it forward",
        "clock",
    ),
)
_LOCAL = (
    Command("errors", "[WORD]", "list the error catalogue", "about"),
    Command("routes", "[WORD]", "list the operations", "about"),
    Command("openapi", "", "print the OpenAPI document", "about"),
    Command("ca", "[--pem]", "tell where the CA is that clients are to trust", "hosts"),
    Command(
        "hosts", "[--format FORMAT]", "print what leads the live host names to mockchat", "hosts"
    ),
    Command("config", "[SETTING …]", "tell every setting and where it comes from", "serving"),
)
GROUPS = {
    "runs a server": _SERVER,
    "steers a running server": _REMOTE,
    "needs no server": _LOCAL,
}
COMMANDS = {command.name: command for group in GROUPS.values() for command in group}

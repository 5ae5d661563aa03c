"""The command `mockchat`: finds the command that is meant, hands it its arguments, ends as it."""

import argparse
import difflib
import io
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

from mockchat.commands import COMMANDS, GROUPS, Command, CommandError, UsageError
from mockchat.commands.show import sentence
from mockchat.version import __version__

_WRONG_USAGE = 2
_BY_SIGNAL = 128  # and the signal's number: how shells tell of an end by a signal
_SIGINT, _SIGPIPE = 2, 13
_RUNS_OTHERS, _REST = "exec", "--"  # what follows there is another program's
Run = Callable[[argparse.Namespace], int]

_EXAMPLES = """\
examples:
  mockchat serve --port 9000 --fixture my-users.json
  mockchat exec -- npm test
  TOKEN=$(mockchat token superhero1)
  mockchat faults add error --code ERR_TOO_MANY_REQUESTS --path /users --times 2
  mockchat journal --follow

`mockchat COMMAND --help` tells the options of a command. Exit status: 0 good, 1 the server said
no, 2 wrong usage."""


class _Parser(argparse.ArgumentParser):
    """A parser whose complaint says where to read on, and that takes no flag in part."""

    def __init__(self, **options: object) -> None:
        super().__init__(allow_abbrev=False, **options)  # type: ignore[arg-type]

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line, and end."""
        self.exit(_WRONG_USAGE, f"mockchat: {message} (see `{self.prog} --help`)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return 0 for good, 1 where the server said no, 2 for wrong usage."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names have more characters than some terminals
            stream.reconfigure(errors="backslashreplace")
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["help"]:
        words = [*words[1:], "--help"]
    command = COMMANDS.get(words[0]) if words else None
    if command is None:
        return _without_command(words)
    try:
        _check_text(words)
        return _run(command, words[1:])
    except CommandError as error:
        sys.stderr.write(f"mockchat: {error}\n")
        return error.status
    except BrokenPipeError:  # who reads has read enough, like `head`
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BY_SIGNAL + _SIGPIPE
    except KeyboardInterrupt:
        return _BY_SIGNAL + _SIGINT


def _check_text(words: list[str]) -> None:
    if words[0] == "exec":  # whose command may take any bytes
        return
    if any("\ud800" <= character <= "\udfff" for word in words for character in word):
        raise UsageError("the arguments must be UTF-8 text")


def _run(command: Command, words: list[str]) -> int:
    cut = command.name == _RUNS_OTHERS and _REST in words
    end = words.index(_REST) if cut else len(words)
    usage = " ".join(filter(None, ("mockchat", command.name, command.usage)))
    parser = _Parser(
        prog=f"mockchat {command.name}", usage=usage, description=sentence(command.does)
    )
    take: Callable[[argparse.ArgumentParser], Run]
    take = import_module(f"mockchat.commands.{command.module}").TAKES[command.name]
    run = take(parser)
    arguments = parser.parse_args(words[:end])
    arguments.rest = words[end + 1 :]
    return run(arguments)


def _without_command(words: list[str]) -> int:
    """Answer `--help`, `--version` and what is no command."""
    parser = _Parser(
        prog="mockchat",
        usage="mockchat COMMAND [OPTION …]",
        description=_overview(),
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"mockchat {__version__}")
    if words and not words[0].startswith("-"):
        near = difflib.get_close_matches(words[0], COMMANDS, n=1)
        guess = f"; did you mean {near[0]}?" if near else ""
        parser.error(f"there is no command {words[0]!r}{guess}")
    parser.parse_args(words)
    parser.print_help(sys.stderr)
    return _WRONG_USAGE


def _overview() -> str:
    lines = ["A local stand-in for CometChat's user and authentication service."]
    for name, commands in GROUPS.items():
        lines += ["", f"{name}:", *(f"  {one.name:<10}{one.does}" for one in commands)]
    return "\n".join(lines)

"""The command `mockchat`: finds the row of a command, parses its arguments and runs it."""

import argparse
import io
import os
import re
import shlex
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, NoReturn

from mockchat.commands import UsageError
from mockchat.commands.table import COMMANDS, GROUPS, ROWS, SERVER, Action
from mockchat.core.words import AdviceError, question
from mockchat.version import __version__

_WRONG_USAGE = 2
_BY_SIGNAL = 128  # plus the number of the signal, as in a shell
_SIGINT, _SIGPIPE = 2, 13
_INVALID_CHOICE = re.compile(r"invalid choice: '(.*?)' \(choose from (.*)\)")  # argparse's words
_EXEC, _REST = "exec", "--"  # the words after `exec … --` are another program's

_EXAMPLES = """\
examples:
  mockchat serve --port 9000 --fixture my-users.json
  mockchat exec -- npm test
  TOKEN=$(mockchat token superhero1)
  mockchat faults add error --code ERR_TOO_MANY_REQUESTS --path /users --times 2
  mockchat journal --follow

`mockchat COMMAND --help` lists the options of a command. Exit status: 0 success, 1 failure,
2 wrong usage."""


class _Parser(argparse.ArgumentParser):
    """A parser that prints an error in one line and accepts no abbreviated flags."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        """Print the error and exit."""
        if choice := _INVALID_CHOICE.search(message):
            message += question(choice[1], re.split(r"\W+", choice[2]))
        self.exit(_WRONG_USAGE, f"mockchat: {message} (see `{self.prog} --help`)\n")

    @property
    def flags(self) -> set[str]:
        """The options, those of the actions among them."""
        found = set(self._option_string_actions)
        for one in self._actions:
            if isinstance(one, argparse._SubParsersAction):  # noqa: SLF001  # it has no other name
                found.update(*(parser.flags for parser in one.choices.values()))
        return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit status: 0 success, 1 failure, 2 wrong usage."""
    _prepare_streams()
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["help"]:
        words = [*words[1:], "--help"]
    command = COMMANDS.get(words[0]) if words else None
    try:
        try:
            return _run(command, words[1:]) if command else _without_command(words)
        finally:
            sys.stdout.flush()
    except AdviceError as error:
        sys.stderr.write(f"mockchat: {error}\n")
        return error.status
    except BrokenPipeError:  # the reader has read enough, like `head`
        _leave_stdout()
        return _BY_SIGNAL + _SIGPIPE
    except OSError as error:
        _leave_stdout()
        sys.stderr.write(f"mockchat: {error.filename or 'stdout'}: {error.strerror or error}\n")
        return 1
    except KeyboardInterrupt:
        return _BY_SIGNAL + _SIGINT


def _leave_stdout() -> None:
    """Let Python write what waits for stdout to nowhere at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _prepare_streams() -> None:
    for name in ("stdin", "stdout", "stderr"):  # in this order each gets its own number
        stream = getattr(sys, name)
        if stream is None:  # the caller closed it: uvloop aborts where its own files get the number
            mode, letter = (os.O_RDONLY, "r") if name == "stdin" else (os.O_WRONLY, "w")
            setattr(sys, name, os.fdopen(os.open(os.devnull, mode), letter))
        elif name != "stdin" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # some terminals lack letters of names


def _run(command: Action, words: list[str]) -> int:
    rest: list[str] = []
    if command.words == _EXEC and _REST in words:
        at = words.index(_REST)
        words, rest = words[:at], words[at + 1 :]
    variables = {name: it for name, it in os.environ.items() if name.startswith("MOCKCHAT_")}
    for name, text in {"the arguments": "".join(words), **variables}.items():
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise UsageError(f"{name} must be UTF-8 text")
    parser, given = _parser(command), argparse.Namespace(json=False, rest=rest)
    arguments, extra = parser.parse_known_args(words, given)
    for one in arguments.action.arguments:
        if not one.name.startswith("-") and getattr(arguments, one.key) == "":
            parser.error(f"{one.options['metavar']} must not be empty")
    if extra and command.words == _EXEC and not extra[0].startswith("-"):
        raise UsageError(f"exec needs {_REST} before the command: {_with_rest(words, extra)}")
    if extra:
        word = next((one for one in extra if one.startswith("-")), "").partition("=")[0]
        near = question(word, parser.flags) if word else ""
        parser.error(f"unrecognized arguments: {' '.join(extra)}{near}")
    action: Action = arguments.action
    status: int = _load(action.code or "remote.run")(action, arguments)
    return status


def _with_rest(words: list[str], command: list[str]) -> str:
    """Return the line of `exec` that has this command behind `--`."""
    before = words[: -len(command)]
    if [*before, *command] != words:  # options stand among the words of the command
        return "mockchat exec [OPTION …] -- CMD …"
    return shlex.join(["mockchat", _EXEC, *before, _REST, *command])


def _load(code: str) -> Any:
    """Return a function: of a module beside the table, unless the name has another room."""
    module, _, function = code.rpartition(".")
    room = "mockchat" if "." in module else "mockchat.commands"
    return getattr(import_module(f"{room}.{module}"), function)


def _parser(command: Action) -> _Parser:
    name = command.words
    actions = {words: row for words, row in ROWS.items() if words.startswith(f"{name} ")}
    usage = f"mockchat {name} {command.usage}".rstrip()
    parser = _Parser(prog=f"mockchat {name}", usage=usage, description=sentence(command.does))
    usual = next(iter(actions.values()), command)
    if actions:
        title = f"actions (default: {usual.words.split()[1]})"
        parsers = parser.add_subparsers(title=title, metavar="ACTION", prog=parser.prog)
        for words, row in actions.items():
            added = parsers.add_parser(
                words.split()[1], help=row.does, description=sentence(row.does)
            )
            _add(added, row)
    _add(parser, usual)
    return parser


def _add(parser: argparse.ArgumentParser, action: Action) -> None:
    """Add the arguments of an action to a parser."""
    groups: dict[str, Any] = {"": parser}
    own = (*action.arguments, *(_load(action.more)(parser) if action.more else ()))
    for one in (*own, *(SERVER if action.request else ())):
        if one.group not in groups:
            groups[one.group] = parser.add_argument_group(one.group)
        options = dict(one.options)
        if one in SERVER:  # before an action, the action's default must not reset it
            options["default"] = argparse.SUPPRESS
        groups[one.group].add_argument(one.name, **options)
    parser.set_defaults(action=action)


def _without_command(words: list[str]) -> int:
    """Answer `--help`, `--version` and wrong commands."""
    parser = _Parser(
        prog="mockchat",
        usage="mockchat COMMAND [OPTION …]",
        description=_overview(),
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"mockchat {__version__}")
    option = words[0].partition("=")[0] if words else ""
    if option in {one.name for one in SERVER}:
        parser.error(f"{option} goes behind the command, as in `mockchat users {option} …`")
    if words and not words[0].startswith("-"):
        parser.error(f"there is no command {words[0]!r}{question(words[0], COMMANDS)}")
    parser.parse_args(words)
    parser.print_help(sys.stderr)
    return _WRONG_USAGE


def _overview() -> str:
    lines = ["A local stand-in for CometChat's user and authentication service."]
    for name, rows in GROUPS.items():
        lines += ["", f"{name}:"]
        lines += [f"  {row.words:<10}{row.does}" for row in rows if row.words in COMMANDS]
    return "\n".join(lines)


def sentence(text: str) -> str:
    """Return a text of the table as a sentence."""
    return f"{text[:1].upper()}{text[1:]}."

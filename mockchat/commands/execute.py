"""`exec`: runs a command with a server of its own, which the command's environment names."""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Self

from mockchat import config
from mockchat.commands import UsageError, settings
from mockchat.commands.show import note, printable
from mockchat.commands.table import Action, Argument
from mockchat.core.words import AdviceError, counted

if TYPE_CHECKING:
    from mockchat.server import MockChat

_NO_SUCH_COMMAND, _CANNOT_RUN, _BY_SIGNAL = 127, 126, 128  # as in a shell
_PORTS = {"port": "0", "https_port": "0", "proxy_port": "off"}  # without a flag
_DEFAULTS = {"port": "any free port", "https_port": "any free port", "log_level": "error"}
_QUIET = {config.variable("log_level"): "error"}  # without a flag or variable
_SHOWN = 10  # exchanges that are printed after a failure
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


def run_arguments(parser: argparse.ArgumentParser) -> list[Argument]:
    """Return the settings; the end of the help tells how CMD finds the server."""
    parser.usage = "mockchat exec [OPTION …] -- CMD …"
    parser.epilog = (
        "CMD finds the server in the variables MOCKCHAT_URL, MOCKCHAT_HTTPS_URL, MOCKCHAT_WS_URL, "
        "MOCKCHAT_APP_ID, MOCKCHAT_REGION, MOCKCHAT_AUTH_KEY, MOCKCHAT_REST_API_KEY and "
        "MOCKCHAT_CA. Other variables make Node, Deno, curl, OpenSSL and Python's requests trust "
        "the CA as well. With --proxy-port, MOCKCHAT_PROXY_URL and HTTPS_PROXY name the proxy. "
        "--log-level info prints every request on stderr. If CMD fails, its last requests are "
        "printed."
    )
    return settings.serve_arguments(parser, _DEFAULTS)


def run(_action: Action, arguments: argparse.Namespace) -> int:
    """Start a server, run the command, stop the server; return the command's exit status."""
    if not arguments.rest:
        raise UsageError("exec needs a command: mockchat exec [OPTION …] -- CMD …")
    flags = settings.flags_of(arguments)
    flags |= {name: port for name, port in _PORTS.items() if flags[name] is None}
    wanted = settings.config_of(flags, arguments.config, {**_QUIET, **os.environ})
    from mockchat.kit.environment import environment  # noqa: PLC0415
    from mockchat.log import Log  # noqa: PLC0415  # imports aiohttp
    from mockchat.server import MockChat  # noqa: PLC0415

    log, status = Log(wanted), 0
    try:
        with (
            _Forwarding() as forwarding,
            tempfile.TemporaryDirectory(prefix="mockchat-") as folder,
            contextlib.ExitStack() as end,
            MockChat(wanted).in_thread() as mock,
        ):
            end.callback(log.close)
            log.follow(mock)
            status = _run(arguments.rest, environment(mock.facts(), Path(folder)), forwarding)
            if status and not forwarding.received:
                _tell_what_came(mock, status)
    except ExceptionGroup as group:  # the log has the tracebacks
        failed = counted(len(group.exceptions), "request", "requests")
        note(f"mockchat itself failed to answer {failed}; see the log")
        return status or 1
    return status


def _tell_what_came(mock: "MockChat", status: int) -> None:
    """Print the last exchanges of a command that failed."""
    exchanges = mock.journal.find()
    newest = exchanges[-_SHOWN:]
    came = counted(len(exchanges), "request", "requests") if exchanges else "no request"
    last = f"; the last {len(newest)}:" if len(exchanges) > _SHOWN else ":" if exchanges else ""
    note(f"the command ended with exit status {status}, and {came} reached the server{last}")
    for one in newest:
        hint = f"\n    hint: {one.hint}" if one.hint else ""
        sys.stderr.write(printable(f"  {one}") + f"{hint}\n")


# --- the command ----------------------------------------------------------------------------
class _NotRunError(AdviceError):
    def __init__(self, told: str, status: int) -> None:
        super().__init__(told)
        self.status = status


def _run(command: list[str], environ: Mapping[str, str], forwarding: "_Forwarding") -> int:
    if forwarding.early:
        return _BY_SIGNAL + forwarding.early
    try:
        child = subprocess.Popen(command, env=environ)  # noqa: S603  # nosec B603  # the user's own command
    except FileNotFoundError:
        raise _NotRunError(f"{command[0]}: there is no such command", _NO_SUCH_COMMAND) from None
    except OSError as error:
        told = f"{command[0]}: cannot be run: {error.strerror}"
        raise _NotRunError(told, _CANNOT_RUN) from None
    forwarding.adopt(child)
    while True:
        # Without a timeout, a signal that comes just before the wait is handled only after it.
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = child.wait(timeout=1)
            return status if status >= 0 else _BY_SIGNAL - status


class _Forwarding:
    """Forwards the signals that would end this process to the child."""

    def __init__(self) -> None:
        self.received = False  # whether a signal came
        self.early = 0  # a signal that came before the child started
        self._child: subprocess.Popen[bytes] | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for name in _SIGNALS:
            if number := getattr(signal, name, None):  # Windows lacks some of them
                self._before[number] = signal.signal(number, self._forward)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def adopt(self, child: subprocess.Popen[bytes]) -> None:
        """Forward signals to this child from now on, and the early one."""
        self._child = child
        if self.early:
            child.send_signal(self.early)

    def _forward(self, number: int, _frame: FrameType | None) -> None:
        self.received = True
        if self._child is None:
            self.early = number
        elif self._child.returncode is not None:  # the server stops
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        elif number != signal.SIGINT or not _shares_terminal():
            self._child.send_signal(number)


def _shares_terminal() -> bool:
    """Whether the terminal sends Ctrl-C to the child as well, because it sends it to us."""
    if sys.platform == "win32":
        return True
    with contextlib.suppress(OSError), Path("/dev/tty").open("rb", buffering=0) as terminal:
        return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    return False

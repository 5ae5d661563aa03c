"""`exec`: a command that has a server of its own, and what it finds in its environment."""

import argparse
import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Self

from mockchat import config
from mockchat.commands import CommandError, Run, UsageError
from mockchat.commands.serving import add_settings, config_of, flags_of
from mockchat.commands.show import note

if TYPE_CHECKING:
    from mockchat.server import MockChat

_NO_SUCH_COMMAND, _CANNOT_RUN, _BY_SIGNAL = 127, 126, 128  # as shells have it
_PORTS = {"port": "0", "https_port": "0", "proxy_port": "off"}  # whatever the variables say
_QUIET = {config.variable("log_level"): "error"}  # what is not said otherwise
# Variables that name a CA to trust besides the system's, and those that name all there is.
_ADDING = ("NODE_EXTRA_CA_CERTS", "DENO_CERT")
_LOOPBACK = ("localhost", "127.0.0.1")
_REPLACING = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def _take(parser: argparse.ArgumentParser) -> Run:
    parser.epilog = (
        "CMD finds MOCKCHAT_URL, MOCKCHAT_HTTPS_URL, MOCKCHAT_WS_URL, MOCKCHAT_APP_ID, "
        "MOCKCHAT_REGION, MOCKCHAT_AUTH_KEY, MOCKCHAT_REST_API_KEY and MOCKCHAT_CA in its "
        "environment, and the CA in the variables that Node, Deno, curl, OpenSSL and Python's "
        "requests read, beside whom they trust already. With --proxy-port the proxy is in "
        "MOCKCHAT_PROXY_URL and HTTPS_PROXY. HTTP and HTTPS are at free ports unless flags name "
        "them. --log-level info shows every request on stderr."
    )
    add_settings(parser)
    return _exec


def _exec(arguments: argparse.Namespace) -> int:
    if not arguments.rest:
        raise UsageError("exec needs a command: mockchat exec [SETTING …] -- CMD …")
    flags = flags_of(arguments)
    for port, usual in _PORTS.items():
        flags[port] = usual if flags[port] is None else flags[port]
    settings = config_of(flags, arguments.config, {**_QUIET, **os.environ})
    from mockchat.serve import log_requests, set_up_logging  # noqa: PLC0415  # this needs aiohttp
    from mockchat.server import MockChat, StartError  # noqa: PLC0415

    set_up_logging(settings)
    status = 0
    try:
        with (
            _Forwarding() as forwarding,
            tempfile.TemporaryDirectory(prefix="mockchat-") as folder,
            contextlib.ExitStack() as end,
            MockChat(settings).in_thread() as mock,
        ):
            end.callback(log_requests(mock).flush)
            status = _run(arguments.rest, environment(mock, Path(folder)), forwarding)
    except StartError as error:
        raise CommandError(str(error)) from None
    except ExceptionGroup as group:  # the tracebacks are in the log
        note(f"{len(group.exceptions)} answers failed by a fault of mockchat; the log has it")
        return status or 1
    return status


# --- the command ----------------------------------------------------------------------------
def _run(command: list[str], environ: Mapping[str, str], forwarding: "_Forwarding") -> int:
    if forwarding.early:
        return _BY_SIGNAL + forwarding.early
    try:
        child = subprocess.Popen(command, env=environ)  # noqa: S603  # it is what was asked for
    except FileNotFoundError:
        note(f"{command[0]}: there is no such command")
        return _NO_SUCH_COMMAND
    except OSError as error:
        note(f"{command[0]}: cannot be run: {error.strerror}")
        return _CANNOT_RUN
    forwarding.adopt(child)
    status = _end_of(child)
    return status if status >= 0 else _BY_SIGNAL - status


def _end_of(child: subprocess.Popen[bytes]) -> int:
    """Wait for the child and return its status; signals are handled as they come.

    One that came in the moment before this thread waited for the child itself would be handled
    when that has ended: hence the other thread, and the socket that either wakes this one by.
    """
    woken, waking = socket.socketpair()

    def wait() -> None:
        child.wait()
        waking.send(b"\0")

    with woken, waking:
        waking.setblocking(False)
        before = signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
        waiter = threading.Thread(target=wait, name="mockchat-exec")
        waiter.start()
        while child.returncode is None:
            woken.recv(1)
        signal.set_wakeup_fd(before)
        waiter.join()
    return child.returncode


class _Forwarding:
    """Hands the signals that would end this process to the child, whose end is waited for."""

    _NAMES = ("SIGINT", "SIGTERM", "SIGHUP")

    def __init__(self) -> None:
        self.child: subprocess.Popen[bytes] | None = None
        self.early = 0  # the signal that came before there was a child
        self._before: dict[int, object] = {}

    def __enter__(self) -> Self:
        for name in self._NAMES:
            if number := getattr(signal, name, None):  # Windows has not all of them
                self._before[number] = signal.signal(number, self._forward)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def adopt(self, child: subprocess.Popen[bytes]) -> None:
        """Take the child that signals are for, those that came meanwhile among them."""
        self.child = child
        if self.early:
            child.send_signal(self.early)

    def _forward(self, number: int, _frame: FrameType | None) -> None:
        if self.child is None:
            self.early = number
        elif self.child.returncode is not None:  # the server is about to stop
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        elif number != signal.SIGINT or not _has_terminal():
            self.child.send_signal(number)


def _has_terminal() -> bool:
    """Whether Ctrl-C reaches the child by itself, as it does who shares our terminal."""
    if sys.platform == "win32":
        return True
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


# --- its environment ------------------------------------------------------------------------
def environment(
    mock: "MockChat", folder: Path, environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return the environment of a command that uses this server; CA files go into `folder`."""
    settings = mock.config
    facts = {
        "MOCKCHAT_URL": mock.url or mock.https_url,
        "MOCKCHAT_HTTPS_URL": mock.https_url,
        "MOCKCHAT_WS_URL": mock.ws_url,
        "MOCKCHAT_PROXY_URL": mock.proxy_url,
        "MOCKCHAT_APP_ID": settings.app_id,
        "MOCKCHAT_REGION": settings.region,
        "MOCKCHAT_AUTH_KEY": settings.auth_key[0],
        "MOCKCHAT_REST_API_KEY": settings.rest_api_key[0],
        "MOCKCHAT_CONTROL_TOKEN": settings.control_token,
        "MOCKCHAT_CA": str(mock.ca_path) if mock.ca_path else None,
    }
    found = {name: value for name, value in environ.items() if name not in facts}
    found |= {name: value for name, value in facts.items() if value is not None}
    found |= dict(_trust(mock.ca_path, folder, environ)) if mock.ca_path else {}
    return {**found, **dict(_ways(mock, environ))}


def _ways(mock: "MockChat", environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the variables by which programs reach the server: past every proxy, but its own."""
    for name in ("NO_PROXY", "no_proxy"):
        others = environ.get(name, "")
        yield name, others if others == "*" else ",".join(filter(None, (others, *_LOOPBACK)))
    if mock.proxy_url is not None:
        yield "NODE_USE_ENV_PROXY", "1"
        for name in ("HTTPS_PROXY", "https_proxy"):
            yield name, mock.proxy_url


def _trust(ca: Path, folder: Path, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the variables by which programs trust the CA, besides whom they trust already.

    What replaces the system's CAs is set only where those are known: nobody is to lose them.
    """
    system = ssl.get_default_verify_paths().cafile
    for name in (*_ADDING, *_REPLACING):
        others = environ.get(name) or (system if name in _REPLACING else None)
        if others is None and name in _ADDING:
            yield name, str(ca)
        elif others is not None:
            with contextlib.suppress(OSError):  # a folder, or what is not there: it stays
                bundle = folder / f"{name.lower()}.pem"
                bundle.write_bytes(Path(others).read_bytes() + b"\n" + ca.read_bytes())
                yield name, str(bundle)


TAKES = {"exec": _take}

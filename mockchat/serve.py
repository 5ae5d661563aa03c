"""`mockchat serve`: the server as a process, with a banner, log lines and signals."""

import asyncio
import gc
import json
import logging
import shlex
import signal
import sys
import time
from contextlib import suppress
from functools import lru_cache
from urllib.parse import urlsplit

from mockchat.config import Config
from mockchat.core.clock import Clock
from mockchat.core.journal import Exchange
from mockchat.core.masking import masked
from mockchat.server import MockChat, StartError
from mockchat.version import __version__

_SHOWN_USERS = 20
_WALL = Clock()  # log lines have this machine's time, even if the mock's clock is frozen
_TIME, _DATE_AND_TIME = "%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"
# The server's address by the names that emulators and containers use.
_NAMES = ("localhost{}", "10.0.2.2{} (Android emulator)", "host.docker.internal{} (containers)")
_COLLECT_AFTER = 10_000  # new objects
_FLUSH_AFTER = 0.02  # seconds; one system call writes many log lines


def serve(config: Config) -> int:
    """Serve until Ctrl-C or SIGTERM; return the exit status."""
    try:
        with asyncio.Runner(loop_factory=_event_loop) as runner:
            runner.run(_serve(config))
    except StartError as error:
        sys.stderr.write(f"mockchat: {error}\n")
        return 1
    return 0


def _event_loop() -> asyncio.AbstractEventLoop:
    """Return an event loop of uvloop, which is faster, where it is installed."""
    try:
        import uvloop  # noqa: PLC0415  # the extra `fast` brings it
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


async def _serve(config: Config) -> None:
    # The objects of the start stay until the end: the collector need not look at them.
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)
    stop = _stop_at_signals()
    set_up_logging(config)
    mock = MockChat(config)
    await mock.start()
    lines = log_requests(mock)
    try:
        sys.stdout.write(f"{banner(mock)}\n")
        sys.stdout.flush()
        await stop.wait()
    finally:
        await mock.stop()
        lines.flush()


def _stop_at_signals() -> asyncio.Event:
    """Return the event that the first signal sets; a second signal ends the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)

    def begin() -> None:
        stop.set()
        for number in signals:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in signals:
        with suppress(NotImplementedError):  # Windows has only Ctrl-C, as KeyboardInterrupt
            loop.add_signal_handler(number, begin)
    return stop


class RequestLog:
    """The log of requests: a line each, as text or JSON."""

    def __init__(self, log_format: str) -> None:
        self._line = _json_line if log_format == "json" else _text_line
        self._waiting: list[Exchange] = []

    def add(self, exchange: Exchange) -> None:
        """Add the line of an exchange; it is written a moment later, together with others."""
        if not self._waiting:
            asyncio.get_running_loop().call_later(_FLUSH_AFTER, self.flush)
        self._waiting.append(exchange)

    def flush(self) -> None:
        """Write the lines that wait; a stderr that fails loses them."""
        text = "".join(map(self._line, self._waiting))
        self._waiting.clear()
        with suppress(OSError, ValueError):  # a full disk, a closed stream
            sys.stderr.write(text)
            sys.stderr.flush()


def log_requests(mock: MockChat) -> RequestLog:
    """Start the log of requests if the settings ask for it; return the log."""
    lines = RequestLog(mock.config.log_format)
    if mock.config.log_level in ("debug", "info"):
        mock.observe(lines.add)
    return lines


@lru_cache(maxsize=1)
def _stamp(second: int, layout: str) -> str:
    return time.strftime(layout, time.localtime(second))


def _text_line(exchange: Exchange) -> str:
    now, status = _stamp(int(_WALL.now()), _TIME), exchange.status or "no answer"
    facts = "".join(f"{fact} " for fact in exchange.facts())
    # A call of the control API, which is in no journal, may be for every app.
    app = f"app={exchange.app_id} " if exchange.id else ""
    target, milliseconds = masked(exchange.target), 1000 * exchange.seconds
    return f"{now} {exchange.method} {target} {status} {facts}{app}{milliseconds:.1f}ms\n"


def _json_line(exchange: Exchange) -> str:
    fields = {
        "time": _stamp(int(_WALL.now()), _DATE_AND_TIME),
        "method": exchange.method,
        "path": masked(exchange.target),
        "status": exchange.status,
        "code": exchange.code,
        "operation": exchange.operation,
        "uid": exchange.uid,
        "app": exchange.app_id if exchange.id else None,
        "milliseconds": round(1000 * exchange.seconds, 1),
    }
    return json.dumps(fields) + "\n"


class _JsonRecords(logging.Formatter):
    """Other log records as JSON."""

    def format(self, record: logging.LogRecord) -> str:
        time_ = self.formatTime(record, _DATE_AND_TIME)
        fields = {"time": time_, "level": record.levelname.lower()}
        return json.dumps({**fields, "message": super().format(record)})


def set_up_logging(config: Config) -> None:
    """Write other log records, like the traceback of a crash, to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)s %(message)s", _TIME)
    handler.setFormatter(_JsonRecords() if config.log_format == "json" else text)
    logging.basicConfig(level=config.log_level.upper(), handlers=[handler])


def banner(mock: MockChat) -> str:
    """Return the banner: addresses, credentials, users and a command to try."""
    config, uids = mock.config, mock.seed_uids()
    more = f" and {len(uids) - _SHOWN_USERS} more" if len(uids) > _SHOWN_USERS else ""
    others = "" if config.strict_apps else "; any other app id works too"
    strangers = ", ".join("all others" if one == "*" else one for one in mock.proxy_hosts)
    passed = f"passes {strangers or 'no others'} through"
    parts = urlsplit(mock.https_url or mock.url or "")
    port = f":{parts.port}" if parts.port else ""
    renewed = f" (new: {mock.ca_renewed}; trust it anew)" if mock.ca_renewed else ""
    facts = {
        "HTTP": mock.url or "off",
        "HTTPS": mock.https_url or "off",
        "Also as": ", ".join(f"{parts.scheme}://{name.format(port)}" for name in _NAMES),
        "Proxy": f"{mock.proxy_url} (sends the live host names here, {passed})",
        "App": f"{config.app_id} (region {config.region}){others}",
        "Auth key": f"{' or '.join(config.auth_key)} (creates users and auth tokens)",
        "API key": f"{' or '.join(config.rest_api_key)} (full access)",
        "Users": (", ".join(uids[:_SHOWN_USERS]) or "none") + more,
        "CA": str(mock.ca_path or "none") + renewed,
    }
    if mock.proxy_url is None:
        del facts["Proxy"]
    lines = "\n".join(f"  {name:<8}  {value}" for name, value in facts.items())
    return f"mockchat {__version__} is up\n\n{lines}\n\n  Try it:\n  {_try_it(mock, uids)}\n"


def _try_it(mock: MockChat, uids: list[str]) -> str:
    """Return a curl command that works with these settings."""
    config = mock.config
    base = mock.url or mock.https_url or ""
    options: list[str] = []
    if mock.url is None:
        options += ["--cacert", str(mock.ca_path)] if mock.ca_path else ["--insecure"]
    if config.strict_apps:
        options += ["-H", f"appId: {config.app_id}"]
    if uids:
        path, body = "/login", {"uid": uids[0], "authKey": config.auth_key[0]}
    else:
        path, body = "/users", {"uid": "user1", "name": "Kevin"}
        options += ["-H", f"apikey: {config.rest_api_key[0]}"]
    return shlex.join(["curl", *options, base + path, "-d", json.dumps(body)])

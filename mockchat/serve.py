"""`mockchat serve`: the server as a process, with a banner, log lines and signals."""

import asyncio
import errno
import gc
import json
import logging
import os
import select
import shlex
import signal
import sys
import threading
from contextlib import closing, suppress
from typing import Any, TextIO
from urllib.parse import urlsplit

from mockchat.bridge import new_event_loop
from mockchat.config import Config
from mockchat.log import Log, put
from mockchat.server import LONGEST_STOP, MockChat
from mockchat.version import __version__

log = logging.getLogger("mockchat")

_SHOWN_USERS = 20
# The server's address by the names that emulators and containers use.
_NAMES = ("localhost{}", "10.0.2.2{} (Android emulator)", "host.docker.internal{} (containers)")
_SILENCE = 60.0  # seconds
_STDERR = 2
_COLLECT_AFTER = 10_000  # new objects
_YOUNG, _OLD = 2, 50  # collections: the middle ones look at few objects, and take 10 ms


def serve(config: Config) -> int:
    """Serve until Ctrl-C, SIGTERM or the end of the terminal; return the exit status.

    Raises StartError, and StateFileError where the state cannot be saved.
    """
    limit = _Limit()
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(_serve(config, limit))
    finally:
        limit.cancel()
    return 0


class _Limit:
    """Ends the process where a stop makes no progress: a thread that looks up a name goes on."""

    def __init__(self) -> None:
        self._timer = threading.Timer(0, self._cut_short)

    def start(self) -> None:
        """Give the stop its time, from now on."""
        self.cancel()
        self._timer = threading.Timer(LONGEST_STOP, self._cut_short)
        self._timer.daemon = True
        self._timer.start()

    def cancel(self) -> None:
        """Set no limit."""
        self._timer.cancel()

    @staticmethod
    def _cut_short() -> None:
        told = f"mockchat: the stop got no further for {LONGEST_STOP:g} seconds and was cut short\n"
        if select.select([], [_STDERR], [], 0)[1]:
            os.write(_STDERR, told.encode())
        os._exit(1)


async def _serve(config: Config, limit: _Limit) -> None:
    # The objects of the start stay until the end: the collector need not look at them.
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, _YOUNG, _OLD)
    gc.enable()
    stop = _stop_at_signals(limit)
    asyncio.get_running_loop().set_exception_handler(_Failures())
    with closing(Log(config)) as lines:
        mock = MockChat(config)
        await mock.start()
        gc.freeze()  # the objects from the state file stay, too
        mock.relieve(gc.freeze)
        lines.follow(mock)
        try:
            # In a thread: a pipe that nobody reads holds up neither the server nor its stop.
            shown = (f"{banner(mock)}\n", sys.stdout)
            threading.Thread(target=_show, args=shown, name="mockchat-banner", daemon=True).start()
            await stop.wait()
        finally:
            await mock.stop(limit.start)


def _show(text: str, stdout: TextIO) -> None:
    try:
        put(text, stdout)
    except (OSError, ValueError) as error:
        log.error("the banner cannot be written to stdout: %s", error)  # noqa: TRY400


class _Failures:
    """Logs failures of the event loop; a lack of files, which lasts, once in a while."""

    def __init__(self) -> None:
        self._silent_until = 0.0

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log a failure."""
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in (errno.EMFILE, errno.ENFILE):
            loop.default_exception_handler(context)
        elif loop.time() >= self._silent_until:
            self._silent_until = loop.time() + _SILENCE
            log.warning("new connections wait: %s; see `ulimit -n`", error.strerror)


def _stop_at_signals(limit: _Limit) -> asyncio.Event:
    """Return the event that the first signal sets; a second signal ends the process at once.

    The first one starts `limit`, too.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signals.append(signal.SIGHUP)  # nohup has it ignored

    def begin() -> None:
        stop.set()
        limit.start()
        for number in signals:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in signals:
        with suppress(NotImplementedError):  # Windows has only Ctrl-C, as KeyboardInterrupt
            loop.add_signal_handler(number, begin)
    return stop


def banner(mock: MockChat) -> str:
    """Return the banner: addresses, credentials, users and a command to try."""
    config = mock.config
    uids = [user.uid for user in mock.store.default.list_users(1, 1000)]
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
        "Browser": f"{mock.url or mock.https_url}/ (the dashboard)",
        "App": f"{config.app_id} (region {config.region}){others}",
        "Auth key": f"{' or '.join(config.auth_key)} (creates users and auth tokens)",
        "API key": f"{' or '.join(config.rest_api_key)} (full access)",
        "Users": (", ".join(uids[:_SHOWN_USERS]) or "none") + more,
        "CA": str(mock.ca_path or "none") + renewed,
    }
    for name, is_there in {"Proxy": mock.proxy_url, "Browser": config.dashboard}.items():
        if not is_there:
            del facts[name]
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

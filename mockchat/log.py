"""The log on stderr: a line for each request and record; it never blocks the server or grows."""

import asyncio
import json
import logging
import os
import select
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import TextIO

from mockchat.config import Config
from mockchat.core.clock import Clock
from mockchat.core.journal import Exchange
from mockchat.core.masking import masked_target
from mockchat.server import MockChat

_WALL = Clock()  # log lines have this machine's time, even if the mock's clock is frozen
_TIME, _DATE_AND_TIME = "%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"
_FLUSH_AFTER = 0.02  # seconds; one system call writes many log lines
_AT_ONCE = 32  # lines; more would keep the next request waiting while they are made
_MOST = 2**20  # characters that wait for stderr
_FAREWELL = 0.5  # seconds that stderr has to take the last lines


class Log:
    """The log of a server, as text or JSON."""

    def __init__(self, config: Config) -> None:
        is_json = config.log_format == "json"
        self._line = _json_line if is_json else _text_line
        self._time = _DATE_AND_TIME if is_json else _TIME
        self._has_requests = config.log_level in ("debug", "info")
        self._waiting: list[Exchange] = []
        self._is_due = False  # whether the lines that wait are to be flushed
        self._writer = Writer(_json_loss if is_json else _text_loss)
        handler = logging.StreamHandler(self._writer)
        text = logging.Formatter("%(asctime)s %(levelname)s %(message)s", _TIME)
        handler.setFormatter(_JsonRecords() if is_json else text)
        logging.basicConfig(level=config.log_level.upper(), handlers=[handler])

    def follow(self, mock: MockChat) -> None:
        """Log the requests of a server from now on, if the settings ask for it."""
        if self._has_requests:
            mock.observe(self._add)

    def _add(self, exchange: Exchange) -> None:
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_later(_FLUSH_AFTER, self._flush)
        self._waiting.append(exchange)
        if len(self._waiting) >= _AT_ONCE:
            self._write()

    def _write(self) -> None:
        now = _stamp(int(_WALL.now()), self._time)
        self._writer.write("".join([self._line(one, now) for one in self._waiting]))
        self._waiting.clear()

    def _flush(self) -> None:
        self._is_due = False
        self._write()
        self._writer.flush()

    def close(self) -> None:
        """Write the lines that wait, as far as stderr takes them in half a second."""
        self._flush()
        self._writer.close()


class Writer:
    """Writes to stderr in a thread of its own.

    Lines that stderr refuses, or does not take while others wait, are dropped and counted.
    `tell` makes the line that says how many, once stderr takes lines again.
    """

    def __init__(self, tell: Callable[[int], str]) -> None:
        self._tell = tell
        self._lines: deque[str] = deque()
        self.size = 0  # characters that wait, those being written among them
        self.dropped = 0  # lines, since stderr took some
        self._ended = False
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None

    def write(self, text: str) -> None:
        """Take whole lines, which `flush` writes."""
        with self._change:
            if self.size + len(text) > _MOST:
                self.dropped += text.count("\n")
                return
            self._lines.append(text)
            self.size += len(text)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="mockchat-log", daemon=True)
                self._thread.start()

    def flush(self) -> None:
        """Let the thread write the waiting lines as soon as it can."""
        with self._change:
            self._change.notify()

    def close(self, patience: float = _FAREWELL) -> None:
        """Wait for the last lines; a stderr that takes none is waited for some seconds."""
        with self._change:
            self._ended = True
            self._change.notify()
        if self._thread is not None:
            self._thread.join(patience)

    def _run(self) -> None:
        ended = False
        while not ended:
            with self._change:
                self._change.wait_for(lambda: self._lines or self._ended)
                text, dropped, ended = "".join(self._lines), self.dropped, self._ended
                self._lines.clear()
                self.dropped = lost = 0
            try:
                put(text + (self._tell(dropped) if dropped else ""), sys.stderr)
            except (OSError, ValueError):  # a full disk, a closed stream
                lost = dropped + text.count("\n")
            with self._change:
                self.dropped += lost
                self.size -= len(text)


def put(text: str, stream: TextIO) -> None:
    """Write to a stream at once; raise OSError or ValueError if it takes nothing."""
    handle = None
    with suppress(OSError):  # a stream of a test has none
        handle = stream.fileno()
    if handle is None:
        stream.write(text)
        stream.flush()
        return
    # Past Python's own buffer, whose lock the end of the process would wait for.
    rest = text.encode(errors="backslashreplace")
    while rest:
        try:
            rest = rest[os.write(handle, rest) :]
        except BlockingIOError:
            select.select([], [handle], [])


# --- lines ----------------------------------------------------------------------------------
_masked = lru_cache(maxsize=256)(masked_target)  # the paths of a client come again


@lru_cache(maxsize=1)
def _stamp(second: int, layout: str) -> str:
    return time.strftime(layout, time.localtime(second))


def _text_line(exchange: Exchange, now: str) -> str:
    # A call of the control API, which is in no journal, may be for every app.
    app = f" app={exchange.app_id}" if exchange.id else ""
    method, milliseconds = exchange.method, 1000 * exchange.seconds
    target = _masked(method, exchange.target)
    return f"{now} {method} {target} {exchange.outcome()}{app} {milliseconds:.1f}ms\n"


def _json_line(exchange: Exchange, now: str) -> str:
    fields = {
        "time": now,
        "method": exchange.method,
        "path": _masked(exchange.method, exchange.target),
        "status": exchange.status,
        "code": exchange.code,
        "operation": exchange.operation,
        "uid": exchange.uid,
        "app": exchange.app_id if exchange.id else None,
        "milliseconds": round(1000 * exchange.seconds, 1),
    }
    return json.dumps(fields) + "\n"


def _loss(count: int) -> str:
    return f"{count} log lines were dropped, for stderr did not take them"


def _text_loss(count: int) -> str:
    return f"{_stamp(int(_WALL.now()), _TIME)} WARNING {_loss(count)}\n"


def _json_loss(count: int) -> str:
    fields = {"time": _stamp(int(_WALL.now()), _DATE_AND_TIME), "level": "warning"}
    return json.dumps({**fields, "message": _loss(count)}) + "\n"


class _JsonRecords(logging.Formatter):
    """Other log records as JSON."""

    def format(self, record: logging.LogRecord) -> str:
        time_ = self.formatTime(record, _DATE_AND_TIME)
        fields = {"time": time_, "level": record.levelname.lower()}
        return json.dumps({**fields, "message": super().format(record)})

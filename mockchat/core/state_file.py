"""The state file: the contents of all apps, loaded at the start and saved after changes."""

import asyncio
import contextlib
import hashlib
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mockchat.core.snapshot import SnapshotError
from mockchat.core.store import Apps, Store

log = logging.getLogger("mockchat")

_FORMAT, _VERSION = "mockchat-state", 1
_MEMBERS = {"format", "version", "sha256", "apps"}
_DELAY = 0.5  # seconds from a change to the save, which has later changes, too
_RETRY = 5.0  # seconds between a failed save and the next
_MAX_SIZE = 2**30  # bytes


class StateFileError(Exception):
    """The state file cannot be used and stays as it is; the message has its name and the reason."""


class StateFile:
    """Saves a store within a second of every change and when it is closed.

    The file is always whole: a new one is written beside it, flushed to the disk and put in its
    place. A server that is killed leaves the old one or the new one.
    """

    def __init__(self, path: Path, store: Store, check: Callable[[Any], None]) -> None:
        """Make a file for a store; `check` raises SnapshotError for invalid contents."""
        self.path = path
        self._store = store
        self._check = check
        self._task: asyncio.Task[None] | None = None
        self._changed = False
        self._failed = False
        self._closing = asyncio.Event()

    def load(self) -> None:
        """Restore the store from the file, if there is one; raise StateFileError.

        It writes the file at once, so that a disk that refuses is found at the start.
        """
        try:
            self.path = self.path.expanduser().resolve()
            if self.path.is_symlink():  # newer Pythons raise nothing
                raise self._error("cannot be used: its links lead in a circle")
            if self.path.exists():
                self._store.restore(self._read())
            self._write(self._store.take())
        except OSError as error:
            raise self._error(f"cannot be used: {error.strerror or error}") from error
        except RuntimeError as error:  # no such home, or links in a circle
            raise self._error(f"cannot be used: {error}") from error

    def _error(self, reason: str) -> StateFileError:
        return StateFileError(f"--state {self.path}: {reason}")

    def _read(self) -> Apps:
        if not self.path.is_file():
            raise self._error("is no file")
        if self.path.stat().st_size > _MAX_SIZE:
            raise self._error("is too large to be a state file")
        try:
            text = self.path.read_bytes()
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise self._error(f"is damaged, or no state file: {error}") from error
        self._check_head(content, _digest(text))
        try:
            self._check(content["apps"])
            return self._store.checked(content["apps"])
        except SnapshotError as error:
            raise self._error(f"is damaged: {error}") from error

    def _check_head(self, content: Any, digest: str) -> None:
        if not isinstance(content, dict) or content.get("format") != _FORMAT:
            raise self._error("is no state file of mockchat; name another one")
        if content.get("version") != _VERSION:
            raise self._error(f"is of version {content.get('version')!r:.20}, not {_VERSION}")
        if unknown := content.keys() - _MEMBERS:
            raise self._error(f"is damaged: {min(unknown)!r:.40} is not known")
        if content.get("sha256", digest) != digest:
            raise self._error(
                "is damaged: it does not hold what was saved"
                " (if it was edited on purpose, take its sha256 out)"
            )
        if not isinstance(content.get("apps"), dict):
            raise self._error("is damaged: apps must be an object")

    # --- saving -------------------------------------------------------------------------
    def changed(self) -> None:
        """Note that something may have changed; it is saved within a second."""
        self._changed = True
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._save_soon())

    async def close(self) -> None:
        """Save what is not saved yet."""
        self._closing.set()
        if self._task is not None:
            await self._task

    async def _save_soon(self) -> None:
        while self._changed:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_RETRY if self._failed else _DELAY):
                    await self._closing.wait()
            was_last = self._closing.is_set()
            await self._save()
            if was_last and self._failed:
                return

    async def _save(self) -> None:
        self._changed = False
        try:
            await asyncio.to_thread(self._write, self._store.take())
        except OSError as error:
            if not self._failed or self._closing.is_set():  # one message, and one at the end
                log.error("the state was not saved to %s: %s", self.path, error)  # noqa: TRY400
            self._failed = self._changed = True
        else:
            if self._failed:
                log.warning("the state is saved to %s again", self.path)
            self._failed = False

    def _write(self, apps: Apps) -> None:
        beside = self.path.with_name(f".{self.path.name}.new")
        with beside.open("wb") as file:
            file.write(_text(apps))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)
        with contextlib.suppress(OSError):  # where folders cannot be opened
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def _text(apps: Apps) -> bytes:
    """Return the content of the file: a line with the digest of the rest, and one for each app."""
    members = (f"{json.dumps(app_id)}: {json.dumps(one)}" for app_id, one in apps.items())
    body = (",\n".join(members) + "\n}}\n").encode()
    first = {"format": _FORMAT, "version": _VERSION, "sha256": hashlib.sha256(body).hexdigest()}
    return f'{json.dumps(first)[:-1]}, "apps": {{\n'.encode() + body


def _digest(text: bytes) -> str:
    return hashlib.sha256(text.partition(b"\n")[2]).hexdigest()

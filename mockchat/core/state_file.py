"""The state file: all apps are loaded from it at the start and saved to it after changes."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from mockchat.core.changes import Change, Changes, StateFileError
from mockchat.core.snapshot import SnapshotError
from mockchat.core.state_database import (
    Database,
    UnusableError,
    is_foreign,
    read_json,
    reason_of,
    replace_json,
)
from mockchat.core.steps import finish
from mockchat.core.store import Apps, Store
from mockchat.core.sweep import Row, sweep

log = logging.getLogger("mockchat")

_DELAY = 0.02  # seconds from a change to the save, which has later changes, too
_RETRY = 1.0  # seconds between a failed save and the next
_PIECE = 200  # entities that are rendered before other requests have their turn
_LAST_PIECE = 5000  # the same at the stop, when there are none


class StateFile:
    """Saves a store within 50 ms of every change and when it is closed.

    A thread writes the changes, and nothing else, in one transaction: a server that is killed
    leaves all of them or none.
    """

    def __init__(self, path: Path, store: Store, check: Callable[[Any], None]) -> None:
        """Make a file for a store; `check` raises SnapshotError for invalid contents."""
        self.path = path
        self.error = ""  # why the last save failed
        self._store = store
        self._check = check
        self._changes, self._taken = Changes(self._changed), Changes()  # by the save that runs
        self._database = Database(path)
        self._thread = ThreadPoolExecutor(1, "mockchat-state")
        self._task: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    @property
    def is_saved(self) -> bool:
        """Whether the file has every change."""
        return not (self._changes or self._taken)

    # --- loading ------------------------------------------------------------------------
    def load(self) -> None:
        """Restore the store from the file, if there is one; raise StateFileError.

        It writes into the file at once, so that a disk that refuses is found at the start. The
        contents of a JSON file, as older versions kept it, move to a new file; the old one stays
        beside it.
        """
        try:
            self._find()
            self._load()
        except (OSError, RuntimeError, sqlite3.Error, SnapshotError, UnusableError) as error:
            self._database.close()
            raise self._no(reason_of(error)) from None

    def _find(self) -> None:
        self.path = self.path.expanduser().resolve()
        if self.path.is_symlink():  # newer Pythons raise nothing
            raise UnusableError("cannot be used: its links lead in a circle")
        if self.path.exists() and not self.path.is_file():
            raise UnusableError("is no file")
        self._database.path = self.path

    def _load(self) -> None:
        try:
            self._database.open()
        except sqlite3.DatabaseError as error:
            if not is_foreign(error):
                raise
            apps = read_json(self.path)
            self._restore(apps, stays=set(apps))
            for app in self._store.apps():
                self._changes.note(Change(app.key))
            old = replace_json(self.path, self._rows())
            log.warning("%s is a SQLite file from now on; %s is the JSON file", self.path, old)
            self._database.open()
        else:
            self._restore(*self._database.read())
        self._store.default.note_head()  # so that something is written
        self._database.begin()
        self._database.write(self._rows(), last=True)
        self._database.write_ahead()
        self._taken = Changes()

    def _restore(self, apps: Apps, stays: set[str]) -> None:
        """Let the store hold these apps, and track its changes; raise SnapshotError."""
        self._check(apps)
        if apps:
            finish(self._store.restoring(apps))
        self._store.trackers.append(self._changes)
        for app in self._store.apps():
            app.stays = app.id in stays or app is self._store.default
            if app.id not in apps:
                self._changes.note(Change(app.key))

    def _no(self, reason: str) -> StateFileError:
        return StateFileError(f"--state {self.path}: {reason}")

    # --- saving -------------------------------------------------------------------------
    def _changed(self) -> None:
        if self._database.is_open and (self._task is None or self._task.done()):
            with contextlib.suppress(RuntimeError):  # no loop runs while an application is made
                self._task = asyncio.get_running_loop().create_task(self._save_soon())

    async def close(self, on_progress: Callable[[], None] = lambda: None) -> None:
        """Save the last changes and unlock the file; raise StateFileError if it cannot.

        `on_progress` is called whenever something was saved.
        """
        go_on = partial(asyncio.get_running_loop().call_soon_threadsafe, on_progress)
        self._database.on_progress = go_on
        self._closing.set()
        if self._task is not None:
            await self._task
        await self._save()
        if self.error:  # such as that the file was removed: then the next one makes it
            await self._save()
        await self._in_thread(self._database.close)
        self._thread.shutdown()
        if self.error:
            raise self._no(f"the last changes are not saved: {self.error}")

    async def _save_soon(self) -> None:
        while self._changes and not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_RETRY if self.error else _DELAY):
                    await self._closing.wait()
            await self._save()

    async def _save(self) -> None:
        """Write all changes until there are no more, and commit them at that moment."""
        rows, last = self._rows(), False
        try:
            await self._in_thread(self._database.begin)
            while not last:
                size = _LAST_PIECE if self._closing.is_set() else _PIECE
                piece = list(islice(rows, size))
                last = len(piece) < size
                await self._in_thread(partial(self._database.write, piece, last=last))
        except (OSError, sqlite3.Error, UnusableError) as error:
            self._put_back()
            if not self.error:
                log.error("the state is not saved to %s: %s", self.path, error)  # noqa: TRY400
            self.error = str(error)
        else:
            if self.error:
                log.warning("the state is saved to %s again", self.path)
            self.error, self._taken = "", Changes()

    async def _in_thread(self, function: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, function)

    def _rows(self) -> Iterator[Row]:
        return sweep(self._changes, self._store.find, self._taken)

    def _put_back(self) -> None:
        """Note again the changes of a failed save; a file that was removed lacks everything."""
        while self._changes:
            self._taken.note(self._changes.pop())  # behind: entities are saved in their order
        while self._taken:
            self._changes.note(self._taken.pop())
        for app in () if self._database.is_open else self._store.apps():
            self._changes.note(Change(app.key))

"""The database of the state file: how it is opened, locked, checked, read and written."""

import contextlib
import hashlib
import json
import os
import sqlite3
import tempfile
import zlib
from collections.abc import Callable, Iterable
from itertools import chain, count
from pathlib import Path
from typing import Any

from mockchat.core.changes import HEAD, SECTION_NAMES
from mockchat.core.snapshot import Plain, SnapshotError
from mockchat.core.state_log import lost_bytes
from mockchat.core.steps import pieces
from mockchat.core.store import Apps
from mockchat.core.sweep import Row

_FORMAT = int.from_bytes(b"mock", "big")  # the application id in SQLite's header
_VERSION = 2
_TABLE = """CREATE TABLE entities (
    app TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, json TEXT NOT NULL,
    crc INTEGER NOT NULL, PRIMARY KEY (app, kind, id))"""
_PUT = (
    "INSERT INTO entities VALUES {}"
    " ON CONFLICT DO UPDATE SET json = excluded.json, crc = excluded.crc"
)
_DELETE = (  # by the index; `WHERE (app, kind, id) IN (VALUES …)` reads the whole table
    "WITH gone(app, kind, id) AS (VALUES {}) DELETE FROM entities WHERE rowid IN"
    " (SELECT entities.rowid FROM gone CROSS JOIN entities USING (app, kind, id))"
)
_AT_ONCE = 150  # rows of a statement; each statement waits until the other threads let it go on
_DELETE_SOME = (  # thousands take a second, and a stop has to see that it gets further
    "DELETE FROM entities WHERE rowid IN (SELECT rowid FROM entities WHERE app = ? LIMIT 5000)"
)
_SELECT = "SELECT app, kind, id, json, crc FROM entities ORDER BY rowid"
_JSON_MEMBERS = {"format", "version", "sha256", "apps"}  # of the files before SQLite
_UNUSABLE = (
    *(sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR),
    *(sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOLFS),
)


class UnusableError(Exception):
    """The file cannot be used, and stays as it is; the message has the reason."""


class Database:
    """One table with a row for each entity: its app, kind, id and JSON.

    While it is open no other process can use the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_open = False
        self.on_progress: Callable[[], object] = lambda: None  # called when something was written
        self._inode: int
        self._connection: sqlite3.Connection

    def open(self) -> None:
        """Open and lock the file; make it, or its table, if there is none.

        Raises UnusableError, OSError or sqlite3.Error.
        """
        if not self.path.exists():
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        self._inode, size = self.path.stat().st_ino, self.path.stat().st_size
        if size == 1:  # which SQLite takes for an empty file
            raise UnusableError("is no state file of mockchat; name another one")
        self._check_log()
        self._connection = sqlite3.connect(
            self.path, timeout=0, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare()
            with contextlib.suppress(PermissionError):  # a file of another owner
                self.path.chmod(0o600)
        except BaseException:
            self._connection.close()
            raise
        self.is_open = True

    def _check_log(self) -> None:
        log = self.path.with_name(f"{self.path.name}-wal")
        if self.path.stat().st_size and log.is_file() and (lost := lost_bytes(log.read_bytes())):
            raise UnusableError(
                f"is damaged: {lost} bytes of {log.name} cannot be read; copy both files, then"
                f" `sqlite3 {self.path.name} 'PRAGMA wal_checkpoint'` keeps the state before them"
            )

    def _prepare(self) -> None:
        execute = self._connection.execute
        execute("PRAGMA locking_mode = EXCLUSIVE")
        execute("BEGIN EXCLUSIVE")
        (tables,) = execute("SELECT count(*) FROM sqlite_master").fetchone()
        (format_,) = execute("PRAGMA application_id").fetchone()
        (version,) = execute("PRAGMA user_version").fetchone()
        if not tables and not format_:
            execute(_TABLE)
            execute(f"PRAGMA application_id = {_FORMAT}")
            execute(f"PRAGMA user_version = {_VERSION}")
        elif format_ != _FORMAT:
            raise UnusableError("is no state file of mockchat; name another one")
        elif version != _VERSION:
            raise UnusableError(f"is of version {version}, not {_VERSION}")
        execute("COMMIT")

    def write_ahead(self) -> None:
        """Write to a log beside the file from now on: a commit does not wait for the disk."""
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")

    def close(self) -> None:
        """Close and unlock the file."""
        if self.is_open:
            self.is_open = False
            self._connection.close()

    # --- reading ------------------------------------------------------------------------
    def read(self) -> tuple[Apps, set[str]]:
        """Return the apps in the file, and the ids of those that stay; raise UnusableError."""
        (found,) = self._connection.execute("PRAGMA integrity_check").fetchone()
        if found != "ok":
            raise UnusableError(f"is damaged: {' '.join(found.split())}")
        apps: dict[str, Plain] = {}
        for *texts, crc in self._connection.execute(_SELECT):
            app, section, name, text = texts
            are_texts = all(isinstance(one, str) for one in texts)  # a flipped bit makes bytes
            if not are_texts or crc != _crc(*texts) or section not in (*SECTION_NAMES, HEAD):
                raise UnusableError(f"is damaged: {section} {name} of {app} was not saved so")
            one = apps.setdefault(app, {kind: [] for kind in SECTION_NAMES})
            if section == HEAD:
                one.update(json.loads(text))
            else:
                one[section].append(json.loads(text))
        if without := [app for app, one in apps.items() if "id" not in one]:
            raise UnusableError(f"is damaged: {without[0]} is not complete")
        stays = {one["id"] for one in apps.values() if one.pop("stays")}
        return {one["id"]: one for one in apps.values()}, stays

    # --- writing ------------------------------------------------------------------------
    def begin(self) -> None:
        """Begin a transaction.

        Raises OSError if the file is not in its place; then the next call makes a new one.
        """
        is_there = self.path.exists()
        if is_there and self.path.stat().st_ino != self._inode:
            raise OSError("another file is in its place")
        if self.is_open and not is_there:
            self.close()
            raise OSError("the file was removed")
        if not self.is_open:
            self.open()
            self.write_ahead()
        if self._connection.in_transaction:  # which failed
            self._connection.execute("ROLLBACK")
        self._connection.execute("BEGIN")

    def write(self, rows: Iterable[Row], *, last: bool) -> None:
        """Write rows of a transaction; the last ones end it."""
        execute = self._connection.execute
        gone: dict[tuple[str, ...], tuple[str, ...]] = {}
        put: dict[tuple[str, ...], tuple[str | int, ...]] = {}
        for app, section, name, value in rows:
            if section is None:
                self._write(gone, put)
                while execute(_DELETE_SOME, (app,)).rowcount:
                    self.on_progress()
                continue
            key = (app, section, json.dumps(name)[1:-1])  # as SQLite takes no lone surrogates
            if value is None:
                gone[key] = key
                put.pop(key, None)  # what is put once more goes to the end
            else:
                text = json.dumps(value)
                put[key] = (*key, text, _crc(*key, text))
        self._write(gone, put)
        if last:
            execute("COMMIT")
        self.on_progress()

    def _write(self, *changes: dict[tuple[str, ...], Any]) -> None:
        """Delete the rows of the first changes, put those of the second, and empty both."""
        for statement, rows in zip((_DELETE, _PUT), changes, strict=True):
            values = list(rows.values())
            rows.clear()
            for some in pieces(values, _AT_ONCE):
                marks = ", ".join([f"({', '.join('?' * len(some[0]))})"] * len(some))
                self._connection.execute(statement.format(marks), list(chain(*some)))


def _crc(*values: str) -> int:
    return zlib.crc32("\0".join(values).encode())


def reason_of(error: Exception) -> str:
    """Return why a file cannot be used."""
    match error:
        case sqlite3.Error() if _code(error) == sqlite3.SQLITE_BUSY:
            return "another server uses it; stop that server, or name another file"
        case sqlite3.Error() if _code(error) in _UNUSABLE:
            return f"cannot be used: {error}"
        case sqlite3.Error() | SnapshotError():
            return f"is damaged: {error}"
        case OSError():
            return f"cannot be used: {error.strerror or error}"
        case RuntimeError():  # no such home, or links in a circle
            return f"cannot be used: {error}"
    return str(error)


def is_foreign(error: sqlite3.Error) -> bool:
    """Whether the file is of another kind."""
    return _code(error) == sqlite3.SQLITE_NOTADB


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF  # Python's own errors have none


# --- the format before SQLite ---------------------------------------------------------------
def read_json(path: Path) -> Apps:
    """Return the apps in a state file of JSON; raise UnusableError."""
    try:
        text = path.read_bytes()
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnusableError(f"is damaged, or no state file: {error}") from error
    digest = hashlib.sha256(text.partition(b"\n")[2]).hexdigest()
    if not isinstance(content, dict) or content.get("format") != "mockchat-state":
        raise UnusableError("is no state file of mockchat; name another one")
    if content.get("version") != 1:
        raise UnusableError(f"is of version {content.get('version')!r:.20}, not 1 or {_VERSION}")
    if unknown := content.keys() - _JSON_MEMBERS:
        raise UnusableError(f"is damaged: {min(unknown)!r:.40} is not known")
    if content.get("sha256", digest) != digest:
        raise UnusableError(
            "is damaged: it does not hold what was saved"
            " (if it was edited on purpose, take its sha256 out)"
        )
    if not isinstance(content.get("apps"), dict):
        raise UnusableError("is damaged: apps must be an object")
    apps: Apps = content["apps"]
    return apps


def replace_json(path: Path, rows: Iterable[Row]) -> Path:
    """Put a database of these rows in the place of a file; return the file's new path."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        with contextlib.closing(Database(Path(folder, path.name))) as beside:
            beside.begin()
            beside.write(rows, last=True)
        old = _kept(path)
        beside.path.replace(path)
    return old


def _kept(path: Path) -> Path:
    """Return another path of the same file, which nothing else has."""
    names = (path.with_name(f"{path.name}.json{number}") for number in count(1))
    old = next(name for name in names if not os.path.lexists(name))
    os.link(path, old)
    old.chmod(0o600)
    return old

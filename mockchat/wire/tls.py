"""TLS: the own CA, made once and kept, and the certificate that covers every useful name."""

import contextlib
import json
import os
import socket
import ssl
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mockchat.wire.hosts import REGIONS, SERVICES

_DAY = 24 * 60 * 60
_LEAF_LIFE = 397 * _DAY  # Apple's platforms refuse leaves that live longer than 825 days
_RENEW_BEFORE = 30 * _DAY
_CA_FILE, _CA_BUNDLE, _LEAF_FILE = "ca.pem", "ca-key.pem", "leaf.pem"
_LEAF_NOTE = "leaf.json"  # which names the leaf covers and until when: read without a parser


class TlsError(Exception):
    """The certificates cannot be used; says which file and why."""


@dataclass(frozen=True, slots=True)
class Tls:
    """A server's TLS context, and the CA that clients are to trust (none for a brought one)."""

    context: ssl.SSLContext
    ca_path: Path | None


def cache_dir() -> Path:
    """Return mockchat's folder in the user's cache."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
    else:
        base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "mockchat"


def brought(cert: str, key: str) -> Tls:
    """Return the TLS of a user's own certificate; raise TlsError where it cannot be loaded."""
    for path in (cert, key):
        if not Path(path).is_file():
            raise TlsError(f"{path}: no such certificate file")
    return Tls(_context(cert, key), None)


def own(folder: Path, extra_names: tuple[str, ...], now: float) -> Tls:
    """Return the TLS of the own CA in `folder`, which is made where it is missing.

    The CA stays the same for good. The leaf stays while it covers the names and is not about to
    expire. Raises TlsError where the folder cannot be written or holds a damaged CA.
    """
    names = _names(extra_names)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        note = _read_note(folder / _LEAF_NOTE)
        fresh = note.get("until", 0) > now + _RENEW_BEFORE and set(names) <= set(note["names"])
        if fresh and (folder / _CA_FILE).is_file():
            with contextlib.suppress(TlsError):  # a damaged leaf is made anew below
                return Tls(_context(str(folder / _LEAF_FILE)), folder / _CA_FILE)
        _issue(folder, names, now)
    except OSError as error:
        raise TlsError(f"{folder}: cannot keep the CA here: {error.strerror}") from None
    return Tls(_context(str(folder / _LEAF_FILE)), folder / _CA_FILE)


def _names(extra: tuple[str, ...]) -> list[str]:
    live = [f"{name}-{region}.cometchat.io" for name in SERVICES for region in REGIONS]
    return [
        *("localhost", "127.0.0.1", "::1", "10.0.2.2", "host.docker.internal"),
        *(name for name in (socket.gethostname(),) if name),
        *(f"*.{name}" for name in live),
        *live,
        *("api.cometchat.com", "kohoutek.cometchat.com"),  # the hosts of the 1.x SDKs
        *extra,
    ]


def _read_note(path: Path) -> dict[str, Any]:
    try:
        note = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) and isinstance(note.get("names"), list) else {}


def _context(cert: str, key: str | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(cert, key)
    except (OSError, ssl.SSLError) as error:
        raise TlsError(f"{cert}: cannot be used as a certificate: {error}") from None
    return context


def _issue(folder: Path, names: list[str], now: float) -> None:
    import datetime as dt  # noqa: PLC0415  # needed at the first start only, as is trustme

    import trustme  # noqa: PLC0415

    bundle = folder / _CA_BUNDLE
    if not bundle.is_file():
        made = trustme.CA(organization_name="mockchat")
        content = made.private_key_pem.bytes() + made.cert_pem.bytes()
        with contextlib.suppress(FileExistsError):  # another start was faster: its CA it is
            _write(bundle, content, replace=False)
    pem = bundle.read_bytes()
    try:
        ca = trustme.CA.from_pem(cert_bytes=pem, private_key_bytes=pem)
    except (ValueError, TypeError) as error:
        raise TlsError(
            f"{bundle}: the CA is damaged ({error}); delete {folder} to have a new one made"
        ) from None
    until = now + _LEAF_LIFE
    leaf = ca.issue_cert(*names, not_after=dt.datetime.fromtimestamp(until, dt.UTC))
    _write(folder / _LEAF_FILE, leaf.private_key_and_cert_chain_pem.bytes())
    _write(folder / _CA_FILE, ca.cert_pem.bytes(), mode=0o644)
    _write(folder / _LEAF_NOTE, json.dumps({"until": int(until), "names": names}).encode())


def _write(path: Path, content: bytes, *, mode: int = 0o600, replace: bool = True) -> None:
    """Write a whole file at once; without `replace` raise FileExistsError for one that is there."""
    handle, draft = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(draft).chmod(mode)
        if replace:
            os.replace(draft, path)  # noqa: PTH105
        else:
            os.link(draft, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(draft)  # noqa: PTH108

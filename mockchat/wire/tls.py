"""TLS: the own CA, made once and kept, and the certificate that covers every useful name."""

import contextlib
import hashlib
import json
import logging
import os
import re
import socket
import ssl
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from mockchat.core.words import AdviceError
from mockchat.wire.ca import Authority, address_of, make
from mockchat.wire.hosts import DOMAINS, FIRST_HOSTS, REGIONS, SERVICES, is_live
from mockchat.wire.plain_http import ForgivingContext

log = logging.getLogger("mockchat.tls")

_DAY = 24 * 60 * 60
_LEAF_LIFE = 397 * _DAY  # Apple's platforms refuse leaves that live longer than 825 days
_RENEW_BEFORE = 30 * _DAY
# The key and certificate of the CA are one file, so that nobody ever sees half of a new one.
_CA_FILE, _CA_BUNDLE, _LEAF_FILE = "ca.pem", "ca-key.pem", "leaf.pem"
_NAMES_FILE = "leaf-names.pem"
_LIMITED = "limited"  # of a CA that is limited to names, as older ones were not
_LONGEST_NAME = 253
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST_NAME = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*")
MOST_LEAVES = 256
_CERTIFICATE = "-----BEGIN CERTIFICATE-----"


class TlsError(AdviceError):
    """The certificates cannot be used; says which file and why."""


class Tls(NamedTuple):
    """A server's TLS context, and the CA that clients are to trust (none for a brought one)."""

    context: ssl.SSLContext
    ca_path: Path | None
    renewed: str = ""  # why clients must trust a new CA instead of the one that was here


class _Note(NamedTuple):
    """The first line of the leaf's file, which spares each start parsing the certificate."""

    ca: str = ""  # which CA signed it
    until: float = 0
    names: tuple[str, ...] = ()


def folder(ca_dir: str | None = None) -> Path:
    """Return the folder of the CA; raise TlsError for a user without a home.

    Without `ca_dir` it is mockchat's folder in the user's cache.
    """
    base = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME")
    path = Path(ca_dir) if ca_dir else Path(base or "~/.cache") / "mockchat"
    try:
        return path.expanduser()
    except RuntimeError:
        raise TlsError(f"{path}: this user has no home folder; name one by --ca-dir") from None


def brought(cert: str, key: str) -> Tls:
    """Return the TLS of a user's own certificate; raise TlsError where it cannot be loaded."""
    for path in (cert, key):
        if not Path(path).is_file():
            raise TlsError(f"{path}: no such certificate file")
    return Tls(_context(Path(cert), key), None)


def own(folder: Path, extra_names: tuple[str, ...], now: float) -> Tls:
    """Return the TLS of the own CA in `folder`, which is made where it is missing.

    The CA is made anew where it is not limited to names, does not cover one, or is about to end.
    The leaf stays while it covers the names and is not about to expire. Raises TlsError where the
    folder cannot be written or holds a damaged CA.
    """
    for name in extra_names:
        if not _is_coverable(name):
            raise TlsError(f"--tls-host {name}: is no name that a certificate can cover")
    names = _names(extra_names)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if found := _kept(folder, names, now):
            return found
        with _alone(folder):  # of servers that start at once, the first makes the files for all
            if found := _kept(folder, names, now):
                return found
            renewed = _issue(folder, names, now)
            return _load(folder, _read_note(folder / _LEAF_FILE), now, renewed)
    except OSError as error:
        user = f"user {os.getuid()}" if hasattr(os, "getuid") else "this user"
        raise TlsError(
            f"{folder}: cannot keep the CA here: {error.strerror}; let {user} read and write the"
            " folder and its files, or name another one by --ca-dir"
        ) from None


def _kept(folder: Path, names: Iterable[str], now: float) -> Tls | None:
    """Return the TLS of the leaves in the folder if they will do."""
    note, ca = _read_note(folder / _LEAF_FILE), _read_ca(folder)
    if not ca or note.ca != _digest(ca) or note.until < now + _RENEW_BEFORE:
        return None
    if not set(names) <= set(note.names) or _read_note(folder / _NAMES_FILE) != note:
        return None
    if _read(folder / _CA_FILE) != ca:
        _write(folder / _CA_FILE, ca, 0o644)
    with contextlib.suppress(TlsError):  # a damaged leaf is made anew
        return _load(folder, note, now)
    return None


def _load(folder: Path, note: _Note, now: float, renewed: str = "") -> Tls:
    context = _context(folder / _LEAF_FILE)
    leaves = _Leaves(folder, _context(folder / _NAMES_FILE), note, now)
    context.sni_callback = leaves.choose
    return Tls(context, folder / _CA_FILE, renewed)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one start at a time into the block; Windows knows no such lock."""
    try:
        import fcntl  # noqa: PLC0415
    except ImportError:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a mount without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _names(extra: Iterable[str]) -> list[str]:
    live = [f"*.{name}-{region}.{DOMAINS[0]}" for name in SERVICES for region in REGIONS]
    own = ("localhost", "127.0.0.1", "::1", "10.0.2.2", "host.docker.internal")
    return [*own, *(f"*.{domain}" for domain in DOMAINS), *live, *FIRST_HOSTS, *extra]


class _Leaves:
    """The leaf for each client: one that names a host gets a leaf without IP addresses.

    Mono knows no constraints of addresses, and refuses a leaf that has some under a CA that has.
    Further live names get a leaf when a client comes by one. The live service has more services,
    domains and regions than one certificate can name.
    """

    def __init__(self, folder: Path, by_name: ssl.SSLContext, note: _Note, now: float) -> None:
        self._folder, self._by_name, self._now, self._until = folder, by_name, now, note.until
        self._covered = {name for name in note.names if name.startswith("*.")}
        self._contexts: dict[str, ssl.SSLContext] = {}

    def choose(self, handshake: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        """Give a handshake the leaf that covers the name which the client asks for."""
        if name is None:
            return
        handshake.context = self._by_name
        wanted = "*." + name.lower().partition(".")[2]
        if wanted in self._covered or not is_live(name.lower()):
            return
        try:
            if wanted not in self._contexts and len(self._contexts) < MOST_LEAVES:
                self._contexts[wanted] = self._made(wanted)
        except (OSError, ValueError, TlsError) as error:
            log.warning("no certificate for %s: %s", name, error)
        if found := self._contexts.get(wanted):
            handshake.context = found

    def _made(self, wanted: str) -> ssl.SSLContext:
        ca = Authority(_read(self._folder / _CA_BUNDLE))
        leaf = ca.leaf([wanted], self._now, self._until).private_key_and_cert_chain_pem
        with leaf.tempfile(dir=str(self._folder)) as path:  # no other folder need be writable
            return _context(Path(path))


def _is_coverable(name: str) -> bool:
    is_name = len(name) <= _LONGEST_NAME and _HOST_NAME.fullmatch(name)
    return bool(is_name) or address_of(name) is not None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _read_ca(folder: Path) -> bytes:
    """Return the certificate of the CA, which stands behind its key."""
    key, mark, certificate = _read(folder / _CA_BUNDLE).partition(_CERTIFICATE.encode())
    return mark + certificate if key else b""


def _digest(certificate: bytes) -> str:
    return hashlib.sha256(certificate).hexdigest()


def _read_note(leaf: Path) -> _Note:
    line = _read(leaf).partition(b"\n")[0]
    try:
        ca, until, names, kind = json.loads(line.removeprefix(b"#"))
        if kind != _LIMITED:
            return _Note()
        return _Note(str(ca), float(until), tuple(map(str, names)))
    except (ValueError, TypeError):
        return _Note()


def _context(cert: Path, key: str | None = None) -> ssl.SSLContext:
    def refuse_to_ask() -> str:
        raise TlsError(f"{key or cert}: is locked with a pass phrase; give a key that is not")

    context = ForgivingContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(cert, key, password=refuse_to_ask)
    except (OSError, ssl.SSLError) as error:
        raise TlsError(f"{cert}: cannot be used as a certificate: {error}") from None
    return context


def _issue(folder: Path, names: Iterable[str], now: float) -> str:
    """Make the leaves, and the CA where there is no good one; return why it was made anew."""
    noted = _read_note(folder / _LEAF_FILE).names
    # The name of this machine is a courtesy: it may be any, and new in every container.
    wanted = list(filter(_is_coverable, dict.fromkeys((*names, *noted, socket.gethostname()))))
    ca, renewed = _authority(folder / _CA_BUNDLE, names, wanted, now)
    covered, until = list(filter(ca.permits, wanted)), min(now + _LEAF_LIFE, ca.until)
    hosts = [name for name in covered if address_of(name) is None]
    certificate = _read_ca(folder)
    note = f"#{json.dumps([_digest(certificate), until, covered, _LIMITED])}\n".encode()
    _write(folder / _CA_FILE, certificate, 0o644)
    for file, some in ((_NAMES_FILE, hosts), (_LEAF_FILE, covered)):
        leaf = ca.leaf(some, now, until).private_key_and_cert_chain_pem.bytes()
        _write(folder / file, note + leaf)
    return renewed


def _authority(
    bundle: Path, needed: Iterable[str], wanted: Iterable[str], now: float
) -> tuple[Authority, str]:
    """Return the CA, and why it was made anew; raise TlsError where it is damaged."""
    why = ""
    if bundle.is_file():
        try:
            found = Authority(_read(bundle))
        except (ValueError, TypeError) as error:
            raise TlsError(
                f"{bundle}: the CA is damaged ({error}); delete {bundle.parent} to have a new one"
                " made"
            ) from None
        outside = [name for name in needed if not found.permits(name)]
        if not found.is_limited:
            why = "the old one could sign for any name"
        elif found.until < now + _RENEW_BEFORE:
            why = "the old one was about to end"
        elif outside:
            why = f"the old one does not cover {outside[0]}"
        else:
            return found, ""
        log.warning("the CA in %s is new: %s; trust it where the old one was", bundle.parent, why)
    _write(bundle, make(wanted, now))
    return Authority(_read(bundle)), why


def _write(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a draft beside a file and replace it, so that nobody reads half of it."""
    handle, name = tempfile.mkstemp(dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        draft.chmod(mode)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)

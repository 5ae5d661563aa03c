"""The environment of a test: variables and host names that lead to a server, and its CA."""

import contextlib
import os
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

# An address of loopback that nothing else uses. Some clients resolve a name and look up its port
# later, so the port is changed when they connect.
_HERE = "127.77.67.1"
_LOOPBACK = ("localhost", "127.0.0.1")
# Variables that add CAs to the system's, and variables that replace the system's CAs.
_ADDING = ("NODE_EXTRA_CA_CERTS", "DENO_CERT")
_REPLACING = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


# --- variables ------------------------------------------------------------------------------
@contextlib.contextmanager
def in_environment(facts: Mapping[str, str | None]) -> Iterator[None]:
    """Give this process, and those that it starts, the environment of `environment` in a block."""
    from unittest.mock import patch  # noqa: PLC0415  # `exec` needs none

    with contextlib.ExitStack() as end:
        folder = Path(end.enter_context(TemporaryDirectory(prefix="mockchat-")))
        end.enter_context(patch.dict(os.environ, environment(facts, folder), clear=True))
        yield


def environment(
    facts: Mapping[str, str | None], folder: Path, environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return the environment of programs that use a server; `folder` takes CA files.

    `facts` are the MOCKCHAT_* variables of the server; those that are None are unset.
    """
    found = {name: value for name, value in environ.items() if name not in facts}
    found |= {name: value for name, value in facts.items() if value is not None}
    ca = facts["MOCKCHAT_CA"]
    found |= dict(_trust(Path(ca), folder, environ)) if ca else {}
    return {**found, **dict(_proxies(facts["MOCKCHAT_PROXY_URL"], environ))}


def _proxies(url: str | None, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the variables that make programs use no proxy but mockchat's own."""
    for name in ("NO_PROXY", "no_proxy"):
        others = environ.get(name, "")
        yield name, others if others == "*" else ",".join(filter(None, (others, *_LOOPBACK)))
    if url is not None:
        yield "NODE_USE_ENV_PROXY", "1"
        for name in ("HTTPS_PROXY", "https_proxy"):
            yield name, url


def _trust(ca: Path, folder: Path, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the variables that make programs trust the CA and every CA they trust already.

    A variable that replaces the system's CAs is set only if those are in a known file.
    """
    system = ssl.get_default_verify_paths().cafile
    for name in (*_ADDING, *_REPLACING):
        others = environ.get(name) or (system if name in _REPLACING else None)
        if others is None and name in _ADDING:
            yield name, str(ca)
        elif others is not None:
            with contextlib.suppress(OSError):  # a folder or a missing file: keep the variable
                bundle = folder / f"{name.lower()}.pem"
                bundle.write_bytes(Path(others).read_bytes() + b"\n" + ca.read_bytes())
                yield name, str(bundle)


# --- live host names ------------------------------------------------------------------------
@contextlib.contextmanager
def live_names(
    is_live: Callable[[str], bool], urls: Mapping[int, str | None], ca: Path | None
) -> Iterator[None]:
    """Lead the live names of this process to a server on this machine.

    `urls` are the server's, by the port of the live service. Clients that use Python's `socket`
    and `ssl` trust the server's CA for them: requests, httpx, aiohttp. uvloop resolves names by
    itself and is not led.
    """
    from unittest.mock import patch  # noqa: PLC0415  # `exec` needs none

    def leads(host: Any) -> bool:
        name = host.decode(errors="replace") if isinstance(host, bytes) else host
        return isinstance(name, str) and is_live(name.lower().rstrip("."))

    ports = {port: urlsplit(url or "").port for port, url in urls.items()}
    with contextlib.ExitStack() as end:
        end.enter_context(patch.object(socket, "getaddrinfo", _resolving(leads)))
        end.enter_context(patch.object(socket.socket, "connect", _connecting(ports)))
        for name in ("wrap_socket", "wrap_bio") if ca else ():
            wrapped = _trusting(getattr(ssl.SSLContext, name), leads, str(ca))
            end.enter_context(patch.object(ssl.SSLContext, name, wrapped))
        yield


def _resolving(leads: Callable[[Any], bool]) -> Callable[..., Any]:
    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *rest: Any, **options: Any) -> Any:
        if not leads(host):
            return resolve(host, port, *rest, **options)
        return resolve(_HERE, port, type=socket.SOCK_STREAM)

    return getaddrinfo


def _connecting(ports: dict[int, int | None]) -> Callable[..., None]:
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[0] == _HERE:
            port = ports.get(address[1])
            if port is None:
                raise ConnectionRefusedError(f"mockchat serves no port {address[1]} here")
            address = ("127.0.0.1", port)
        connect(self, address)

    return connect_here


def _trusting(
    wrap: Callable[..., Any], leads: Callable[[Any], bool], ca: str
) -> Callable[..., Any]:
    def wrapped(self: ssl.SSLContext, *rest: Any, **options: Any) -> Any:
        if leads(options.get("server_hostname")):
            self.load_verify_locations(ca)
        return wrap(self, *rest, **options)

    return wrapped

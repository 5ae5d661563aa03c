"""Live names: inside a block, the host names of the live service lead to a server of the test."""

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

# An address of loopback that nothing else uses. Some clients resolve a name and look up its port
# later, so the port is changed when they connect.
_HERE = "127.77.67.1"


@contextlib.contextmanager
def live_names(
    is_live: Callable[[str], bool], ports: dict[int, int | None], ca: Path | None
) -> Iterator[None]:
    """Lead the live names of this process to a server on this machine.

    `ports` are the server's, by the port of the live service. Clients that use Python's `socket`
    and `ssl` trust the server's CA for them: requests, httpx, aiohttp. uvloop resolves names by
    itself and is not led.
    """

    def leads(host: Any) -> bool:
        name = host.decode(errors="replace") if isinstance(host, bytes) else host
        return isinstance(name, str) and is_live(name.lower().rstrip("."))

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

"""The client of a running server: how commands find it, ask it and read its refusals."""

import argparse
import ipaddress
import json
import os
import ssl
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

from mockchat import config
from mockchat.commands import CommandError, UsageError
from mockchat.commands.show import add_json_option, printable, sentence

PATIENCE = 60.0  # seconds that a server has to answer
_PREFIX = "/_mock"
_ABSENT = argparse.SUPPRESS  # an option given before an action is not undone behind it
_VARIABLES = {
    "url": "MOCKCHAT_URL",
    "app": "MOCKCHAT_APP",
    "control_token": config.variable("control_token"),
    "ca": "MOCKCHAT_CA",
}


class UnreachableError(CommandError):
    """No mockchat answers at the address."""


class RefusedError(CommandError):
    """The server said no; says what it said."""


def add_server_options(parser: argparse.ArgumentParser, *, of_apps: bool = True) -> None:
    """Declare how the server is found, which app is meant and whether JSON is printed."""
    group = parser.add_argument_group("the server")
    group.add_argument(
        "--url",
        default=_ABSENT,
        help=f"its address (default: {own_url()}; {_VARIABLES['url']})",
    )
    if of_apps:
        group.add_argument(
            "--app",
            metavar="ID",
            default=_ABSENT,
            help=f"the app that is meant (default: all of them; {_VARIABLES['app']})",
        )
        group.add_argument(
            "--control-token",
            metavar="TOKEN",
            default=_ABSENT,
            help=f"what its control API asks for (default: none; {_VARIABLES['control_token']})",
        )
        group.add_argument(
            "--ca",
            metavar="FILE",
            default=_ABSENT,
            help=f"CA to trust (default: the system's, and none for loopback; {_VARIABLES['ca']})",
        )
    add_json_option(parser)


def add_actions(
    parser: argparse.ArgumentParser, actions: Mapping[str, str]
) -> dict[str, argparse.ArgumentParser]:
    """Declare a command's actions, the first of which is meant where none is named."""
    usual = next(iter(actions))
    title = parser.add_subparsers(
        title=f"actions (else {usual})", metavar="ACTION", dest="action", prog=parser.prog
    )
    parser.set_defaults(action=usual)
    parsers = {}
    for name, does in actions.items():
        parsers[name] = title.add_parser(name, help=does, description=sentence(does))
        add_server_options(parsers[name])
    add_server_options(parser)
    return parsers


def option(arguments: argparse.Namespace, name: str) -> str:
    """Return what an option or, without it, its variable says, else nothing."""
    given = getattr(arguments, name, None)
    return str(os.environ.get(_VARIABLES[name], "") if given is None else given)


def own_url() -> str:
    """Return where the server is if no flag says it, by the variables of server and clients."""
    if url := os.environ.get(_VARIABLES["url"]):
        return url
    given = config.in_environment(os.environ)
    port = given.get("port", "8080")
    if port != "off":
        return f"http://127.0.0.1:{port}"
    return f"https://127.0.0.1:{given.get('https_port', '8443')}"


class Remote:
    """A running server, and the app of it that a command is about (none: all of them)."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.url = (getattr(arguments, "url", None) or own_url()).rstrip("/")
        self.app = option(arguments, "app")
        self._token = option(arguments, "control_token")
        self._ca = option(arguments, "ca")

    def control(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        timeout: float = PATIENCE,
    ) -> Any:
        """Return what the control API answers; raise RefusedError or UnreachableError."""
        given = {**(query or {}), "app": self.app or None}
        words = {name: value for name, value in given.items() if value is not None}
        target = f"{_PREFIX}{path}{'?' if words else ''}{urlencode(words)}"
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        return self._json(method, target, body, headers, timeout)

    def emulated(self, method: str, path: str, body: Any, api_key: str) -> Any:
        """Return the `data` that the emulated API answers a back end."""
        headers = {"apikey": api_key, **({"appId": self.app} if self.app else {})}
        return self._json(method, f"/v3{path}", body, headers, PATIENCE)["data"]

    def fetch(self, path: str, *, timeout: float = PATIENCE) -> bytes:
        """Return the bytes of what is open to everybody, whoever signed the certificate.

        Nothing secret is sent, and the CA comes this way that makes verifying possible.
        """
        return self._send(_Ask("GET", f"{_PREFIX}{path}", None, {}), timeout, verify=False)

    def _json(
        self, method: str, target: str, body: Any, headers: dict[str, str], timeout: float
    ) -> Any:
        content = None if body is None else json.dumps(body).encode()
        ask = _Ask(method, target, content, {**headers, "Content-Type": "application/json"})
        verify = bool(self._ca) or not is_loopback(self.url)
        try:
            return json.loads(self._send(ask, timeout, verify=verify))
        except ValueError:
            raise UnreachableError(f"{self.url} answers, but is no mockchat") from None

    def _send(self, ask: "_Ask", timeout: float, *, verify: bool) -> bytes:
        # A mock is on this machine or beside it: what proxy this machine uses is not for it.
        opener = build_opener(ProxyHandler({}), HTTPSHandler(context=self._trust(verify=verify)))
        try:
            with opener.open(ask.request(self.url), timeout=timeout) as answer:
                content: bytes = answer.read()
                return content
        except HTTPError as error:
            with error:
                hint = error.headers.get("X-Mock-Hint", "")
                raise self._refusal(error.code, error.read(), hint) from None
        except (OSError, ValueError, HTTPException) as error:
            text = f"no server answers at {printable(self.url)}: {_reason(error)}"
            raise UnreachableError(f"{text}{_advice(error)}") from None

    def _trust(self, *, verify: bool) -> ssl.SSLContext:
        if not verify or not self.url.startswith("https:"):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # without the system's CAs: they cost
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            return context
        try:
            return ssl.create_default_context(cafile=self._ca or None)
        except OSError as error:
            raise UsageError(f"--ca {self._ca}: cannot be used: {error}") from None

    def _refusal(self, status: int, content: bytes, hint: str) -> CommandError:
        try:
            error = json.loads(content)["error"]
            details = [text for texts in error.get("details", {}).values() for text in texts]
            said = f"{' '.join(details) or error['message']} ({error['code']})"
        except (ValueError, LookupError, TypeError, AttributeError):
            return UnreachableError(f"{self.url} answers {status}, but is no mockchat")
        return RefusedError(printable(said) + (f"\n  hint: {printable(hint)}" if hint else ""))


class _Ask(NamedTuple):
    """A request, whatever server it is for."""

    method: str
    target: str
    content: bytes | None
    headers: dict[str, str]

    def request(self, url: str) -> Request:
        """Return it for the server at this address; raise ValueError for what is no address."""
        if not url.startswith(("http://", "https://")):
            raise ValueError("an address is like http://127.0.0.1:8080")
        return Request(f"{url}{self.target}", self.content, self.headers, method=self.method)  # noqa: S310  # looked at


def is_loopback(url: str) -> bool:
    """Whether an address can only mean this machine."""
    try:
        name = urlsplit(url).hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def path_of(*segments: str) -> str:
    """Return a path of segments, whatever they hold."""
    return "".join(f"/{quote(segment, safe='')}" for segment in segments)


def _reason(error: Exception) -> str:
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, OSError) and cause.strerror and not isinstance(cause, ssl.SSLError):
        return cause.strerror
    return printable(str(cause))


def _advice(error: Exception) -> str:
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return "; name its CA by --ca FILE (`mockchat ca --url URL` fetches it)"
    if isinstance(cause, ConnectionRefusedError):
        return "; start one (`mockchat serve`) or name another by --url"
    return ""

"""The client of a running server, and the one function that runs a row of the table."""

import argparse
import ipaddress
import json
import os
import ssl
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

from mockchat import config
from mockchat.commands import UsageError
from mockchat.commands.settings import tell_strangers
from mockchat.commands.show import printable, tell
from mockchat.commands.table import Action
from mockchat.core.ids import camel
from mockchat.core.words import AdviceError

TIMEOUT = 60.0  # seconds that the server has to answer
_CONTROL, _EMULATED = "/_mock", "/v3/"


class UnreachableError(AdviceError):
    """No mockchat answers at the address."""


class RefusedError(AdviceError):
    """The server refused the request; the message is the server's."""


# --- a row of the table ---------------------------------------------------------------------
def run(action: Action, arguments: argparse.Namespace) -> int:
    """Send the request of an action and print the answer; return the exit status."""
    return tell(arguments, ask(action, arguments), action.shows)


def ask(
    action: Action, arguments: argparse.Namespace, body: Any = None, timeout: float = TIMEOUT
) -> Any:
    """Return the answer to an action's request; the body comes from the arguments if not given."""
    values = vars(arguments)
    method, template = action.request.split()
    path = template.format_map({name: quote(str(it), safe="") for name, it in values.items()})
    if body is None:
        keys = [one.key for one in action.arguments if f"{{{one.key}}}" not in template]
        keys = [key for key in keys if key != "api_key" and values[key] not in (None, False)]
        body = {**(action.body or {}), **{camel(key): values[key] for key in keys}} or None
    remote = Remote(arguments)
    if path.startswith(_EMULATED):
        return remote.emulated(method, path, body, arguments.api_key)
    return remote.control(method, path, body, timeout=timeout)


# --- the client -----------------------------------------------------------------------------
def default_url() -> str:
    """Return the address that the variables of clients and server name."""
    if url := os.environ.get("MOCKCHAT_URL"):
        return url
    given = config.in_environment(os.environ)
    port = given.get("port", "8080")
    if port != "off":
        return f"http://127.0.0.1:{port}"
    return f"https://127.0.0.1:{given.get('https_port', '8443')}"


class Remote:
    """A running server, and the app that a command is about (none: all apps)."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        def option(name: str) -> str:
            given = getattr(arguments, name, None)
            return str(os.environ.get(f"MOCKCHAT_{name.upper()}", "") if given is None else given)

        tell_strangers(os.environ)
        self.url = (getattr(arguments, "url", None) or default_url()).rstrip("/")
        self.app = option("app")
        self._token = option("control_token")
        self._ca = option("ca")

    def control(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Any = None,
        timeout: float = TIMEOUT,
    ) -> Any:
        """Return the answer of the control API; raise RefusedError or UnreachableError."""
        given = {**(query or {}), "app": self.app or None}
        words = {name: value for name, value in given.items() if value is not None}
        target = f"{_CONTROL}{path}{'?' if words else ''}{urlencode(words)}"
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        return self._json(method, target, body, headers, timeout)

    def emulated(self, method: str, path: str, body: Any, api_key: str | None) -> Any:
        """Return the `data` of the emulated API's answer to a back end."""
        if api_key is None:
            keys = os.environ.get(config.variable("rest_api_key"), "")
            api_key = keys.partition(",")[0].strip() or config.Config.rest_api_key[0]
        headers = {"apikey": api_key, **({"appId": self.app} if self.app else {})}
        return self._json(method, path, body, headers, TIMEOUT)["data"]

    def fetch(self, path: str, *, timeout: float = TIMEOUT) -> str:
        """Return the text of a page that needs no token, without verifying the certificate.

        Nothing secret is sent, and the CA that makes verifying possible comes this way.
        """
        content = self._send(Request(self._address(_CONTROL + path)), timeout, verify=False)  # noqa: S310  # checked
        return content.decode(errors="replace").rstrip()

    def _json(
        self, method: str, target: str, body: Any, headers: dict[str, str], timeout: float
    ) -> Any:
        content = None if body is None else json.dumps(body).encode()
        headers = {**headers, "Content-Type": "application/json"}
        request = Request(self._address(target), content, headers, method=method)  # noqa: S310  # checked
        verify = bool(self._ca) or not is_loopback(self.url)
        try:
            return json.loads(self._send(request, timeout, verify=verify))
        except ValueError:
            raise UnreachableError(f"{self.url} answers, but is not mockchat") from None

    def _address(self, target: str) -> str:
        try:
            if urlsplit(self.url).scheme in ("http", "https"):
                return self.url + target
        except ValueError:
            pass
        told = "is no http:// or https:// address; one looks like http://127.0.0.1:8080"
        raise UnreachableError(f"{printable(self.url)} {told}")

    def _send(self, request: Request, timeout: float, *, verify: bool) -> bytes:
        # A mock runs on this machine or beside it: the machine's proxy is not for it.
        opener = build_opener(ProxyHandler({}), HTTPSHandler(context=self._trust(verify=verify)))
        try:
            with opener.open(request, timeout=timeout) as answer:
                content: bytes = answer.read()
                return content
        except HTTPError as error:
            with error:
                hint = error.headers.get("X-Mock-Hint", "")
                raise self._refusal(error.code, error.read(), hint) from None
        except (OSError, ValueError, HTTPException) as error:
            text = f"no server answers at {printable(self.url)}: {_reason(error)}"
            raise UnreachableError(text) from None

    def _trust(self, *, verify: bool) -> ssl.SSLContext:
        if not verify or not self.url.startswith("https:"):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loading the system's CAs is slow
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            return context
        try:
            return ssl.create_default_context(cafile=self._ca or None)
        except OSError as error:
            raise UsageError(f"--ca {self._ca}: cannot be used: {error}") from None

    def _refusal(self, status: int, content: bytes, hint: str) -> AdviceError:
        try:
            error = json.loads(content)["error"]
            details = [text for texts in error.get("details", {}).values() for text in texts]
            said = f"{' '.join(details) or error['message']} ({error['code']})"
        except (ValueError, LookupError, TypeError, AttributeError):
            return UnreachableError(f"{self.url} answers {status}, but is not mockchat")
        refused = UsageError if error["code"] == "ERR_BAD_REQUEST" else RefusedError
        return refused(printable(said) + (f"\n  hint: {printable(hint)}" if hint else ""))


def is_loopback(url: str) -> bool:
    """Whether an address can only be this machine."""
    try:
        name = urlsplit(url).hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _reason(error: Exception) -> str:
    """Return why a connection failed, with advice where there is some."""
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"{printable(str(cause))}; pass its CA with --ca FILE (`mockchat ca --url URL`)"
    if isinstance(cause, ConnectionRefusedError):
        return f"{cause.strerror}; start one (`mockchat serve`) or name another with --url"
    if isinstance(cause, OSError) and cause.strerror and not isinstance(cause, ssl.SSLError):
        return cause.strerror
    return printable(str(cause))

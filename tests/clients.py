"""A client that blocks, as `requests` does: for tests of what runs in threads."""

import json
import ssl
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.values import PATIENCE

Json = Any


class Reply(NamedTuple):
    status: int
    body: Json

    @property
    def data(self) -> Json:
        assert self.status == 200, self
        return self.body["data"]

    @property
    def code(self) -> str:
        """The code of a refusal."""
        code: str = self.body["error"]["code"]
        return code


def send(
    method: str, url: str, body: Json = None, *, ca: Path | None = None, **headers: str
) -> Reply:
    """Send a request by a connection of its own; `ca` is whom to trust for HTTPS."""
    parts = urlsplit(url)
    connection = (
        HTTPSConnection(
            parts.netloc, timeout=PATIENCE, context=ssl.create_default_context(cafile=ca)
        )
        if parts.scheme == "https"
        else HTTPConnection(parts.netloc, timeout=PATIENCE)
    )
    try:
        text = None if body is None else json.dumps(body)
        connection.request(method, parts.path or "/", text, headers)
        answer = connection.getresponse()
        content = answer.read()
        return Reply(answer.status, json.loads(content) if content else None)
    finally:
        connection.close()


def log_in(url: str, uid: str = "cometchat-uid-1") -> Reply:
    """Log in by the auth key, in one request."""
    return send("POST", f"{url}/login", {"uid": uid, "authKey": "AUTH_KEY"})


def create(url: str, uid: str, name: str = "Somebody") -> Reply:
    """Create a user as a back end does."""
    return send("POST", f"{url}/v3/users", {"uid": uid, "name": name}, apikey="REST_API_KEY")

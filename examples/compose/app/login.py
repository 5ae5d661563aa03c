"""Logs in as a chat SDK does, by the live names: needs nothing but Python."""

import http.client
import json
import os
import ssl
from typing import Any

APP = os.environ.get("CHAT_APP_ID", "testapp")
UID = "cometchat-uid-1"
TRUST = ssl.create_default_context()  # whom SSL_CERT_FILE names
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def ask(
    service: str, method: str, path: str, body: str | None = None, **headers: str
) -> tuple[int, bytes]:
    """Return status and body of what `{app}.{service}-us.cometchat.io` answers."""
    name = f"{APP}.{service}-us.cometchat.io"
    connection = http.client.HTTPSConnection(name, timeout=10, context=TRUST)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        switched = answer.status == http.HTTPStatus.SWITCHING_PROTOCOLS
        return answer.status, b"" if switched else answer.read()
    finally:
        connection.close()


def data(answer: tuple[int, bytes]) -> Any:
    """Return the `data` of an answer that must be good."""
    status, body = answer
    if status != http.HTTPStatus.OK:
        raise SystemExit(f"{status}: {body.decode()}")
    return json.loads(body)["data"]


def main() -> None:
    """Print what each of the live hosts had to say."""
    token = data(ask("api", "POST", f"/v3/users/{UID}/auth_tokens", apikey="REST_API_KEY"))
    by_token = {"authToken": token["authToken"]}
    me = data(ask("apiclient", "PUT", "/v3/me", **by_token))
    print(f"{me['name']} is logged in to {APP}")
    print("It goes on with", me["settings"]["CHAT_HOST"])
    status, _ = ask("websocket", "GET", "/", **UPGRADE)
    print("The WebSocket's handshake is answered by", status)
    calls = data(ask("call", "POST", "/v3/call_tokens", '{"sessionId": "one"}', **by_token))
    print("The calls' host gave", *calls)


if __name__ == "__main__":
    main()

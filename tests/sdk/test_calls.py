"""The Calls SDKs up to the point where media begins.

Version 4 runs as a package (`calls.mjs`). Version 5 is not on npm, so its calls are repeated as its
bundle sends them: over a base URL of any scheme, and with no header that names an SDK.
"""

import http.client
import json
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from mockchat import MockChat

Facts = dict[str, Any]

APP_ID = "CALLS_5"
ANDREW = "cometchat-uid-1"
DEAD_TOKEN = "cometchat-uid-1_1700000000000000000000000000000000000000"
NO_SUCH_TOKEN = f"The auth token {DEAD_TOKEN} does not exist."

# The JavaScript package hands the server's code on, the React Native one replaces it.
CODE_OF_A_DEAD_TOKEN = {
    "@cometchat/calls-sdk-javascript": "AUTH_ERR_AUTH_TOKEN_NOT_FOUND",
    "@cometchat/calls-sdk-react-native": "API_ERROR",
}

# --- version 4 ---------------------------------------------------------------------------------


def test_settings_are_refused_before_any_request_and_a_whole_base_url_is_a_host(
    calls: Facts,
) -> None:
    refused = calls["steps"]["refused_settings"]

    codes = {name: facts["refused"]["code"] for name, facts in refused.items()}
    assert codes == dict.fromkeys(("none", "no_app", "no_region"), "INVALID_CALL_APP_SETTINGS")
    assert calls["steps"]["init"] == {"done": True}


def test_a_session_gets_a_call_token_that_tells_its_session_and_user(calls: Facts) -> None:
    facts = calls["steps"]["generate_token"]
    token = facts["answer"]["token"]
    verified = facts["verified"]["data"]
    payload = verified["payload"]

    assert [bool(part) for part in token.split(".")] == [True, True, True]
    assert verified["callToken"] == token
    assert payload["room"] == payload["data"]["sessionId"] == "a-session"
    assert payload["data"]["appId"].startswith("SDK_CALLS_")
    assert payload["data"]["user"]["uid"] == ANDREW
    assert verified["settings"].keys() >= {
        *("PRESENTER_MODE_ENABLED", "WEBRTC_HOST", "ANALYTICS_HOST", "ANALYTICS_VERSION")
    }


def test_a_dead_token_and_no_session_get_no_call_token(calls: Facts) -> None:
    refused = calls["steps"]["generate_token_with_a_dead_token"]["refused"]

    assert refused["code"] == CODE_OF_A_DEAD_TOKEN[calls["package"]]
    assert refused["message"].startswith(NO_SUCH_TOKEN)
    assert "refused" in calls["steps"]["generate_token_without_a_session"]
    assert calls["unhandled"] == []


# --- version 5 ---------------------------------------------------------------------------------


class RefusedError(Exception):
    """What the bundle makes of an error: the server's message behind its own words."""


@dataclass(frozen=True)
class Calls5:
    """Sends what `CometChatCalls` 5.0.4 sends, and reads of the answers what it reads."""

    base: str
    connection: http.client.HTTPConnection

    def login(self, uid: str, key: str) -> Facts:
        body = {"platform": "web", "deviceId": "web_k3v9x1a2b"}
        minted = self.ask("Login failed", "POST", f"users/{uid}/auth_tokens", {"apiKey": key}, body)
        return self.login_with_auth_token(minted["authToken"])

    def login_with_auth_token(self, token: str) -> Facts:
        body = {"platform": "web", "deviceId": "web_k3v9x1a2b"}
        me = self.ask("Authentication failed", "PUT", "me", {"authToken": token}, body)
        return {"uid": me["uid"], "name": me["name"], "jwt": me["jwt"], "authToken": token}

    def generate_token(self, session: str, token: str) -> str:
        told = self.ask(
            "Token generation failed",
            "POST",
            "call_tokens",
            {"authToken": token},
            {"sessionId": session},
        )
        return str(told["token"])

    def verify(self, call_token: str) -> Facts:
        headers = {"calltoken": call_token}
        return self.ask("Verification", "GET", "call_tokens?configVersion=1", headers)

    def logout(self, token: str) -> Facts:
        return self.ask("Logout", "DELETE", "me", {"authToken": token})

    def ask(
        self, failure: str, method: str, path: str, headers: Facts, body: Facts | None = None
    ) -> Facts:
        """The status is never looked at; an error without its four texts is not understood."""
        typed = {"Content-Type": "application/json"} if body else {}
        self.connection.request(
            method,
            f"{self.base}/{path}",
            body=json.dumps(body) if body else None,
            headers={**typed, **headers, "appId": APP_ID},
        )
        answer = json.loads(self.connection.getresponse().read())
        if error := answer.get("error"):
            assert all(
                isinstance(error[name], str) for name in ("message", "devMessage", "source", "code")
            )
            raise RefusedError(f"{failure}: {error['message']}")
        data: Facts = answer["data"]
        return data


@pytest.fixture(params=["http", "https"])
def calls5(request: pytest.FixtureRequest, sdk_server: MockChat) -> Iterator[Calls5]:
    if request.param == "http":
        connection = http.client.HTTPConnection(urlsplit(str(sdk_server.url)).netloc)
    else:
        trusting = ssl.create_default_context(cafile=str(sdk_server.ca_path))
        host = urlsplit(str(sdk_server.https_url)).netloc
        connection = http.client.HTTPSConnection(host, context=trusting)
    yield Calls5("/v3.0", connection)
    connection.close()


def test_version_5_logs_in_by_key_and_by_token_and_out_for_good(calls5: Calls5) -> None:
    user = calls5.login(ANDREW, "AUTH_KEY")
    token = user["authToken"]

    assert (user["uid"], user["name"]) == (ANDREW, "Andrew Joseph")
    assert user["jwt"]
    assert calls5.login_with_auth_token(token)["uid"] == ANDREW
    assert calls5.logout(token)
    with pytest.raises(RefusedError):
        calls5.login_with_auth_token(token)


def test_version_5_tells_the_servers_message(calls5: Calls5) -> None:
    rows = {
        (ANDREW, "no-such-key"): "Login failed: The Api Key no-su*h-key does not exist.",
        ("nobody", "AUTH_KEY"): "Login failed: The UID nobody does not exist",
    }
    for (uid, key), told in rows.items():
        with pytest.raises(RefusedError, match=re.escape(told)):
            calls5.login(uid, key)
    with pytest.raises(RefusedError, match=f"Authentication failed: {NO_SUCH_TOKEN}"):
        calls5.login_with_auth_token(DEAD_TOKEN)
    with pytest.raises(RefusedError, match=f"Token generation failed: {NO_SUCH_TOKEN}"):
        calls5.generate_token("a-session", DEAD_TOKEN)


def test_version_5_joins_a_session_by_the_schema_it_checks(calls5: Calls5) -> None:
    token = calls5.login(ANDREW, "AUTH_KEY")["authToken"]
    call_token = calls5.generate_token("a-session", token)

    told = calls5.verify(call_token)

    assert (told["callToken"], told["sessionId"]) == (call_token, "a-session")
    assert told["user"]["uid"] == ANDREW
    assert {type(value) for value in told["user"].values()} == {str}
    settings = told["settings"]
    assert isinstance(settings["PRESENTER_MODE_ENABLED"], bool)
    connection = settings["connectionConfig"]
    assert {type(value) for value in connection["hosts"].values()} == {str}
    assert isinstance(connection["serviceUrl"], str)
    assert isinstance(connection["p2p"]["enabled"], bool)

"""The flows of the vendor's authentication pages, with the literals printed there.

The JavaScript flows run with the vendor's package (`snippets.mjs`). Of the Java, Kotlin and Dart
ones the HTTP calls are repeated as those SDKs send them, for they run on devices only.
"""

import zlib
from dataclasses import dataclass, field
from typing import Any

import pytest

from mockchat import MockChat
from tests.clients import Reply, send

Facts = dict[str, Any]

ANDREW = {"uid": "cometchat-uid-1", "name": "Andrew Joseph", "role": "default", "status": "online"}
KEVIN = {"uid": "user1", "name": "Kevin", "role": "default", "status": "offline"}
DEAD_TOKEN = "AUTH_ERR_AUTH_TOKEN_NOT_FOUND"

# What the Android SDK's own tests want in the settings of a login, none of it empty.
ANDROID_SETTINGS = {
    *("ADMIN_API_HOST", "CLIENT_API_HOST", "CHAT_HOST", "WEBRTC_HOST"),
    *("GROUP_SERVICE", "CALL_SERVICE"),
    *("CHAT_WS_PORT", "CHAT_WSS_PORT", "CHAT_HTTP_BIND_PORT", "CHAT_HTTPS_BIND_PORT"),
    *("WEBRTC_WS_PORT", "WEBRTC_WSS_PORT", "WEBRTC_HTTP_BIND_PORT", "WEBRTC_HTTPS_BIND_PORT"),
}


@dataclass(frozen=True)
class Page:
    """One vendor page: the SDK it is about and the literals it prints."""

    title: str
    uid: str
    key: str
    wrong_key: str
    headers: Facts = field(default_factory=dict)
    """What the SDK sends with every call, beside the app id and its credential."""
    device: Facts = field(default_factory=dict)
    """How the SDK describes its device when it logs in."""


ANDROID_DEVICE = {
    "platform": "Android",
    "userAgent": "cc_android_sdk",
    "deviceId": "0123456789abcdef",
    "appInfo": {"osVersion": "14", "version": "4.0.10", "apiVersion": "v3.0"},
}
PAGES = [
    Page(
        title="Android chat",
        uid="SUPERHERO1",
        key="API_KEY",
        wrong_key="AUTH_ERR_APIKEY_NOT_FOUND",
        headers={"sdk": "android@4.0.10"},
        device=ANDROID_DEVICE,
    ),
    Page(
        title="Flutter chat",
        uid="cometchat-uid-1",
        key="AUTH_KEY",
        wrong_key="AUTH_ERR_APIKEY_NOT_FOUND",
        headers={"sdk": "flutter@4.0.19"},
        device={**ANDROID_DEVICE, "userAgent": "cc_flutter_sdk"},
    ),
    Page(  # a Calls SDK names no `sdk`, so it is told what its page documents
        title="Flutter calls",
        uid="cometchat-uid-1",
        key="AUTH_KEY",
        wrong_key="ERROR_API_KEY_NOT_FOUND",
        device={"platform": "flutter", "deviceId": "flutter_0123456789"},
    ),
]
ANDROID, FLUTTER, _ = PAGES


class NativeSdk:
    """Sends what a page's SDK sends, over TLS with nothing but the mock's CA trusted."""

    def __init__(self, mock: MockChat, page: Page, app_id: str) -> None:
        self.page, self.mock, self.app_id = page, mock, app_id

    def create_user(self, uid: str, name: str, key: str) -> Reply:
        return self.send("POST", "/users", {"uid": uid, "name": name}, apikey=key)

    def login(self, uid: str, key: str) -> Reply:
        """Two calls, as every SDK makes them; the first refusal is the answer."""
        body = {"uid": uid, **self.page.device}
        minted = self.send("POST", f"/users/{uid}/auth_tokens", body, apikey=key)
        return self.login_with_token(minted.data["authToken"]) if minted.status == 200 else minted

    def login_with_token(self, token: str) -> Reply:
        resource = "Android-4_0_10-abcdefghijklmnopqrstuvwxyz0123-1700000000000"
        return self.send("PUT", "/me", self.page.device, authToken=token, resource=resource)

    def logout(self, token: str) -> Reply:
        return self.send("DELETE", "/me", authToken=token)

    def send(self, method: str, path: str, body: Facts | None = None, **headers: str) -> Reply:
        """Without a body this is the empty form that OkHttp makes of it."""
        kind = "application/json; charset=utf-8" if body else "application/x-www-form-urlencoded"
        usual = {"appid": self.app_id, "Content-Type": kind, **self.page.headers}
        url = f"{self.mock.https_url}/v3.0{path}"
        return send(method, url, body, ca=self.mock.ca_path, **usual, **headers)


@pytest.fixture
def app_id(request: pytest.FixtureRequest) -> str:
    """An app of its own for each test."""
    return f"SNIPPET_{zlib.crc32(request.node.name.encode()):08X}"


@pytest.fixture(params=PAGES, ids=lambda page: page.title)
def sdk(request: pytest.FixtureRequest, sdk_server: MockChat, app_id: str) -> NativeSdk:
    return NativeSdk(sdk_server, request.param, app_id)


@pytest.fixture
def android(sdk_server: MockChat, app_id: str) -> NativeSdk:
    return NativeSdk(sdk_server, ANDROID, app_id)


# --- Java, Kotlin, Dart ------------------------------------------------------------------------


def test_the_pages_sample_user_logs_in_with_the_pages_key_and_out_for_good(sdk: NativeSdk) -> None:
    user = sdk.login(sdk.page.uid, sdk.page.key).data

    assert (user["uid"], user["status"]) == (sdk.page.uid.lower(), "online")
    assert user["jwt"]
    assert user["wsChannel"]["identity"]
    assert user["wsChannel"]["secret"]
    assert sdk.logout(user["authToken"]).data
    assert sdk.login_with_token(user["authToken"]).code == DEAD_TOKEN


def test_a_wrong_key_and_the_pages_placeholder_token_have_the_codes_the_sdk_knows(
    sdk: NativeSdk,
) -> None:
    assert sdk.login(sdk.page.uid, "no-such-key").code == sdk.page.wrong_key
    refused = sdk.login_with_token("AUTH_TOKEN")
    assert refused.code == DEAD_TOKEN
    error = refused.body["error"]
    assert set(error) == {"code", "message", "devMessage", "source"}
    assert all(isinstance(value, str) and value for value in error.values())


def test_the_android_page_creates_kevin_and_logs_him_in(android: NativeSdk) -> None:
    created = android.create_user("user1", "Kevin", "API_KEY").data

    assert {key: created[key] for key in KEVIN} == KEVIN
    assert "authToken" not in created
    assert android.login("user1", "API_KEY").data["name"] == "Kevin"


def test_the_settings_are_what_the_android_sdks_own_tests_want(android: NativeSdk) -> None:
    settings = android.login("SUPERHERO1", "API_KEY").data["settings"]

    present = {key for key in ANDROID_SETTINGS if isinstance(settings.get(key), str)}
    assert present == ANDROID_SETTINGS
    assert all(settings[key] for key in ANDROID_SETTINGS)


def test_the_flutter_pages_placeholder_uid_is_unknown(sdk_server: MockChat, app_id: str) -> None:
    flutter = NativeSdk(sdk_server, FLUTTER, app_id)

    assert flutter.login("user_id", "AUTH_KEY").code == "ERR_UID_NOT_FOUND"


# --- JavaScript --------------------------------------------------------------------------------


def test_the_javascript_page_s_users_log_in_and_its_placeholders_are_refused(
    snippets: Facts,
) -> None:
    assert snippets["create_user"] == KEVIN
    assert snippets["login_with_the_created_user"] == {**KEVIN, "status": "online"}
    assert snippets["login_with_a_sample_user"] == {
        "first": ANDREW,
        "again": {"alreadyIn": "cometchat-uid-1"},
    }
    assert snippets["logout"] == {"answer": {"done": True}, "user": None}
    placeholders = {
        "login_with_the_placeholder_uid": "ERR_UID_NOT_FOUND",
        "login_with_the_placeholder_token": DEAD_TOKEN,
    }
    for step, code in placeholders.items():
        assert snippets[step]["refused"]["code"] == code, step
    assert snippets["login_listener"]["heard"] == [  # until it is removed
        ["loginFailure", DEAD_TOKEN],
        ["logoutSuccess"],  # the SDK wipes its session whenever a token turns out dead
        ["loginSuccess", "cometchat-uid-1"],
        ["logoutSuccess"],
    ]

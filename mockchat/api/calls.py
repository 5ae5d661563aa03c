"""Sessions and calls: JWTs, telemetry and call tokens; no media (sdk-wire sections 1.3, 8, 9)."""

from typing import Any

from mockchat.api import plain, requests
from mockchat.api.access import Access
from mockchat.api.operation import Ack, Call, Hosts, OperationTable
from mockchat.core import errors
from mockchat.core.errors import Evidence
from mockchat.core.pictures import address_for

table = OperationTable(access=Access.TOKEN, returns=plain.JwtSchema, evidence=Evidence.DOCUMENTED)


def _issue(call: Call, passthrough: dict[str, Any]) -> dict[str, str]:
    return {"token": call.server.jwts.issue(call.app, call.user_caller.token, passthrough)}


@table.post("/me/jwt", body=requests.JwtRequest)
def create_jwt(call: Call) -> dict[str, str]:
    """Create a session JWT; its `data` has the `passthrough` of the body."""
    return _issue(call, call.body.get("passthrough") or {})


@table.post("/user_sessions", body=requests.SessionReport, returns=plain.SessionSchema)
def report_session(call: Call) -> dict[str, str]:
    """Accept the telemetry of a session and return its id."""
    return {"sessionId": call.body.get("session_id") or call.app.ids.hex(64)}


@table.post("/ping")
def ping_analytics(call: Call) -> Ack:
    """Accept an analytics ping of a client."""
    return Ack(f"Ping of {call.user_caller.user.key} received.")


@table.post("/call_tokens", body=requests.CallTokenCreate)
def create_call_token(call: Call) -> dict[str, str]:
    """Create a call token for a session."""
    return _issue(call, {"sessionId": call.body["session_id"]})


@table.get(
    "/call_tokens",
    access=Access.PUBLIC,
    returns=plain.CallTokenSchema,
    errors=(errors.AUTH_TOKEN_MISSING, errors.AUTH_TOKEN_UNKNOWN),
    headers=("callToken",),
)
def get_call_token(call: Call) -> dict[str, Any]:
    """Get the session and the user of a call token.

    Version 4 of the Calls SDKs reads `payload`, version 5 the keys beside it.
    """
    text = call.headers.get("callToken", "").strip()
    caller, passthrough = call.server.jwts.require(call.app, text)
    user, hosts = caller.user, call.hosts
    shown = {"uid": user.key, "name": user.name}
    if user.avatar:
        shown["avatar"] = address_for(user.avatar, call.server_url)
    session = str(passthrough.get("sessionId", ""))
    return {
        "callToken": text,
        "sessionId": session,
        "user": shown,
        "settings": _call_settings(hosts),
        "payload": {
            "data": {
                "appId": call.app.id,
                "region": hosts.region,
                "authToken": caller.token.value,
                "user": shown,
                "sessionId": session,
                "passthrough": passthrough,
            },
            "room": session,
        },
    }


def _call_settings(hosts: Hosts) -> dict[str, Any]:
    return {
        "PRESENTER_MODE_ENABLED": False,
        "WEBRTC_HOST": hosts.call,
        "ANALYTICS_HOST": hosts.analytics,
        "ANALYTICS_VERSION": "v1",
        "connectionConfig": {
            "hosts": {"domain": hosts.call, "muc": f"conference.{hosts.call}"},
            "serviceUrl": f"wss://{hosts.call}/xmpp-websocket",
            "p2p": {"enabled": False},
        },
    }

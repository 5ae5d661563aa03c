"""Calls: the tokens that the Calls SDKs ask for; no media (sdk-wire sections 8 and 9)."""

from typing import Any

from mockchat.api import plain, requests
from mockchat.api.operation import Access, Call, Hosts, OperationTable
from mockchat.api.session_jwt import issue_jwt, require_jwt
from mockchat.core import errors
from mockchat.core.errors import Evidence
from mockchat.core.pictures import address_for

table = OperationTable()


@table.add(
    "POST",
    "/call_tokens",
    access=Access.TOKEN,
    body=requests.CallTokenCreate,
    returns=plain.JwtSchema,
    evidence=Evidence.DOCUMENTED,
)
def create_call_token(call: Call) -> dict[str, str]:
    """Create a call token for a session."""
    session = {"sessionId": call.body["session_id"]}
    return {"token": issue_jwt(call.app, call.user_caller.token, session, call.app.now)}


@table.add(
    "GET",
    "/call_tokens",
    access=Access.PUBLIC,
    returns=plain.CallTokenSchema,
    errors=(errors.AUTH_TOKEN_MISSING, errors.AUTH_TOKEN_UNKNOWN),
    evidence=Evidence.DOCUMENTED,
    headers=("callToken",),
)
def get_call_token(call: Call) -> dict[str, Any]:
    """Get what a call token stands for.

    Version 4 of the Calls SDKs reads `payload`, version 5 the keys beside it.
    """
    text = call.headers.get("callToken", "").strip()
    caller, passthrough = require_jwt(call.app, text)
    user, hosts = caller.user, call.hosts
    shown = {"uid": user.uid, "name": user.name}
    if user.avatar:
        shown["avatar"] = address_for(user.avatar, hosts.server)
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

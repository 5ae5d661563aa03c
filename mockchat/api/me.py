"""The logged-in user's own client: `/me` and `/settings` (sdk-wire sections 1.3 to 1.5)."""

from functools import lru_cache
from typing import Any

from mockchat.api import plain, requests, schemas
from mockchat.api.auth_tokens import describe
from mockchat.api.operation import Access, Ack, Call, Hosts, OperationTable
from mockchat.api.schemas import Me
from mockchat.api.session_jwt import session_jwt
from mockchat.api.users import user_changes
from mockchat.core import errors
from mockchat.core.entities import UserCaller
from mockchat.core.errors import Evidence
from mockchat.core.ids import channel_secret
from mockchat.core.limits import CORE_LIMIT

table = OperationTable()

_API_VERSION = "v3.0"


def _ports(hosts: Hosts) -> dict[str, str]:
    return {
        f"{service}_{name}": port
        for service in ("CHAT", "WEBRTC")
        for name, port in (
            ("WS_PORT", hosts.ws_port),
            ("WSS_PORT", hosts.wss_port),
            ("HTTP_BIND_PORT", hosts.ws_port),
            ("HTTPS_BIND_PORT", hosts.wss_port),
        )
    }


@lru_cache(maxsize=256)
def settings(hosts: Hosts, now: int) -> dict[str, Any]:
    """Return the app settings that send a client back to `hosts`.

    Ports, hosts and versions are texts, as iOS decodes them; the API hosts and the version must
    be there, as the JavaScript SDKs have no other source (sdk-wire 1.5). Callers share the answer
    and must not change it.
    """
    return {
        "REGION": hosts.region,
        "MODE": "DEFAULT",
        "APP_VERSION": 3,  # any other number makes some SDK log in again at its next start
        "CHAT_API_VERSION": _API_VERSION,
        "WS_API_VERSION": _API_VERSION,
        "MAIN_DOMAIN": hosts.domain,
        "EXTENSION_DOMAIN": hosts.domain,
        "ADMIN_API_HOST": hosts.admin,
        "CLIENT_API_HOST": hosts.client,
        "CHAT_HOST": hosts.chat,
        "CHAT_HOST_OVERRIDE": hosts.chat,
        "CHAT_HOST_APP_SPECIFIC": hosts.chat,
        "CHAT_USE_SSL": hosts.secure,
        "XMPP_USE_SSL": hosts.secure,
        "GROUP_SERVICE": f"conference.{hosts.chat}",
        "CALL_SERVICE": f"call.{hosts.chat}",
        "WEBRTC_HOST": hosts.call,
        "WEBRTC_USE_SSL": hosts.secure,
        "WEBRTC_API_SUBDOMAIN": "call",
        **_ports(hosts),
        "ANALYTICS_PING_DISABLED": True,
        "ANALYTICS_USE_SSL": hosts.secure,
        "ANALYTICS_HOST": hosts.analytics,
        "ANALYTICS_VERSION": "v1",
        "settingsHash": f"mockchat-{hosts.client}",
        "settingsHashReceivedAt": now,
        "SECURED_MEDIA_HOST": hosts.chat,
        "extensions": [],
        "parameters": {},
    }


def logged_in(call: Call, caller: UserCaller) -> Me:
    """Return what a login answers: the user, the very token that was sent, and where to go on."""
    app, user, token = call.app, caller.user, caller.token
    return Me(
        user=user,
        auth_token=token.value,
        jwt=session_jwt(app, token),
        ws_channel={
            "identity": f"[{app.id}]{user.uid}",
            "secret": channel_secret(app.secret, user.key),
        },
        settings=settings(call.hosts, app.now),
    )


@table.add(
    "PUT",
    "/me",
    access=Access.TOKEN,
    body=requests.MeUpdate,
    returns=schemas.MeSchema,
    errors=(errors.AUTH_TOKEN_BOUND, errors.LOGIN_IN_PROGRESS),
    limit=CORE_LIMIT,
    evidence=Evidence.DOCUMENTED,
    headers=("resource", "sdk"),
)
async def update_me(call: Call) -> Me:
    """Log a device in by its auth token, or update one's own profile.

    A body that changes nothing is a login: until its answer the device has no second one.
    """
    app, caller = call.app, call.user_caller
    if not requests.only_logs_in(call.body):
        changes = user_changes(app, call.body)
        _take_in(call, caller)
        if changes:
            app.update_user(caller.user, changes)
        return logged_in(call, caller)
    token = caller.token.value
    with app.login(call.device or token):
        await pass_hold(call, caller.user.uid)
        caller = app.user_caller(token)  # which may have died meanwhile
        _take_in(call, caller)
        return logged_in(call, caller)


def _take_in(call: Call, caller: UserCaller) -> None:
    """Note which client uses the token."""
    call.app.use_token(caller.token, call.device or "")
    describe(caller.token, call)


async def pass_hold(call: Call, uid: str) -> None:
    """Wait for as long as the logins of `uid` are held; raise LOGIN_IN_PROGRESS if one waits."""
    if call.app.holds.has(uid):
        async with call.waiting():
            await call.app.holds.passed(uid)


@table.add(
    "GET",
    "/me",
    access=Access.TOKEN,
    returns=schemas.MeSchema,
    evidence=Evidence.DOCUMENTED,
)
def get_me(call: Call) -> Me:
    """Get the logged-in user."""
    return logged_in(call, call.user_caller)


@table.add(
    "DELETE",
    "/me",
    access=Access.TOKEN,
    returns=schemas.AckSchema,
    limit=CORE_LIMIT,
    evidence=Evidence.DOCUMENTED,
)
def delete_me(call: Call) -> Ack:
    """Log out: the auth token is destroyed for good."""
    call.app.destroy_token(call.user_caller.token, by_logout=True)
    return Ack("User logged out successfully.")


@table.add(
    "GET",
    "/settings",
    access=Access.TOKEN,
    returns=plain.SettingsSchema,
    evidence=Evidence.DOCUMENTED,
)
def get_settings(call: Call) -> dict[str, Any]:
    """Get the app's settings."""
    return settings(call.hosts, call.app.now)

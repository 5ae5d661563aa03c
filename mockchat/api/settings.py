"""The settings of an app: the hosts, ports and versions that a client uses next (sdk-wire 1.5)."""

from functools import lru_cache
from typing import Any

from mockchat.api.operation import Hosts
from mockchat.api.plain import answer, like

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
    """Return the settings that send a client to `hosts`.

    Ports, hosts and versions are texts, as iOS decodes them. The JavaScript SDKs have no other
    source for the API hosts and the version. Callers share the answer and must not change it.
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


_NO_HOSTS: Any = dict.fromkeys(Hosts._fields, "") | {"secure": False}
SettingsSchema = answer(
    "SettingsSchema",
    "The app's settings: above all the hosts that a client uses next.",
    **like(settings(Hosts(**_NO_HOSTS), 0)),
)

"""Host names: which app a request means, and where its client is to go on."""

import ipaddress
import re
import socket
from functools import lru_cache
from typing import NamedTuple

from mockchat.api.operation import Hosts
from mockchat.core import pictures

# The vendor's network allow-list: domains, services, regions (reference section 15.4).
DOMAINS = ("cometchat.io", "cc-cluster-2.io", "cc-edge-2.io")
SERVICES = ("api", "apiclient", "call", "websocket", "metrics")
# Services that mockchat does not build; a test must not reach them either.
UNBUILT_SERVICES = (
    *("extensions", "apimgmt", "rtc", "ws", "files", "data", "media"),
    *("xmpp.rtcv5", "turn.rtcv5"),
)
REGIONS = ("us", "eu", "in")  # of the documents; names may have any two letters
MANAGEMENT_SERVICE = "apimgmt"  # has a name without a region, too
FIRST_HOSTS = ("api.cometchat.com", "kohoutek.cometchat.com")  # of the 1.x SDKs
_LIVE_HOST = re.compile(
    rf"(?:(?P<app>[^.]+)\.)?(?:(?P<service>{'|'.join((*SERVICES, *UNBUILT_SERVICES))})"
    rf"-(?P<region>[a-z]{{2}})|(?P<alone>{MANAGEMENT_SERVICE}))\.(?P<domain>{'|'.join(DOMAINS)})"
)
_HOST = re.compile(r"(?:\[(?P<v6>[0-9a-fA-F:.]+)\]|(?P<name>[^\s:/\[\]@]+))(?::([0-9]{1,5}))?")
_HTTPS, _HTTP = 443, 80
_MAX_PORT = 65535
_LOCAL_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # nosec B104  # compared with, not bound
# Names that lead to loopback: from the Android emulator, from inside a container.
_LOOPBACK_NAMES = frozenset({"localhost", "10.0.2.2", "host.docker.internal"})
# One label, mDNS (and Kubernetes' cluster.local), Kubernetes' short form: never in public DNS.
_PRIVATE_NAME = re.compile(r"[a-z0-9_-]+|.+\.(?:local|svc)")

# Where clouds tell a machine its credentials, beyond the link-local addresses of most.
_METADATA = frozenset(
    (
        *("100.100.100.200", "168.63.129.16", "192.0.0.192"),  # Alibaba, Azure, Oracle
        *("fd00:ec2::254", "fd20:ce::254", "fd00:42::42"),  # AWS, Google, Scaleway
    )
)
_NAT64 = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48")))  # IPv4 behind IPv6


class Address(NamedTuple):
    """Where a client sent its request: a name in lower case, a port and whether by TLS."""

    name: str
    port: int
    secure: bool

    @property
    def netloc(self) -> str:
        """The host of a URL, with the port where it is not the scheme's own."""
        default = _HTTPS if self.secure else _HTTP
        return self.host if self.port == default else f"{self.host}:{self.port}"

    @property
    def host(self) -> str:
        """The name as a URL has it."""
        return f"[{self.name}]" if ":" in self.name else self.name

    @property
    def url(self) -> str:
        """The address with its scheme."""
        return f"http{'s' if self.secure else ''}://{self.netloc}"

    @property
    def is_live(self) -> bool:
        """Whether it is one by which the SDKs know the live service."""
        return is_live(self.name)

    @property
    def app_id(self) -> str | None:
        """The app id that a live name carries as its sub-domain."""
        match = _LIVE_HOST.fullmatch(self.name)
        return match["app"] if match else None

    @property
    def unbuilt(self) -> str | None:
        """The service of a live name that mockchat does not build."""
        match = _LIVE_HOST.fullmatch(self.name)
        service = match and (match["service"] or match["alone"])
        return service if service in UNBUILT_SERVICES else None

    @property
    def server(self) -> str:
        """The URL of this server for a client that came by the address; empty for a live name."""
        return "" if self.is_live else self.url


def parse_host(host: str, *, secure: bool) -> Address | None:
    """Return the address that a Host header names, or None for one that names nothing.

    Takes names and IPv4 with or without a port, and IPv6 in brackets; case does not count.
    """
    match = _HOST.fullmatch(host)
    if not match:
        return None
    port = int(match[3]) if match[3] else (_HTTPS if secure else _HTTP)
    if not 0 < port <= _MAX_PORT:
        return None
    return Address((match["v6"] or match["name"]).lower().rstrip("."), port, secure)


def live_names(region: str, app_id: str = "") -> list[str]:
    """Return the live host names of a region, those of an app before those of all apps."""
    named = [f"{service}-{region}" for service in (*SERVICES, *UNBUILT_SERVICES)]
    shared = [f"{name}.{domain}" for domain in DOMAINS for name in (*named, MANAGEMENT_SERVICE)]
    own = [f"{app_id.lower()}.{name}" for name in shared] if app_id else []
    return [*own, *dict.fromkeys((*shared, *pictures.HOSTS))]


@lru_cache(maxsize=1024)
def is_live(name: str) -> bool:
    """Whether a name is one by which the SDKs know the live service."""
    return name in (*FIRST_HOSTS, *pictures.HOSTS) or bool(_LIVE_HOST.fullmatch(name))


def bound_address(bound: socket.socket, *, secure: bool) -> Address:
    """Return the address by which a client on this machine reaches a bound socket."""
    name, port = bound.getsockname()[:2]
    return Address(_LOCAL_WILDCARDS.get(name, name), port, secure)


@lru_cache(maxsize=1024)
def is_loopback(name: str) -> bool:
    """Whether a name can only mean this machine."""
    if name in _LOOPBACK_NAMES or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_private(name: str) -> bool:
    """Whether a name is an IP address, or can be no name that anybody may register."""
    if _PRIVATE_NAME.fullmatch(name) or is_loopback(name):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_inside(address: str) -> bool:
    """Whether an IP address is of use to one machine alone: loopback, or a cloud's metadata."""
    parsed: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        if any(parsed in network for network in _NAT64):
            parsed = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        else:
            parsed = parsed.ipv4_mapped or parsed.sixtofour or parsed
    if str(parsed) in _METADATA:
        return True
    return parsed.is_loopback or parsed.is_link_local or parsed.is_unspecified


def is_own(address: str) -> bool:
    """Whether an IP address is one of this machine's."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


@lru_cache(maxsize=1024)
def hosts_for(
    address: Address, app_id: str, prefix: str, region: str, tls_port: int | None
) -> Hosts:
    """Return where a client that came by `address` is to go on.

    One that came by a live host name is told the live names on the port it used, any other the
    address itself. `prefix` is the `/apps/{appId}` of the request's path, if it had one.
    `tls_port` is the HTTPS port of this server, for the WebSocket of a client that came by HTTP.
    """
    wss_port = address.port if address.secure or tls_port is None else tls_port
    ws_port = address.port if not address.secure else _HTTP
    if live := _LIVE_HOST.fullmatch(address.name):
        region, domain = live["region"] or region, live["domain"]
        sub_domain = f"{live['app'] or app_id}.".lower()

        def host(service: str) -> str:
            return Address(f"{sub_domain}{service}-{region}.{domain}", *address[1:]).netloc

        chat = f"{sub_domain}websocket-{region}.{domain}"
        admin, client, call, metrics = map(host, ("api", "apiclient", "call", "metrics"))
    else:
        admin = client = metrics = address.netloc + prefix
        call = address.netloc
        chat = address.host
        domain = address.name
    return Hosts(
        admin=admin,
        client=client,
        chat=chat,
        call=call,
        analytics=metrics,
        ws_port=str(ws_port),
        wss_port=str(wss_port),
        secure=address.secure,
        region=region,
        domain=domain,
    )

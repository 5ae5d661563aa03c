"""The guard of the control API: which requests may reach it (product section 5)."""

import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

from mockchat.api.access import Access
from mockchat.config import Config
from mockchat.core import errors
from mockchat.wire.hosts import Address, is_loopback, is_private, parse_host


class Guard:
    """Refuses pages of other origins, foreign host names and, where set, a missing token."""

    def __init__(self, config: Config) -> None:
        self._token = config.control_token
        self._is_ours = is_loopback if is_loopback(config.host) else is_private
        self._allowed = frozenset(config.allow_host)

    def check(self, access: Access, address: Address, headers: Mapping[str, str]) -> None:
        """Raise CONTROL_ORIGIN, CONTROL_HOST or CONTROL_TOKEN.

        Health and the CA need no token: they neither change anything nor tell a secret.
        """
        origin = headers.get("Origin")
        site = headers.get("Sec-Fetch-Site", "none")
        if access is Access.PUBLIC and headers.get("Sec-Fetch-Mode") == "navigate":
            site = "none"  # a link that a person followed: the page it stood on reads nothing
        if site not in ("none", "same-origin") or (origin and not _is_own(origin, address)):
            raise errors.CONTROL_ORIGIN(origin=origin or site)
        self.check_host(address, headers)
        if self._token and access is Access.CONTROL:
            scheme, _, given = headers.get("Authorization", "").partition(" ")
            same = hmac.compare_digest(given.strip().encode(errors="replace"), self._token.encode())
            if scheme.lower() != "bearer" or not same:
                raise errors.CONTROL_TOKEN()

    def check_host(self, address: Address, headers: Mapping[str, str]) -> None:
        """Raise CONTROL_HOST where a page of a name in public DNS may be asking.

        Such a name that resolves to this server is a rebinding attack. A page of it can write any
        header but Host, so that X-Forwarded-Host alone proves nothing.
        """
        direct = parse_host(headers.get("Host", ""), secure=address.secure) or address
        for name in (address.name, direct.name):
            if not self._is_ours(name) and name not in self._allowed:
                raise errors.CONTROL_HOST(host=name)


def _is_own(origin: str, address: Address) -> bool:
    scheme = "https" if address.secure else "http"
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return False
    default = 443 if parts.scheme == "https" else 80
    return (parts.scheme, parts.hostname, port or default) == (scheme, address.name, address.port)

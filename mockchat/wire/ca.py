"""The own CA: limited to the names that it serves, to ten years, and to leaves.

People import it into browsers. Should its key be stolen, it is of use for these names alone.
"""

import datetime as dt
import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import trustme

_DAY = 24 * 60 * 60
_LIFE = 3652 * _DAY
_SKEW = _DAY  # how far a client's clock may be behind
_LOOPBACK = tuple(map(ipaddress.ip_network, ("127.0.0.0/8", "::1/128")))


def make(names: Iterable[str], now: float) -> bytes:
    """Return the key and the certificate of a new CA for these names, as PEM."""
    from cryptography import x509  # noqa: PLC0415  # a start with a good leaf needs none of it
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    identity = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "mockchat"),
            # Clients tell CAs apart by their names.
            x509.NameAttribute(NameOID.COMMON_NAME, f"mockchat CA {identity.digest.hex()[:12]}"),
        ]
    )
    usage = {"digital_signature": True, "key_cert_sign": True, "crl_sign": True}
    others = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    usage |= dict.fromkeys((*others, "encipher_only", "decipher_only"), False)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(dt.datetime.fromtimestamp(now - _SKEW, dt.UTC))
        .not_valid_after(dt.datetime.fromtimestamp(now + _LIFE, dt.UTC))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.NameConstraints(_subtrees(names), None), critical=True)
        .add_extension(identity, critical=False)
        .sign(key, hashes.SHA256())
    )
    traditional, bare = form.PrivateFormat.TraditionalOpenSSL, form.NoEncryption()
    pem = form.Encoding.PEM
    return key.private_bytes(pem, traditional, bare) + certificate.public_bytes(pem)


def _subtrees(names: Iterable[str]) -> list[Any]:
    from cryptography import x509  # noqa: PLC0415

    bases = dict.fromkeys(name.removeprefix("*.") for name in names)
    found: list[Any] = [x509.IPAddress(network) for network in _LOOPBACK]
    for base in bases:
        if any(base.endswith(f".{other}") for other in bases):
            continue  # the other one permits it
        address = address_of(base)
        if address is None:
            found.append(x509.DNSName(base))
        elif not address.is_loopback:
            found.append(x509.IPAddress(ipaddress.ip_network(address)))
    return found


def address_of(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the IP address that a name is, if it is one."""
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


class Authority:
    """A CA made of its key and certificate; raises ValueError or TypeError for anything else."""

    def __init__(self, pem: bytes) -> None:
        import trustme  # noqa: PLC0415
        from cryptography import x509  # noqa: PLC0415

        self._signer = trustme.CA.from_pem(cert_bytes=pem, private_key_bytes=pem)
        self._certificate = x509.load_pem_x509_certificate(pem)
        found = {type(one.value): one.value for one in self._certificate.extensions}
        basic: Any = found.get(x509.BasicConstraints)
        names: Any = found.get(x509.NameConstraints)
        self._trees = [one.value for one in (names and names.permitted_subtrees) or ()]
        self._signs_leaves_only = basic is not None and basic.path_length == 0

    @property
    def until(self) -> float:
        """When it ends, in unix seconds."""
        return self._certificate.not_valid_after_utc.timestamp()

    @property
    def is_limited(self) -> bool:
        """Whether it may sign leaves for some names only."""
        return self._signs_leaves_only and bool(self._trees)

    def permits(self, name: str) -> bool:
        """Whether it may sign a leaf for this name."""
        base = name.removeprefix("*.")
        if address := address_of(base):
            return any(address in one for one in self._trees if not isinstance(one, str))
        domains = [one for one in self._trees if isinstance(one, str)]
        return any(base == one or base.endswith(f".{one}") for one in domains)

    def leaf(self, names: Iterable[str], now: float, until: float) -> "trustme.LeafCert":
        """Return a new leaf and its key."""
        return self._signer.issue_cert(
            *names,
            not_before=dt.datetime.fromtimestamp(now - _SKEW, dt.UTC),
            not_after=dt.datetime.fromtimestamp(until, dt.UTC),
        )

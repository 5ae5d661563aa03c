"""The environment: variables by which the programs of a test find a server and trust its CA."""

import contextlib
import os
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

_LOOPBACK = ("localhost", "127.0.0.1")
# Variables that add CAs to the system's, and variables that replace the system's CAs.
_ADDING = ("NODE_EXTRA_CA_CERTS", "DENO_CERT")
_REPLACING = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@contextlib.contextmanager
def in_environment(facts: Mapping[str, str | None]) -> Iterator[None]:
    """Give this process, and those that it starts, the environment of `environment` in a block."""
    from tempfile import TemporaryDirectory  # noqa: PLC0415  # `exec` and tests need these
    from unittest.mock import patch  # noqa: PLC0415

    with contextlib.ExitStack() as end:
        folder = Path(end.enter_context(TemporaryDirectory(prefix="mockchat-")))
        end.enter_context(patch.dict(os.environ, environment(facts, folder), clear=True))
        yield


def environment(
    facts: Mapping[str, str | None], folder: Path, environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return the environment of programs that use a server; `folder` takes CA files.

    `facts` are the MOCKCHAT_* variables of the server; those that are None are unset.
    """
    found = {name: value for name, value in environ.items() if name not in facts}
    found |= {name: value for name, value in facts.items() if value is not None}
    ca = facts["MOCKCHAT_CA"]
    found |= dict(_trust(Path(ca), folder, environ)) if ca else {}
    return {**found, **dict(_proxies(facts["MOCKCHAT_PROXY_URL"], environ))}


def _proxies(url: str | None, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the variables that make programs use no proxy but mockchat's own."""
    for name in ("NO_PROXY", "no_proxy"):
        others = environ.get(name, "")
        yield name, others if others == "*" else ",".join(filter(None, (others, *_LOOPBACK)))
    if url is not None:
        yield "NODE_USE_ENV_PROXY", "1"
        for name in ("HTTPS_PROXY", "https_proxy"):
            yield name, url


def _trust(ca: Path, folder: Path, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the variables that make programs trust the CA and every CA they trust already.

    A variable that replaces the system's CAs is set only if those are in a known file.
    """
    system = ssl.get_default_verify_paths().cafile
    for name in (*_ADDING, *_REPLACING):
        others = environ.get(name) or (system if name in _REPLACING else None)
        if others is None and name in _ADDING:
            yield name, str(ca)
        elif others is not None:
            with contextlib.suppress(OSError):  # a folder or a missing file: keep the variable
                bundle = folder / f"{name.lower()}.pem"
                bundle.write_bytes(Path(others).read_bytes() + b"\n" + ca.read_bytes())
                yield name, str(bundle)

"""Strangers: variables `MOCKCHAT_…` of the environment that nothing reads."""

import re
from collections.abc import Iterator, Mapping

from mockchat import config
from mockchat.commands.show import note
from mockchat.core.setting_kinds import SERVICE_LINK
from mockchat.core.words import nearest

_PREFIX = "MOCKCHAT_"
# Variables that `mockchat exec` sets, that commands and the kit for JavaScript read, and those of
# the examples.
_NOT_SETTINGS = ("URL", "HTTPS_URL", "WS_URL", "PROXY_URL", "CA", "APP", "IMAGE", "ADDRESS")
# Kubernetes sets these for Services whose names begin with mockchat.
_OF_KUBERNETES = re.compile(
    r"(_\w+)?_(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)


def tell_strangers(environ: Mapping[str, str]) -> None:
    """Tell of each variable that nothing reads, with the one that was meant."""
    known = [*(name.upper() for name, _ in config.rows()), *_NOT_SETTINGS]
    for word in _strangers(environ):
        if word not in known:
            near = nearest(word, known)
            meant = f"did you mean {_PREFIX}{near}?" if near else "`mockchat config` lists them"
            note(f"nothing reads the variable {_PREFIX}{word}; {meant}")


def _strangers(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the names behind the prefix, without those that Kubernetes sets."""
    for name, value in environ.items():
        word = name.removeprefix(_PREFIX)
        if word == name or _OF_KUBERNETES.fullmatch(f"_{word}") or SERVICE_LINK.match(value):
            continue
        yield word

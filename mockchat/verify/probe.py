"""Probes: one request each, as plain data; its texts name values of the run as `$name`."""

from collections import defaultdict
from collections.abc import Mapping
from string import Template
from typing import Any, NamedTuple

KEY = {"apikey": "$rest_key"}
AUTH_KEY = {"apikey": "$auth_key"}
WRONG_KEY = {"apikey": "$wrong_key"}
TOKEN = {"authToken": "$token"}
NOTHING: Mapping[str, str] = {}

# Values that exist before the first request; requests that name no others change nothing.
GIVEN = frozenset(("rest_key", "auth_key", "wrong_key", "wrong_token", "nobody", "NOBODY"))
_LETTERS = "abcdefghijklmnopq"
SOCKET = "WS"  # the method of a probe that opens the WebSocket and sends frames


def names_under(base: str) -> dict[str, str]:
    """Return the names that the probes of a group may give to what they create."""
    letters = {letter: f"{base}-{letter}" for letter in _LETTERS}
    return {**letters, "A": f"{base}-a".upper(), "base": base, "middle": base[1:]}


class Raw(NamedTuple):
    """A body that is sent as it is."""

    content_type: str
    text: str


class Probe(NamedTuple):
    """One request, and what it is asked for.

    `keeps` names a value of the answer for later probes: `token=data.authToken`. `settles` names
    the assumption of docs/differences.py that the answer turns into knowledge. If a
    `base` probe succeeds on one side only, the rest of its group cannot be asked. `pause` is the
    time in seconds to wait before the request. The answer to a `shared` probe may contain things
    that belong to others.
    """

    what: str
    request: str
    body: Any = None
    headers: Mapping[str, str] = KEY
    keeps: str = ""
    settles: str = ""
    base: bool = False
    pause: float = 0
    shared: bool = False
    app: str = "$app_id"  # that the request names

    @property
    def method(self) -> str:
        """The HTTP method, or WS."""
        return self.request.partition(" ")[0]

    @property
    def path(self) -> str:
        """The path after the version."""
        return self.request.partition(" ")[2]

    @property
    def only_reads(self) -> bool:
        """Whether the request needs nothing that verify creates, and changes nothing."""
        needs = names_in([self.path, dict(self.headers), self.body])
        return self.method == "GET" and needs <= GIVEN


def names_in(value: Any) -> set[str]:
    """Return the names of values in all texts of a part of a request."""
    found: defaultdict[str, str] = defaultdict(str)
    filled(value, found)  # a name that it looks up becomes a key
    return set(found)


def filled(value: Any, values: Mapping[str, str]) -> Any:
    """Return a part of a request with the named values in place; raise KeyError."""
    if isinstance(value, str):
        return Template(value).substitute(values) if "$" in value else value
    if isinstance(value, Raw):
        return Raw(value.content_type, filled(value.text, values))
    if isinstance(value, dict):
        return {filled(key, values): filled(inner, values) for key, inner in value.items()}
    return [filled(inner, values) for inner in value] if isinstance(value, list) else value

"""Kinds of setting values: each with its parser, and its words in the help and in files."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from mockchat.core.clock import duration


class Kind(NamedTuple):
    """A kind of values: its parser, and its words in the help and in files."""

    parse: Callable[[str], Any]
    metavar: str = ""
    none: str = "none"  # the word for None in help and docs
    takes: tuple[type, ...] = (str, int, float)  # in a TOML file


def _matching(pattern: str, reason: str, make: Callable[[str], Any] = str) -> Callable[[str], Any]:
    """Return the parser of the texts that fit a regular expression."""

    def parse(value: str) -> Any:
        if not re.fullmatch(pattern, value):
            raise ValueError(reason)
        return make(value)

    return parse


def _or_none(word: str, parse: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda value: None if value == word else parse(value)


def _port(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", value) or int(value) > 65535:  # noqa: PLR2004
        raise ValueError("must be a port from 0 to 65535, or off")
    return int(value)


def size(value: str) -> int:
    """Return the bytes of a size like `500KiB`, `8MiB` or `100000`."""
    match = re.fullmatch(r"([0-9]{1,12})(KiB|MiB|GiB|)", value)
    if not match or not int(match[1]):
        raise ValueError("must be a size like 500KiB, 8MiB or 100000")
    return int(match[1]) * {"": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}[match[2]]


def credential(value: str) -> str:
    """Return a key or a token."""
    if not value or not value.isprintable() or any(map(str.isspace, value)):
        raise ValueError("must not be empty or contain spaces")
    return value


def integer(value: str) -> int:
    """Return a whole number."""
    try:
        return int(value)
    except ValueError:
        raise ValueError("must be a whole number") from None


def timeout(value: str) -> float:
    """Return the seconds of a duration that is not 0."""
    if seconds := duration(value):
        return seconds
    raise ValueError("must be longer than 0 seconds")


def switch(value: str) -> bool:
    """Return the truth of a word."""
    if value.lower() in ("1", "true", "yes", "on"):
        return True
    if value.lower() in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("must be true or false")


count = _matching("(?!0+$)[0-9]{1,9}", "must be a whole number from 1 on", int)
limit = _or_none("off", count)
lifetime = _or_none("none", timeout)
APP_ID = "[A-Za-z0-9_-]{1,64}"
app_id = _matching(APP_ID, "must be 1 to 64 letters, digits, - or _")
name = _matching(
    "[A-Za-z0-9._:-]{1,253}",
    "must be a host name without a port",
    lambda value: value.lower().rstrip("."),
)
url = _matching(
    r"https?://[^/?#\s]+/?", "must be like https://host:port", lambda value: value.rstrip("/")
)


def pattern(value: str) -> str:
    """Return a host name, or a pattern of them."""
    if value != "*":
        name(value.removeprefix("*."))
    return value.lower().rstrip(".")


def choice(*choices: str) -> Kind:
    """Return the kind of these words."""

    def parse(value: str) -> str:
        if value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}", choices)
        return value

    return Kind(parse, "|".join(choices))


SERVICE_LINK = re.compile(r"\s*(tcp|udp|sctp)://")
SWITCH = Kind(switch, "true|false", takes=(bool,))
PORT = Kind(_or_none("off", _port), "PORT", none="off")
COUNT = Kind(count, "N")
DURATION = Kind(duration, "DURATION")
NAME = Kind(name, "NAME", takes=(str,))
PATTERN = Kind(pattern, "NAME", takes=(str,))
KEY = Kind(credential, "KEY", takes=(str,))


def text(metavar: str) -> Kind:
    """Return the kind of any text."""
    return Kind(str, metavar, takes=(str,))

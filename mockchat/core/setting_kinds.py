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


def port(value: str) -> int | None:
    """Return a port, or None for `off`."""
    if value == "off":
        return None
    if not re.fullmatch(r"[0-9]{1,5}", value) or int(value) > 65535:  # noqa: PLR2004
        raise ValueError("must be a port from 0 to 65535, or off")
    return int(value)


def count(value: str) -> int:
    """Return a whole number from 1 on."""
    if not re.fullmatch(r"[0-9]{1,9}", value) or int(value) < 1:
        raise ValueError("must be a whole number from 1 on")
    return int(value)


def integer(value: str) -> int:
    """Return a whole number."""
    try:
        return int(value)
    except ValueError:
        raise ValueError("must be a whole number") from None


def limit(value: str) -> int | None:
    """Return a whole number from 1 on, or None for `off`."""
    return None if value == "off" else count(value)


def size(value: str) -> int:
    """Return the bytes of a size like `500KiB`, `8MiB` or `100000`."""
    match = re.fullmatch(r"([0-9]{1,12})(KiB|MiB|GiB|)", value)
    if not match or not int(match[1]):
        raise ValueError("must be a size like 500KiB, 8MiB or 100000")
    return int(match[1]) * {"": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}[match[2]]


def lifetime(value: str) -> float | None:
    """Return the seconds of a duration, or None for `none`."""
    return None if value == "none" else timeout(value)


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


def choice(*choices: str) -> Kind:
    """Return the kind of these words."""

    def parse(value: str) -> str:
        if value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}", choices)
        return value

    return Kind(parse, "|".join(choices))


def credential(value: str) -> str:
    """Return a key or a token."""
    if not value or not value.isprintable() or any(map(str.isspace, value)):
        raise ValueError("must not be empty or contain spaces")
    return value


def app_id(value: str) -> str:
    """Return the id of an app."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value):
        raise ValueError("must be 1 to 64 letters, digits, - or _")
    return value


def name(value: str) -> str:
    """Return a host name."""
    if not re.fullmatch(r"[A-Za-z0-9._:-]{1,253}", value):
        raise ValueError("must be a host name without a port")
    return value.lower().rstrip(".")


def pattern(value: str) -> str:
    """Return a host name, or a pattern of them."""
    if value != "*":
        name(value.removeprefix("*."))
    return value.lower().rstrip(".")


def url(value: str) -> str:
    """Return a base URL."""
    if not re.fullmatch(r"https?://[^/?#\s]+/?", value):
        raise ValueError("must be like https://host:port")
    return value.rstrip("/")


SERVICE_LINK = re.compile(r"\s*(tcp|udp|sctp)://")
SWITCH = Kind(switch, "true|false", takes=(bool,))
PORT = Kind(port, "PORT", none="off")
COUNT = Kind(count, "N")
DURATION = Kind(duration, "DURATION")
NAME = Kind(name, "NAME", takes=(str,))
PATTERN = Kind(pattern, "NAME", takes=(str,))
KEY = Kind(credential, "KEY", takes=(str,))


def text(metavar: str) -> Kind:
    """Return the kind of any text."""
    return Kind(str, metavar, takes=(str,))

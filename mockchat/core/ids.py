"""Ids, the one place that is random, reproducible from a seed; and names derived from others."""

import hashlib
import random
from functools import lru_cache


class Ids:
    """Draws keys, tokens and secrets; the same seed and name give the same sequence."""

    def __init__(self, random_seed: int | None = None, name: str = "") -> None:
        self._random_seed = random_seed
        self._random = random.Random(None if random_seed is None else f"{random_seed}/{name}")  # nosec B311

    def of(self, name: str) -> "Ids":
        """Return the sequence of the same seed for `name` alone; without a seed, this one."""
        return self if self._random_seed is None else Ids(self._random_seed, name)

    def hex(self, digits: int) -> str:
        """Return `digits` random hexadecimal digits."""
        return f"{self._random.getrandbits(4 * digits):0{digits}x}"

    def auth_token(self, uid: str, now: int) -> str:
        """Return a token as the live service forms it: uid, `_`, 10-digit time, 30 hex digits."""
        return f"{uid}_{now:010d}{self._random.getrandbits(120):030x}"

    def chance(self) -> float:
        """Return a number from 0 up to but not 1."""
        return self._random.random()

    def whole(self) -> int:
        """Return a whole number that seeds another generator."""
        return self._random.getrandbits(32)


@lru_cache(maxsize=1024)
def channel_secret(app_secret: str, uid: str) -> str:
    """Return the secret of a user's WebSocket channel, the same at every login."""
    return hashlib.sha256(f"{app_secret}:{uid}".encode()).hexdigest()[:40]


def camel(name: str) -> str:
    """Return an attribute's name as JSON has it."""
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))

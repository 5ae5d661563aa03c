"""Ids: the one place that is random, reproducible from a seed."""

import random


class Ids:
    """Draws keys, tokens and secrets; the same seed and name give the same sequence."""

    def __init__(self, random_seed: int | None = None, name: str = "") -> None:
        self._random_seed = random_seed
        self._random = random.Random(None if random_seed is None else f"{random_seed}/{name}")

    def of(self, name: str) -> "Ids":
        """Return a sequence of the same seed that only `name` draws from."""
        return Ids(self._random_seed, name)

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

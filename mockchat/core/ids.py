"""Ids: the one place that is random, reproducible from a seed."""

import random


class Ids:
    """Mints keys, tokens and secrets; the same `random_seed` mints the same row of them."""

    def __init__(self, random_seed: int | None = None) -> None:
        self._random = random.Random(random_seed)

    def hex(self, digits: int) -> str:
        """Return `digits` random hexadecimal digits."""
        return f"{self._random.getrandbits(4 * digits):0{digits}x}"

    def auth_token(self, uid: str, now: int) -> str:
        """Return a token as the live service forms it: uid, `_`, 10-digit time, 30 hex digits."""
        return f"{uid}_{now:010d}{self._random.getrandbits(120):030x}"

    def api_key(self) -> str:
        """Return a key of 40 hexadecimal digits."""
        return self.hex(40)

    def chance(self) -> float:
        """Return a number from 0 up to but not 1."""
        return self._random.random()

    def whole(self) -> int:
        """Return a whole number for generators that want a seed of their own."""
        return self._random.getrandbits(32)

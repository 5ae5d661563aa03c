"""Durations: what people write as `25ms`, `10m` or `2h`, in seconds."""

import re

LONGEST = 10**9  # seconds that a test may ask for; 31 years
# As many digits as keep to it, whatever the unit.
SHORT = "|".join(
    rf"[0-9]{{1,{digits}}}(\.[0-9]{{1,9}})?{unit}"
    for digits, unit in ((9, "(ms|s)?"), (7, "m"), (5, "h"), (4, "d"))
)
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "": 1}


def duration(value: str) -> float:
    """Return the seconds of a duration like `25ms`, `1.5s`, `10m`, `2h`, `30d` or `3`."""
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h|d|)", value)
    if not match:
        raise ValueError("must be a duration like 25ms, 1.5s, 10m, 2h or 30d")
    return float(match[1]) * _UNITS[match[2]]


def seconds(value: float | str) -> float:
    """Return a duration in seconds, given as a number of them or as a text like `1h`."""
    return duration(value) if isinstance(value, str) else float(value)

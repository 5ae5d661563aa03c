"""Words of messages and log lines."""

import json


def counted(count: int, one: str, many: str) -> str:
    """Return `1 fault was` or `2 faults were`: the number and the words that go with it."""
    return f"{count} {one if count == 1 else many}"


def word(text: str) -> str:
    """Return a client's text as one word of a line, quoted where it is none."""
    plain = text.isprintable() and " " not in text
    return f"{text if plain else json.dumps(text):.100}"

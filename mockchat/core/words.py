"""Words of messages that depend on a number."""


def counted(count: int, one: str, many: str) -> str:
    """Return `1 fault was` or `2 faults were`: the number and the words that go with it."""
    return f"{count} {one if count == 1 else many}"

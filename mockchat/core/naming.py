"""Names: what Python writes with underscores, JSON writes in camel case."""


def camel(name: str) -> str:
    """Return an attribute's name as JSON has it."""
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))

"""Words of messages and log lines, questions for the name that was meant, errors for people."""

import json
from collections.abc import Iterable


class AdviceError(Exception):
    """An error for people: its message says what is wrong and what to do.

    A command that it ends has the exit status `status`.
    """

    status = 1


def counted(count: int, one: str, many: str) -> str:
    """Return `1 fault was` or `2 faults were`: the number and the words that go with it."""
    return f"{count} {one if count == 1 else many}"


def word(text: str) -> str:
    """Return a client's text as one word of a line, quoted where it is none."""
    plain = text.isprintable() and " " not in text
    return (text if plain else json.dumps(text))[:100]


def nearest(word: object, known: Iterable[str]) -> str | None:
    """Return the known name that is nearest to `word`, if one is near; case does not matter."""
    from difflib import get_close_matches  # noqa: PLC0415  # a start needs none of it

    by_lower = {name.lower(): name for name in known}
    near = get_close_matches(str(word)[:100].lower(), by_lower, 1)
    return by_lower[near[0]] if near else None


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return the question for the known name that is nearest to `word`, else all known names."""
    names = list(known)
    near = nearest(word, names)
    return f"did you mean {near!r}?" if near else f"there are {', '.join(names)}"


def guess(word: object, known: Iterable[str]) -> str:
    """Return ` Did you mean 'name'?` to follow a sentence, or nothing."""
    near = nearest(word, known)
    return f" Did you mean {near!r}?" if near else ""


def question(word: object, known: Iterable[str]) -> str:
    """Return `; did you mean 'name'?` to end a line, or nothing."""
    near = nearest(word, known)
    return f"; did you mean {near!r}?" if near else ""

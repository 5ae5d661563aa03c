"""Checks: a name that a test mistypes is an error in the line of the test."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, TypeVar

from mockchat.control.fields import METHODS, OPERATION_NAMES
from mockchat.core.words import did_you_mean

__tracebackhide__ = True
T = TypeVar("T")
_KINDS: dict[str, type] = {
    **dict.fromkeys(("operation", "method", "path", "uid", "code"), str),
    **dict.fromkeys(("status", "since"), int),
    "headers": Mapping,
}
_LAST_STATUS = 599


def check_keywords(given: Iterable[str], known: Iterable[str], refusal: str) -> None:
    """Raise TypeError for an argument that is not among the known ones.

    `refusal` is the sentence, with `{}` in place of the argument's name.
    """
    names = list(known)
    for name in given:
        if name not in names:
            raise TypeError(f"{refusal.format(repr(name))}; {did_you_mean(name, names)}")


def knowing_keywords(kit: type[T]) -> type[T]:
    """Let the verbs of a class refuse a mistyped keyword with the one that was meant."""
    for name, verb in list(vars(kit).items()):
        if not name.startswith("_") and inspect.isfunction(verb):
            setattr(kit, name, _knowing(verb))
    return kit


def _knowing(verb: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(verb)
    def call(*arguments: Any, **keywords: Any) -> Any:
        __tracebackhide__ = True
        known = inspect.signature(verb).parameters if keywords else {}
        if all(one.kind is not one.VAR_KEYWORD for one in known.values()):
            names = [name for name in known if name != "self"]
            check_keywords(keywords, names, f"{verb.__name__} has no {{}}")
        return verb(*arguments, **keywords)  # which checks the rest of its keywords itself

    return call


def check_where(given: Mapping[str, Any]) -> None:
    """Raise ValueError for an operation or a method that there is not."""
    for name, known in (("operation", OPERATION_NAMES), ("method", METHODS)):
        value = given.get(name)
        word = value.upper() if name == "method" and isinstance(value, str) else value
        if value is not None and word not in known:
            raise ValueError(f"there is no {name} {value!r}; {did_you_mean(value, known)}")


def check_values(given: Mapping[str, Any]) -> None:
    """Raise TypeError or ValueError for a value that no exchange can have: it would find none."""
    for name, kind in _KINDS.items():
        value = given.get(name)
        if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
            wanted = "a mapping" if kind is Mapping else "a text" if kind is str else "a number"
            raise TypeError(f"{name} is {wanted}, not {value!r}")
    status = given.get("status")
    if status is not None and not 0 <= status <= _LAST_STATUS:
        raise ValueError(f"status is from 0 (no answer) to {_LAST_STATUS}, not {status}")

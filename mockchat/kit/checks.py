"""Checks: a name that a test mistypes is an error in the line of the test."""

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeVar

from mockchat.core.words import did_you_mean

__tracebackhide__ = True
T = TypeVar("T")


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

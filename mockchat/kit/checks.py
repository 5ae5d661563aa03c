"""Checks: a name that a test mistypes is an error in the line of the test."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, TypeVar, get_args

from mockchat.core.words import did_you_mean
from mockchat.kit.names import Method, OperationName

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
            keywords = inspect.signature(verb).parameters.values()
            if all(one.kind is not one.VAR_KEYWORD for one in keywords):  # it checks its own
                known = [one.name for one in keywords if one.name != "self"]
                setattr(kit, name, _knowing(verb, known))
    return kit


def _knowing(verb: Callable[..., Any], known: list[str]) -> Callable[..., Any]:
    @wraps(verb)
    def call(*arguments: Any, **keywords: Any) -> Any:
        __tracebackhide__ = True
        check_keywords(keywords, known, f"{verb.__name__} has no {{}}")
        return verb(*arguments, **keywords)

    return call


def check_where(given: Mapping[str, Any]) -> None:
    """Raise ValueError for an operation or a method that there is not."""
    operation, method = given.get("operation"), given.get("method")
    if operation is not None and operation not in get_args(OperationName):
        known = did_you_mean(operation, get_args(OperationName))
        raise ValueError(f"there is no operation {operation!r}; {known}")
    if method is not None and str(method).upper() not in get_args(Method):
        raise ValueError(f"there is no method {method!r}; {did_you_mean(method, get_args(Method))}")


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

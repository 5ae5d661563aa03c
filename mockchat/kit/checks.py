"""Checks: a name that a test mistypes is an error in the line of the test."""

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from mockchat.core.words import did_you_mean
from mockchat.kit.names import Method, OperationName

__tracebackhide__ = True
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

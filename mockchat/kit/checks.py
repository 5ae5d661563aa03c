"""Checks: a name that a test mistypes is an error in the line of the test."""

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from mockchat.core.naming import did_you_mean
from mockchat.kit.names import Method, OperationName

__tracebackhide__ = True


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

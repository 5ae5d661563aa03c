"""Fault rules: a schema for each kind, and the header `X-Mock-Fault`."""

from collections.abc import Iterable
from dataclasses import Field as Parameter
from dataclasses import fields as parameters_of
from functools import cache
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError

from mockchat.api.fields import Choice, Field, Object, String, Whole
from mockchat.api.validation import Prepared, StrictSchema, declared, details_of
from mockchat.control.fields import AppId, Method, OperationName, Share, Span
from mockchat.core.fault_kinds import KINDS, HttpKind
from mockchat.core.faults import PRESETS, FaultError, Strikes, strikes_of
from mockchat.core.ids import camel
from mockchat.core.words import did_you_mean

LONGEST_TEXT = 500  # characters
MANY = 10**9
ENDLESS = 10**18 - 1  # as many digits as a whole number may have


class Match(StrictSchema):
    """The exchanges that fit every given field."""

    app = AppId()
    operation = OperationName()
    method = Method()
    path = String(maximum=LONGEST_TEXT)
    uid = String(maximum=LONGEST_TEXT)


class FaultRequest(Match):
    """A fault: its kind, the parameters of the kind, and the exchanges that it strikes."""

    VARIANTS: ClassVar[dict[str, type[Schema]]] = {}  # by kind

    kind = Choice((*KINDS, *PRESETS), required=True)
    match = Object(Match)
    probability = Share()
    times = Whole(1, MANY)
    after = Whole(0, MANY)
    random_seed = Whole(0, ENDLESS)


def _field(parameter: "Parameter[Any]") -> Field:
    """Return the field of a parameter; its name may be spelled as in Python or as in JSON."""
    name = parameter.name
    options: Any = {"data_key": camel(name), "metadata": {"aliases": (name,)}}
    if parameter.type is float:
        return Span(**options)
    if parameter.type in (str, str | None):
        return String(maximum=LONGEST_TEXT, **options)
    return Whole(*parameter.metadata["bounds"], **options)


# Field types by kind and parameter; presets have no parameters.
PARAMETERS: dict[str, dict[str, Field]] = {
    **{name: {one.name: _field(one) for one in parameters_of(row)} for name, row in KINDS.items()},
    **{name: {} for name in PRESETS},
}


def _variant(title: str, kinds: Iterable[str], parameters: dict[str, Field]) -> type[Schema]:
    names = tuple(kinds)
    kind = Choice(names, required=True)
    note = f"A fault: {' or '.join(names)}."
    return declared(FaultRequest, f"Fault_{title}", note, kind=kind, **parameters)


FaultRequest.VARIANTS = {
    **{name: _variant(name, [name], PARAMETERS[name]) for name in KINDS},
    **dict.fromkeys(PRESETS, _variant("preset", PRESETS, {})),
}


@cache
def _header(kind: str) -> Prepared:
    """Return the loader of a kind's parameters in a header."""
    return Prepared(StrictSchema.from_dict(dict(PARAMETERS[kind]), name=f"Parameters_{kind}"))


def in_header(text: str) -> list[tuple[str, Strikes]]:
    """Return the faults of a header by name: `latency=200ms;jitter=50ms, error=503`.

    The value behind the `=` of a kind is its first parameter. Raises FaultError.
    """
    found = []
    for part in filter(None, map(str.strip, text.split(","))):
        (called, equals, value), *others = (one.partition("=") for one in part.split(";"))
        called = called.strip()
        parameters = {name.strip(): given.strip() for name, _, given in others}
        if equals:
            parameters[_first_parameter(called)] = value.strip()
        found.append((called, _strikes(called, parameters)))
    return found


def _first_parameter(called: str) -> str:
    if called in PARAMETERS and not PARAMETERS[called]:
        raise FaultError("kind", f"{called} takes no value")
    return next(iter(PARAMETERS.get(called, ("",))))


def _strikes(called: str, parameters: dict[str, str]) -> Strikes:
    if called not in PARAMETERS:
        raise FaultError("kind", f"{called!r:.80} is no fault; {did_you_mean(called, PARAMETERS)}")
    if called in KINDS and not issubclass(KINDS[called], HttpKind):
        raise FaultError("kind", f"{called} strikes WebSockets, which no header asks for")
    try:
        values = _header(called).load(parameters)
    except ValidationError as error:
        field, (reason, *_) = next(iter(details_of(error.messages).items()))
        raise FaultError(field, reason) from None
    given = {name: value for name, value in values.items() if value is not None}
    return strikes_of(called, given)

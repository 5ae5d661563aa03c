"""Control actions on faults, which make exchanges go wrong, and the header `X-Mock-Fault`."""

import inspect
from collections.abc import Iterable
from dataclasses import Field as Parameter
from dataclasses import fields as parameters_of
from functools import cache
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError

from mockchat.api.fields import Choice, Field, Object, String, Whole
from mockchat.api.operation import Ack, Call
from mockchat.api.validation import Prepared, StrictSchema, declared, details_of, refuse
from mockchat.control import answers, requests
from mockchat.control.fields import Share, Span
from mockchat.control.requests import ENDLESS, LONGEST_TEXT, MANY, Match
from mockchat.core import errors
from mockchat.core.fault_kinds import KINDS, HttpKind, Kind
from mockchat.core.faults import PRESETS, FaultError, Rule, Strikes, strikes_of
from mockchat.core.ids import camel
from mockchat.core.matching import Pattern
from mockchat.core.words import counted, did_you_mean

table = requests.ControlTable()


# --- requests -------------------------------------------------------------------------------
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


# --- operations -----------------------------------------------------------------------------
def _shown(rule: Rule) -> dict[str, Any]:
    shown = {
        "id": rule.id,
        "kind": rule.called,
        "parameters": {} if rule.called in PRESETS else _values(rule.strikes[0][0]),
        "match": {name: it for name, it in rule.pattern._asdict().items() if it is not None},
        "app": rule.app_id,
        "probability": rule.probability,
        "times": rule.times,
        "after": rule.after,
        "seen": rule.seen,
        "struck": rule.struck,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _values(kind: Kind) -> dict[str, Any]:
    given = {camel(one.name): getattr(kind, one.name) for one in parameters_of(kind)}
    return {name: value for name, value in given.items() if value not in (None, "")}


def kind_rows() -> list[dict[str, Any]]:
    """Return the kinds of faults and the presets as plain data."""
    rows = [
        {
            "kind": name,
            "does": (inspect.getdoc(kind) or "").partition("\n")[0],
            "channel": "http" if issubclass(kind, HttpKind) else "websocket",
            "parameters": [
                {"name": camel(one.name), "help": one.metadata["help"], "default": one.default}
                for one in parameters_of(kind)
            ],
        }
        for name, kind in KINDS.items()
    ]
    presets = [
        {"kind": name, "does": preset.does, "channel": "preset", "parameters": []}
        for name, preset in PRESETS.items()
    ]
    return rows + presets


@table.get("/faults/kinds", returns=answers.KindSchema)
def list_fault_kinds(_call: Call) -> list[dict[str, Any]]:
    """List the kinds of faults and the presets, with their parameters."""
    return kind_rows()


@table.get("/faults", returns=answers.FaultSchema)
def list_faults(call: Call) -> list[dict[str, Any]]:
    """List the faults of an app, or all, and how often each struck."""
    return [_shown(rule) for rule in _rules(call)]


def _rules(call: Call) -> list[Rule]:
    return call.server.store.faults.of(None if call.every_app else call.app.id)


@table.post("/faults", body=FaultRequest, returns=answers.FaultSchema)
def add_fault(call: Call) -> dict[str, Any]:
    """Add a fault that strikes exchanges of one app or of all.

    It spares the first `after` that fit, then strikes at most `times`, each with `probability`,
    reproducible from `randomSeed`.
    """
    body = call.body
    kind, match = body["kind"], body.get("match") or {}
    app_id = match.get("app") or (None if call.every_app else call.app.id)
    wanted = {name: body.get(name) or match.get(name) or None for name in Pattern._fields}
    parameters = {name: body[name] for name in PARAMETERS[kind] if body.get(name) is not None}
    random_seed = body.get("random_seed")
    if random_seed is None:
        random_seed = (call.only_app or call.server.store).ids.whole()
    try:
        rule = call.server.store.faults.add(
            kind,
            parameters,
            app_id=app_id,
            pattern=Pattern(**wanted),
            probability=1.0 if body.get("probability") is None else body["probability"],
            times=body.get("times"),
            after=body.get("after") or 0,
            random_seed=random_seed,
        )
    except FaultError as error:
        raise refuse(camel(error.field), "plain", reason=error.reason) from None
    rule.added = call.server.store.clock.wall()
    return _shown(rule)


@table.delete("/faults")
def clear_faults(call: Call) -> Ack:
    """Remove the faults of an app, or all faults."""
    rules = _rules(call)
    call.server.store.faults.remove(rules)
    return Ack(f"{counted(len(rules), 'fault was', 'faults were')} removed.")


@table.delete("/faults/{fault}", errors=(errors.MOCK_NOT_FOUND,))
def remove_fault(call: Call) -> Ack:
    """Remove a fault."""
    named = call.path["fault"]
    rules = [rule for rule in _rules(call) if str(rule.id) == named]
    if not rules:
        raise requests.not_found("fault", named)
    call.server.store.faults.remove(rules)
    return Ack(f"The fault {named} was removed.")


# --- the header `X-Mock-Fault` --------------------------------------------------------------
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

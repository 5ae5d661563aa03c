"""Control actions on faults, which make exchanges go wrong."""

import inspect
from dataclasses import fields
from typing import Any

from mockchat.api.operation import Ack, Call
from mockchat.api.validation import refuse
from mockchat.control import answers, requests
from mockchat.control.fault_rules import PARAMETERS, FaultRequest
from mockchat.core import errors
from mockchat.core.fault_kinds import KINDS, HttpKind, Kind
from mockchat.core.faults import PRESETS, FaultError, Rule
from mockchat.core.ids import camel
from mockchat.core.matching import Pattern
from mockchat.core.words import counted

table = requests.ControlTable()

_PATTERN = ("operation", "method", "path", "uid")


def _shown(rule: Rule) -> dict[str, Any]:
    pattern = {name: getattr(rule.pattern, name) for name in _PATTERN}
    shown = {
        "id": rule.id,
        "kind": rule.called,
        "parameters": {} if rule.called in PRESETS else _values(rule.strikes[0][0]),
        "match": {name: value for name, value in pattern.items() if value is not None},
        "app": rule.app_id,
        "probability": rule.probability,
        "times": rule.times,
        "after": rule.after,
        "seen": rule.seen,
        "struck": rule.struck,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _values(kind: Kind) -> dict[str, Any]:
    given = {camel(one.name): getattr(kind, one.name) for one in fields(kind)}
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
                for one in fields(kind)
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
    wanted = {name: body.get(name) or match.get(name) or None for name in _PATTERN}
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

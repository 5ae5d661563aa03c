"""The wire shapes of control requests; what they do not know they refuse."""

from collections.abc import Iterable, Iterator
from dataclasses import fields as parameters_of
from typing import Any, ClassVar

from marshmallow import RAISE, Schema

from mockchat.api.validation import Choice, Flag, String, Whole
from mockchat.control.fields import (
    AnyObject,
    AppId,
    ErrorCode,
    Fixture,
    Instant,
    Share,
    Span,
    State,
)
from mockchat.core.fault_kinds import KINDS
from mockchat.core.faults import BOUNDS, LONGEST_TEXT, PRESETS
from mockchat.core.ids import camel
from mockchat.core.seed import MAX_FAKE_USERS

DEFAULT_LIMIT = 100  # exchanges of an answer
_MANY = 10**9
_ENDLESS = 10**18 - 1  # as many digits as a whole number may have
_LONGEST_WAIT = 60.0  # seconds


class ControlSchema(Schema):
    """What every control action may say: the app that it is about, else all are."""

    class Meta:
        """marshmallow's options."""

        unknown = RAISE

    # Where what one field may say depends on another: the shapes that the request may have.
    WAYS: ClassVar[tuple[type[Schema], ...]] = ()

    app = AppId()


class SeedRequest(ControlSchema):
    """What is to be added to each app; no more `users` than that in all."""

    fixture = Fixture()
    users = Whole(1, MAX_FAKE_USERS)


class SnapshotRequest(ControlSchema):
    """The contents of a snapshot as `GET` answers them; without, the state of now is taken."""

    apps = State()


def _field(name: str, declared: Any) -> Any:
    if declared is float:
        return Span(data_key=camel(name))
    if declared in (str, str | None):
        return String(maximum=LONGEST_TEXT, data_key=camel(name))
    return Whole(*BOUNDS[name], data_key=camel(name))


PARAMETERS: dict[str, Any] = {
    one.name: _field(one.name, one.type) for kind in KINDS.values() for one in parameters_of(kind)
}


class Match(ControlSchema):
    """Which exchanges a fault strikes, as an object of its own."""

    operation = String(maximum=LONGEST_TEXT)
    method = String(maximum=LONGEST_TEXT)
    path = String(maximum=LONGEST_TEXT)
    uid = String(maximum=LONGEST_TEXT)


class FaultKnobs(ControlSchema):
    """A fault: its kind, the kind's parameters, and which exchanges it strikes."""

    kind = Choice((*KINDS, *PRESETS), required=True)
    operation = String(maximum=LONGEST_TEXT)
    method = String(maximum=LONGEST_TEXT)
    path = String(maximum=LONGEST_TEXT)
    uid = String(maximum=LONGEST_TEXT)
    match = AnyObject(metadata={"takes_schema": Match})
    probability = Share()
    times = Whole(1, _MANY)
    after = Whole(0, _MANY)
    random_seed = Whole(0, _ENDLESS, data_key="randomSeed")


FaultRequest: Any = FaultKnobs.from_dict(PARAMETERS, name="FaultRequest")
FaultRequest.__doc__ = FaultKnobs.__doc__


def _way(title: str, kinds: Iterable[str], **parameters: Any) -> Any:
    names = tuple(kinds)
    chosen = {"kind": Choice(names, required=True), **parameters}
    way = FaultKnobs.from_dict(chosen, name=f"Fault_{title}")
    way.__doc__ = f"A fault: {' or '.join(names)}."
    return way


def _ways() -> Iterator[Any]:
    """Yield a shape for each set of parameters that kinds have, `error` apart: it needs one."""
    alike: dict[tuple[str, ...], list[str]] = {(): [*PRESETS]}
    for name, kind in KINDS.items():
        if name != "error":
            names = tuple(one.name for one in parameters_of(kind))
            alike.setdefault(names, []).append(name)
    for names, kinds in alike.items():
        parameters = {name: PARAMETERS[name] for name in names}
        yield _way("_".join(names) or "alone", kinds, **parameters)
    texts = {"code": PARAMETERS["code"], "message": PARAMETERS["message"]}
    status = Whole(*BOUNDS["status"])
    yield _way("code", ("error",), **texts | {"status": status, "code": ErrorCode(required=True)})
    required = Whole(*BOUNDS["status"], required=True)
    yield _way("code_status", ("error",), **texts, status=required)


# What a fault of each kind may say; a request is loaded by the one that holds all of it.
FaultRequest.WAYS = tuple(_ways())


class AppQuery(ControlSchema):
    """Which app, else all."""


class ExchangeQuery(ControlSchema):
    """Which exchanges.

    `since` is the id of one, `cursor` that of an answer: what was in the journal then is left out.
    """

    operation = String(maximum=LONGEST_TEXT)
    method = String(maximum=LONGEST_TEXT)
    path = String(maximum=LONGEST_TEXT)
    uid = String(maximum=LONGEST_TEXT)
    status = Whole(0, 599)
    code = String()
    since = Whole(0, _MANY)
    cursor = Whole(0, _ENDLESS)


class JournalQuery(ExchangeQuery):
    """Which exchanges, how many of them, and how long to `wait` until `count` are there."""

    limit = Whole(1, 10_000, load_default=DEFAULT_LIMIT)
    count = Whole(1, 10_000, load_default=1)
    wait = Span(_LONGEST_WAIT)


class ClockRequest(ControlSchema):
    """What time is to do: `freeze` (now, or `at`), `advance` by seconds, `resume`."""

    freeze = Flag()
    at = Instant()
    advance = Span()
    resume = Flag()


class HoldRequest(ControlSchema):
    """Whose logins: a uid's, else everybody's."""

    uid = String()


class HoldQuery(ControlSchema):
    """Whose logins; `wait` is how long to wait until `count` are held open."""

    uid = String()
    wait = Span(_LONGEST_WAIT)
    count = Whole(1, 1000, load_default=1)

"""The wire shapes of control requests; what they do not know they refuse."""

from dataclasses import fields as parameters_of
from typing import Any

from marshmallow import RAISE, Schema

from mockchat.api.validation import Choice, Flag, String, Whole
from mockchat.control.fields import AnyObject, Fixture, Instant, Share, Span
from mockchat.core.fault_kinds import KINDS
from mockchat.core.faults import BOUNDS, LONGEST, LONGEST_TEXT, PRESETS
from mockchat.core.people import MAX_PEOPLE

_MANY = 10**9
_LONGEST_WAIT = 60.0  # seconds


class ControlSchema(Schema):
    """What every control action may say: the app that it is about, else all are."""

    class Meta:
        """marshmallow's options."""

        unknown = RAISE

    app = String()


class SeedRequest(ControlSchema):
    """What is to be added."""

    fixture = Fixture()
    users = Whole(1, MAX_PEOPLE)


class SnapshotRequest(ControlSchema):
    """The contents of a snapshot as `GET` answers them; without, the state of now is taken."""

    apps = AnyObject()


def camel(name: str) -> str:
    """Return an attribute's name as JSON has it."""
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def _field(name: str, declared: Any) -> Any:
    if declared is float:
        return Span(LONGEST, data_key=camel(name))
    if declared in (str, str | None):
        return String(maximum=LONGEST_TEXT, data_key=camel(name))
    return Whole(*BOUNDS[name], data_key=camel(name))


PARAMETERS: dict[str, Any] = {
    one.name: _field(one.name, one.type) for kind in KINDS.values() for one in parameters_of(kind)
}


class FaultKnobs(ControlSchema):
    """A fault: its kind, the kind's parameters, and which exchanges it strikes."""

    kind = Choice((*KINDS, *PRESETS), required=True)
    operation = String(maximum=LONGEST_TEXT)
    method = String(maximum=LONGEST_TEXT)
    path = String(maximum=LONGEST_TEXT)
    uid = String(maximum=LONGEST_TEXT)
    match = AnyObject()
    probability = Share()
    times = Whole(1, _MANY)
    after = Whole(0, _MANY)
    random_seed = Whole(0, 2**63 - 1, data_key="randomSeed")


FaultRequest: Any = FaultKnobs.from_dict(PARAMETERS, name="FaultRequest")
FaultRequest.__doc__ = FaultKnobs.__doc__


class Match(ControlSchema):
    """Which exchanges a fault strikes, as an object of its own."""

    operation = String(maximum=LONGEST_TEXT)
    method = String(maximum=LONGEST_TEXT)
    path = String(maximum=LONGEST_TEXT)
    uid = String(maximum=LONGEST_TEXT)


class AppQuery(ControlSchema):
    """Which app, else all."""


class JournalQuery(ControlSchema):
    """Which exchanges, and how long to `wait` until `count` are there.

    `since` is the id of one, `cursor` that of an answer: what was in the journal then is left out.
    """

    operation = String(maximum=LONGEST_TEXT)
    method = String(maximum=LONGEST_TEXT)
    path = String(maximum=LONGEST_TEXT)
    uid = String(maximum=LONGEST_TEXT)
    status = Whole(0, 599)
    code = String()
    since = Whole(0, _MANY)
    cursor = Whole(0, _MANY)
    limit = Whole(1, 10_000, load_default=100)
    count = Whole(1, 10_000)
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

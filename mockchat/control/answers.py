"""Schemas of control answers, all of plain data."""

from marshmallow import fields

from mockchat.api.plain import AnySchema
from mockchat.control.stored import Apps
from mockchat.core.fault_kinds import KINDS
from mockchat.core.faults import PRESETS


def _text() -> fields.String:
    return fields.String(required=True)


def _whole() -> fields.Integer:
    return fields.Integer(required=True)


class SeededSchema(AnySchema):
    """The number of users that were added, and the apps that got them."""

    users = _whole()
    apps = fields.List(fields.String(), required=True)


class SnapshotSchema(AnySchema):
    """A stored snapshot: its name, its apps and the number of its users."""

    name = _text()
    app = fields.String(metadata={"description": "The app whose own snapshot it is."})
    apps = fields.List(fields.String(), required=True)
    users = _whole()


class StateSchema(AnySchema):
    """Everything that apps hold, by app id."""

    apps = Apps(required=True)


class ParameterSchema(AnySchema):
    """A parameter of a fault kind."""

    name = _text()
    help = _text()
    default = fields.Raw(required=True)


class KindSchema(AnySchema):
    """A fault kind, or a preset of them."""

    kind = fields.String(required=True, metadata={"enum": [*KINDS, *PRESETS]})
    does = _text()
    channel = fields.String(required=True, metadata={"enum": ["http", "websocket", "preset"]})
    parameters = fields.List(fields.Nested(ParameterSchema), required=True)


class FaultSchema(AnySchema):
    """A fault and how often it struck."""

    id = _whole()
    kind = _text()
    parameters = fields.Dict(required=True)
    match = fields.Dict(fields.String(), fields.String(), required=True)
    app = fields.String()
    probability = fields.Float(required=True)
    times = fields.Integer()
    after = _whole()
    seen = fields.Integer(required=True, metadata={"description": "Exchanges that it fitted."})
    struck = fields.Integer(required=True, metadata={"description": "Exchanges that it struck."})


class MessageSchema(AnySchema):
    """One side of an exchange."""

    headers = fields.List(fields.List(fields.String()), required=True)
    body = fields.Raw(
        required=True, metadata={"description": "JSON where it is JSON, else text, else null."}
    )


class FrameSchema(AnySchema):
    """A message of a WebSocket."""

    sent = fields.Boolean(required=True, metadata={"description": "By the client."})
    at = fields.Float(required=True)
    text = _text()


class ExchangeSchema(AnySchema):
    """A request and its answer; status 0 means that there was none."""

    id = _whole()
    app = _text()
    at = fields.Float(required=True, metadata={"description": "Unix seconds."})
    milliseconds = fields.Float(required=True)
    method = _text()
    path = _text()
    target = fields.String(required=True, metadata={"description": "As it was sent."})
    operation = fields.String()
    uid = fields.String()
    status = _whole()
    code = fields.String()
    faults = fields.List(fields.String())
    hint = fields.String()
    request = fields.Nested(MessageSchema, required=True)
    response = fields.Nested(MessageSchema, required=True)
    frames = fields.List(fields.Nested(FrameSchema))


class JournalSchema(AnySchema):
    """The number of exchanges that fit the query, and the newest of them, oldest first."""

    count = _whole()
    cursor = fields.Integer(
        required=True, metadata={"description": "Of the next query, for exchanges that came since."}
    )
    exchanges = fields.List(fields.Nested(ExchangeSchema), required=True)


class HarSchema(AnySchema):
    """A journal in HAR 1.2."""

    log = fields.Dict(required=True)


class ClockSchema(AnySchema):
    """The time of an app or of the server."""

    now = fields.Float(required=True, metadata={"description": "Unix seconds."})
    time = _text()
    frozen = fields.Boolean(required=True)


class LoginsSchema(AnySchema):
    """The uids whose logins are held (`*`: all), and the logins that wait now, by app id."""

    held = fields.Dict(fields.String(), fields.List(fields.String()), required=True)
    waiting = fields.Dict(fields.String(), fields.List(fields.String()), required=True)

"""Schemas of control answers, all of plain data."""

from marshmallow import fields

from mockchat.api.plain import MetaSchema, a_list, an_object, answer, flag, text, whole
from mockchat.control.stored import Apps
from mockchat.core.errors import Evidence
from mockchat.core.fault_kinds import KINDS
from mockchat.core.faults import PRESETS


def _number(note: str | None = None) -> fields.Float:
    return fields.Float(required=True, metadata={"description": note} if note else {})


def _texts() -> fields.List[str]:
    return a_list(fields.String())


SavedSchema = answer(
    "SavedSchema",
    "Whether the state file has every change, and why the last save failed.",
    saved=flag(),
    error=text(allow_none=True),
)
HealthSchema = answer(
    "HealthSchema",
    "Signs of life; `state` where a state file is kept.",
    status=text(),
    version=text(),
    app=text(),
    state=fields.Nested(SavedSchema),
)
KeySetSchema = answer("KeySetSchema", "A JSON Web Key Set (RFC 7517).", keys=a_list(fields.Dict()))
FaceSchema = answer(
    "FaceSchema",
    "An error in one dialect.",
    code=text(),
    status=whole(),
    message=text(),
    evidence=text(metadata={"enum": list(Evidence)}),
)
ErrorRowSchema = answer(
    "ErrorRowSchema",
    "A row of the error catalogue.",
    name=text(),
    when=text(),
    documented=fields.Nested(FaceSchema, required=True),
    live=fields.Nested(FaceSchema, required=True),
)
SeededSchema = answer(
    "SeededSchema",
    "The number of users that were added, and the apps that got them.",
    users=whole(),
    apps=_texts(),
)
SnapshotSchema = answer(
    "SnapshotSchema",
    "A stored snapshot: its name, its apps and the number of its users.",
    name=text(),
    app=fields.String(metadata={"description": "The app that owns the snapshot."}),
    apps=_texts(),
    users=whole(),
)
ContentsSchema = answer(
    "ContentsSchema", "The contents of apps, by app id.", apps=Apps(required=True)
)
StateSchema = answer(
    "StateSchema",
    "The contents of apps, by app id, and the number of apps that made room for others.",
    apps=Apps(required=True),
    evicted=whole(),
)
ParameterSchema = answer(
    "ParameterSchema",
    "A parameter of a fault kind.",
    name=text(),
    help=text(),
    default=fields.Raw(required=True),
)
KindSchema = answer(
    "KindSchema",
    "A fault kind, or a preset of them.",
    kind=text(metadata={"enum": [*KINDS, *PRESETS]}),
    does=text(),
    channel=text(metadata={"enum": ["http", "websocket", "preset"]}),
    parameters=a_list(fields.Nested(ParameterSchema)),
)
FaultSchema = answer(
    "FaultSchema",
    "A fault and how often it struck.",
    id=whole(),
    kind=text(),
    parameters=an_object(),
    match=an_object(fields.String(), fields.String()),
    app=fields.String(),
    probability=_number(),
    times=fields.Integer(),
    after=whole(),
    seen=whole(metadata={"description": "The number of exchanges that it fitted."}),
    struck=whole(metadata={"description": "The number of exchanges that it struck."}),
)
MessageSchema = answer(
    "MessageSchema",
    "One side of an exchange.",
    headers=a_list(fields.List(fields.String())),
    body=fields.Raw(
        required=True, metadata={"description": "JSON where it is JSON, else text, else null."}
    ),
)
FrameSchema = answer(
    "FrameSchema",
    "A message of a WebSocket.",
    sent=flag(metadata={"description": "Whether the client sent it."}),
    at=_number("Unix seconds."),
    text=text(),
)
ExchangeSchema = answer(
    "ExchangeSchema",
    "A request and its answer; status 0 means that there was none.",
    id=whole(),
    app=text(),
    at=_number("Unix seconds."),
    milliseconds=_number(),
    method=text(),
    path=text(),
    target=text(metadata={"description": "Path and query as the client sent them."}),
    operation=fields.String(),
    uid=fields.String(),
    status=whole(),
    code=fields.String(),
    faults=fields.List(fields.String()),
    hint=fields.String(),
    request=fields.Nested(MessageSchema, required=True),
    response=fields.Nested(MessageSchema, required=True),
    frames=fields.List(fields.Nested(FrameSchema)),
)
JournalSchema = answer(
    "JournalSchema",
    "The number of exchanges that fit the query, and the newest of them, oldest first.",
    count=whole(),
    cursor=whole(metadata={"description": "The `cursor` of a query for later exchanges."}),
    exchanges=a_list(fields.Nested(ExchangeSchema)),
)
HarSchema = answer("HarSchema", "A journal in HAR 1.2.", log=an_object())
ClockSchema = answer(
    "ClockSchema",
    "The time of an app or of the server.",
    now=_number("Unix seconds."),
    time=text(),
    frozen=flag(),
)
WebhookSchema = answer(
    "WebhookSchema",
    "A webhook: its id, which deliveries name, its app and its URL.",
    id=text(),
    app=text(),
    url=text(),
)
LoginsSchema = answer(
    "LoginsSchema",
    "The uids whose logins are held (`*`: all), and the logins that wait now, by app id.",
    held=an_object(fields.String(), fields.List(fields.String())),
    waiting=an_object(fields.String(), fields.List(fields.String())),
)
EventSchema = answer("EventSchema", "Events by the rules of server-sent events.")
RulesSchema = answer(
    "RulesSchema",
    "The rules of an app; a limit or lifetime that is not set is left out.",
    anyKey=flag(),
    errors=text(),
    loginLatency=_number("Seconds."),
    maxUsers=fields.Integer(),
    rateLimit=fields.Integer(metadata={"description": "Requests a minute."}),
    tokenTtl=fields.Float(metadata={"description": "Seconds."}),
    tokens=text(),
    unbuilt=text(),
)
SettingSchema = answer(
    "SettingSchema",
    "A setting of the start of the server.",
    name=text(),
    value=text(),
    help=text(),
)
StartSchema = answer(
    "StartSchema",
    "The rules, which can be changed, the settings of the start, and the addresses.",
    rules=fields.Nested(RulesSchema, required=True),
    settings=a_list(fields.Nested(SettingSchema)),
    url=fields.String(metadata={"description": "Of HTTP, if there is."}),
    httpsUrl=fields.String(metadata={"description": "Of HTTPS, if there is."}),
    hasCa=flag(),
)
PerformedSchema = answer(
    "PerformedSchema",
    "The operation's answer to a back end: its `data`, and the `meta` of a list.",
    result=fields.Raw(required=True),
    meta=fields.Nested(MetaSchema),
)
LoginSchema = answer(
    "LoginSchema",
    "An auth token and its owner.",
    app=text(),
    uid=text(),
    name=text(),
    authToken=text(),
    createdAt=whole(metadata={"description": "Unix seconds."}),
    age=_number("Seconds by the clock of the app."),
    device=fields.String(),
    platform=fields.String(),
    online=flag(metadata={"description": "Whether the owner is online."}),
)

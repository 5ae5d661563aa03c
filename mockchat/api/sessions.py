"""Sessions: the JWT of a WebSocket, telemetry and the analytics ping (sdk-wire 1.3)."""

from mockchat.api import plain, requests, schemas
from mockchat.api.operation import Access, Ack, Call, OperationTable
from mockchat.api.session_jwt import issue_jwt
from mockchat.core.errors import Evidence

table = OperationTable()


@table.add(
    "POST",
    "/me/jwt",
    access=Access.TOKEN,
    body=requests.JwtRequest,
    returns=plain.JwtSchema,
    evidence=Evidence.DOCUMENTED,
)
def create_jwt(call: Call) -> dict[str, str]:
    """Create a session JWT; what is passed through comes back as its claim `passthrough`."""
    app = call.app
    return {
        "token": issue_jwt(app, call.user_caller.token, call.body.get("passthrough") or {}, app.now)
    }


@table.add(
    "POST",
    "/user_sessions",
    access=Access.TOKEN,
    body=requests.SessionReport,
    returns=plain.SessionSchema,
    evidence=Evidence.DOCUMENTED,
)
def report_session(call: Call) -> dict[str, str]:
    """Take a session's telemetry and echo its id."""
    return {"sessionId": call.body.get("session_id") or call.app.ids.hex(64)}


@table.add(
    "POST",
    "/ping",
    access=Access.TOKEN,
    returns=schemas.AckSchema,
    evidence=Evidence.DOCUMENTED,
)
def ping_analytics(call: Call) -> Ack:
    """Take an analytics ping of a client."""
    return Ack(f"Ping of {call.user_caller.user.uid} received.")

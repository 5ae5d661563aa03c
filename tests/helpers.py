"""Verbs of the tests: what a back end or a client does, and what it then expects to see."""

import asyncio
import contextlib
import functools
import inspect
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any

from aiohttp import ClientResponse, ClientWebSocketResponse, web
from aiohttp.test_utils import TestClient
from yarl import URL

from mockchat.api import OPERATIONS, UNBUILT
from mockchat.api.access import Access
from mockchat.api.operation import Operation
from mockchat.control import CONTROL_OPERATIONS
from mockchat.core.errors import ErrorDef, Face
from mockchat.core.journal import Exchange
from mockchat.core.webhooks import OPERATION as WEBHOOK_POST
from mockchat.wire.app import STORE
from mockchat.wire.routing import Router, parse_path

Client = TestClient[web.Request, web.Application]
Serve = Callable[..., Awaitable[Client]]
Request = Awaitable[ClientResponse]
Json = Any

NOW = 1_700_000_000  # when the tests' frozen clock stands
PATIENCE = 5  # seconds until a test that waits for an event gives up
AUTH_KEY = {"apikey": "AUTH_KEY"}
FORM = "application/x-www-form-urlencoded"
CHUNKED = b"Transfer-Encoding: chunked"
REST_KEY = {"apikey": "REST_API_KEY"}
SEED_UIDS = [
    *(f"cometchat-uid-{number}" for number in range(1, 6)),
    *(f"SUPERHERO{number}" for number in range(1, 6)),
]
ALL_OPERATIONS = (*OPERATIONS, *UNBUILT, *CONTROL_OPERATIONS)
_ROUTER = Router(ALL_OPERATIONS)


# --- tests of many rows ---------------------------------------------------------------------
def each_row(names: str | tuple[str, ...], rows: Iterable[Any]) -> Callable[[Any], Any]:
    """Run a test with every row, as one test, whose failure names the row.

    `names` and `rows` are those of `pytest.mark.parametrize`. For every row, the server of the
    fixture `client` goes back to its seed and to the time `NOW`.
    """
    wanted = (names,) if isinstance(names, str) else names
    values = [(row,) if isinstance(names, str) else row for row in rows]
    kept = [dict(zip(wanted, row, strict=True)) for row in values]

    def decorate(test: Any) -> Any:
        async def run(**fixtures: Any) -> None:
            for number, row in enumerate(kept):
                if number:
                    await _renew(**fixtures)
                with telling(**row):
                    await test(**fixtures, **row)

        def run_plain(**fixtures: Any) -> None:
            for row in kept:
                with telling(**row):
                    test(**fixtures, **row)

        done = functools.wraps(test)(run if inspect.iscoroutinefunction(test) else run_plain)
        signature = inspect.signature(test)
        others = [one for one in signature.parameters.values() if one.name not in wanted]
        done.__signature__ = signature.replace(parameters=others)  # type: ignore[attr-defined]
        return done

    return decorate


@contextlib.contextmanager
def telling(**row: Any) -> Iterator[None]:
    """Name the row with whatever fails in the block."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"The row: {row!s:.500}")
        raise


async def _renew(client: Any = None, **_others: Any) -> None:
    if client:
        await body_of(client.post("/_mock/reset"))
        client.app[STORE].clock.freeze(NOW)


# --- what callers do ------------------------------------------------------------------------
def by_token(token: str) -> dict[str, str]:
    """The header of a client that is logged in."""
    return {"authToken": token}


async def create_user(client: Client, uid: str, **fields: Json) -> Json:
    body = {"uid": uid, "name": f"User {uid}", **fields}
    return await data_of(client.post("/users", json=body, headers=REST_KEY))


async def get_user(client: Client, uid: str) -> Json:
    return await data_of(client.get(f"/users/{uid}", headers=REST_KEY))


async def get_as_encoded(client: Client, path: str, headers: dict[str, str]) -> ClientResponse:
    """Get a path as it is; aiohttp's client would encode it anew."""
    url = URL(f"http://{client.host}:{client.port}{path}", encoded=True)
    return await client.session.get(url, headers=headers)


async def issue_token(client: Client, uid: str, **body: Json) -> str:
    path = f"/users/{uid}/auth_tokens"
    token: str = (await data_of(client.post(path, json=body, headers=AUTH_KEY)))["authToken"]
    return token


async def perform(client: Client, operation: Operation, **options: Any) -> ClientResponse:
    """Call an operation with credentials and a path that it takes."""
    wanted = operation.access is Access.TOKEN or "{authToken}" in operation.path
    token = await issue_token(client, "superhero2") if wanted else ""
    known = {"uid": "superhero2", "authToken": token, "role": "default", "apiKey": "API_KEY"}
    values = defaultdict(lambda: "any", known)
    headers = by_token(token) if operation.access is Access.TOKEN else REST_KEY
    path = operation.path.format_map(values)
    return await client.request(operation.method, path, headers=headers, **options)


async def log_in(client: Client, uid: str, **body: Json) -> Json:
    """Log in as SDKs do: a token by key, then `PUT /me` with it."""
    token = await issue_token(client, uid, **body)
    return await data_of(client.put("/me", json=body, headers=by_token(token)))


async def connect(client: Client, me: Json, **frame: Json) -> ClientWebSocketResponse:
    """Open the WebSocket of a logged-in user and authenticate."""
    socket = await client.ws_connect("/")
    await socket.send_json(auth_frame(me["jwt"], **frame))
    reply = await socket.receive_json(timeout=PATIENCE)
    assert reply["body"] == {"code": "200", "status": "OK"}, reply
    return socket


def auth_frame(jwt: str, app_id: str = "APP_ID", **body: Json) -> Json:
    return {"appId": app_id, "type": "auth", "deviceId": "d1", "body": {"auth": jwt, **body}}


# --- what testers do ------------------------------------------------------------------------
async def journal_of(client: Client, **query: Any) -> list[Json]:
    """The exchanges that the journal lists."""
    exchanges: list[Json] = (await body_of(client.get("/_mock/journal", params=query)))["exchanges"]
    return exchanges


async def steer(client: Client, method: str, path: str, **body: Json) -> Json:
    """Call the control API, which must do what it is told."""
    return await body_of(client.request(method, f"/_mock/{path}", json=body))


# --- what they expect -----------------------------------------------------------------------
async def data_of(request: Request) -> Json:
    """The `data` of an answer that must be a success: 200, never 201 or 204."""
    return (await body_of(request))["data"]


async def body_of(request: Request) -> Json:
    response = await request
    assert response.status == 200, f"{response.status}: {await response.text()}"
    return await response.json()


async def error_of(request: Request, status: int) -> dict[str, Any]:
    """The envelope of a refusal, whose form is the same for all (sdk-wire 1.4)."""
    response = await request
    assert response.status == status, f"{response.status}: {await response.text()}"
    error: dict[str, Any] = (await response.json())["error"]
    texts = {name: text for name, text in error.items() if name not in ("details", "more")}
    more = error.get("more") or response.headers.get("X-Mock-Docs")
    assert str(more).startswith("docs/"), error
    assert list(texts) == ["message", "devMessage", "source", "code"], error
    assert all(isinstance(text, str) and text for text in texts.values()), error
    assert texts["source"] == "chat-api", error
    return error


async def assert_error(
    request: Request, row: ErrorDef, dialect: str = "documented", **values: object
) -> None:
    """The answer is this row of the catalogue, its message filled with `values`."""
    face = face_of(row, dialect)
    error = await error_of(request, face.status)
    assert error["code"] == face.code, error
    if values or "{" not in face.message:
        assert error["message"] == face.message.format(**values), error


async def details_of(request: Request) -> Json:
    """The `details` of a refused body or query."""
    error = await error_of(request, 400)
    assert error["code"] == "ERR_BAD_REQUEST", error
    return error["details"]


def face_of(row: ErrorDef, dialect: str) -> Face:
    return row.live if dialect == "live" else row.documented


# --- laws that hold for every answer of every test ------------------------------------------
def operation_of(method: str, raw_path: str) -> Operation | None:
    found = _ROUTER.find(method, parse_path(raw_path).segments)
    return found[0].operation if found else None


def note_undeclared(wrongs: list[str]) -> Callable[[Exchange], None]:
    """An observer that notes every answer an operation has not declared."""

    def check(exchange: Exchange) -> None:
        if exchange.status < 400 or exchange.faults:
            return  # a fault may answer with anything
        if exchange.operation == WEBHOOK_POST:
            return  # the answer is the receiver's
        headers, _ = exchange.sent
        if (exchange.code, exchange.status) not in _declared(exchange.operation, headers):
            wrongs.append(f"{exchange.operation or 'no operation'}: {exchange}")

    return check


def _declared(name: str | None, headers: Mapping[str, str]) -> set[tuple[str | None, int]]:
    refused: set[tuple[str | None, int]] = {("ERR_BAD_REQUEST", 400)}
    if "Expect" in headers:  # refused before any operation is looked for
        return refused
    if "X-Mock-Fault" in headers:  # whose reading may be refused
        return refused | _declared(name, {})
    operations = [row for row in ALL_OPERATIONS if row.id == name]
    if not operations:
        # A handshake or a Host that cannot be read; the page by a foreign name; a live host of a
        # service that is not built.
        others = {("ERR_INVALID_API_VERSION", 400), ("MOCK_NOT_BUILT", 501)}
        return refused | others | {("ERR_API_NOT_FOUND", 404), ("MOCK_FOREIGN_HOST", 403)}
    rows = [error for one in operations for error in one.may_raise]
    return {(face.code, face.status) for row in rows for face in (row.documented, row.live)}


# --- raw bytes ------------------------------------------------------------------------------
def raw_request(head: str | bytes, *lines: bytes, body: bytes = b"") -> bytes:
    """A request's bytes with the REST key, its length declared unless it comes in chunks."""
    first = head.encode() if isinstance(head, str) else head
    sized = (b"Content-Length: %d" % len(body),) if body and CHUNKED not in lines else ()
    key = b"apikey: REST_API_KEY"
    return b"\r\n".join((first, b"Host: localhost", key, *lines, *sized, b"", b"")) + body


async def send_raw(client: Client, request: bytes) -> tuple[int, bytes]:
    """Send bytes as they are; return status and body, or 0 where the server hung up."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    try:
        writer.write(request)
        async with asyncio.timeout(PATIENCE):
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: *([0-9]+)", head)
            follows = int(length[1]) if length and not request.startswith(b"HEAD ") else 0
            body = await reader.readexactly(follows)
    except (asyncio.IncompleteReadError, ConnectionError):
        return 0, b""
    else:
        return int(head.split(b" ", 2)[1]), body
    finally:
        writer.close()


async def assert_alive(client: Client) -> None:
    assert (await body_of(client.get("/_mock/health")))["status"] == "ok"

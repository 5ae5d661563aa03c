"""What the Android chat SDK does after login: its sockets, lists and headers (sdk-wire 15)."""

import asyncio
import json
import re
import struct

from aiohttp import ClientWebSocketResponse, WSMsgType

from mockchat.wire.session import _LOGOUT_PATIENCE
from tests.answers import body_of, data_of
from tests.faulty import Gate, Wire
from tests.helpers import perform
from tests.laws import ALL_OPERATIONS
from tests.rows import each_row
from tests.sessions import auth_frame, by_token, connect, issue_token, log_in
from tests.values import FORM, PATIENCE, REST_KEY, Client, Json, Serve

GONE = (1002, "USER_LOGGED_OUT")  # how the SDK closes its socket, and the only end it accepts
ANDROID = {"platform": "Android", "userAgent": "cc_android_sdk", "deviceId": "d1"}


async def say_close(socket: ClientWebSocketResponse, code: int | None, reason: str) -> None:
    """Send a close frame and go on reading, as okhttp does."""
    content = b"" if code is None else struct.pack("!H", code) + reason.encode()
    await socket.send_frame(content, WSMsgType.CLOSE)


async def end_of(socket: ClientWebSocketResponse) -> tuple[int, str]:
    """Read until the socket ends; return the code and the reason that came, 1006 for a cut."""
    while (message := await socket.receive(timeout=PATIENCE)).type is WSMsgType.TEXT:
        pass
    return (message.data, message.extra or "") if message.type is WSMsgType.CLOSE else (1006, "")


class AndroidApp:
    """Logs in and out as the SDK does and keeps its socket by the SDK's rule.

    It connects again after every end of the socket but one: 1002 with its own reason.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._me: Json = None
        self._connection: asyncio.Task[None] | None = None
        self._socket: ClientWebSocketResponse | None = None
        self.states: asyncio.Queue[str] = asyncio.Queue()

    async def log_in(self, uid: str) -> None:
        """Log in, another user out first, and connect unless the SDK believes that it does."""
        if self._me:
            await self.log_out()
        self._me = await log_in(self._client, uid, **ANDROID)
        if self._connection is None:
            self._connection = asyncio.create_task(self._stay_connected(self._me["jwt"]))

    async def log_out(self) -> None:
        """Log out and close the socket."""
        headers = by_token(self._me["authToken"])
        await data_of(self._client.delete("/me", data={}, headers=headers))
        self._me = None
        assert self._socket is not None
        await say_close(self._socket, *GONE)
        assert await self.state() == "disconnected"

    async def state(self) -> str:
        return await asyncio.wait_for(self.states.get(), PATIENCE)

    async def _stay_connected(self, jwt: str) -> None:
        end = None
        while end != GONE:
            self._socket = await self._client.ws_connect("/", autoclose=False)
            await self._socket.send_json(auth_frame(jwt, params=ANDROID))
            reply = await self._socket.receive_json()
            self.states.put_nowait("connected" if reply["body"]["code"] == "200" else "refused")
            end = await end_of(self._socket)
        self._connection = None
        self.states.put_nowait("disconnected")


# --- sockets --------------------------------------------------------------------------------
async def test_each_login_has_a_socket_whoever_logged_out_before(serve: Serve) -> None:
    app = AndroidApp(await serve(sleep=Gate()))  # no time passes

    for uid in ("superhero1", "superhero1", "superhero2"):
        await app.log_in(uid)
        assert await app.state() == "connected", uid
    await app.log_out()
    await app.log_in("superhero1")

    assert await app.state() == "connected"
    await app.log_out()


@each_row(("code", "reason"), [GONE, (1000, ""), (1001, "zu spät"), (4999, "x" * 123), (None, "")])
async def test_a_close_is_answered_with_its_code_and_reason(
    client: Client, code: int | None, reason: str
) -> None:
    me = await log_in(client, "superhero1")
    socket = await connect(client, me, autoclose=False)

    await say_close(socket, code, reason)

    assert await end_of(socket) == (code or 1000, reason)


async def test_a_client_that_logged_out_has_two_seconds_to_close(serve: Serve) -> None:
    gate = Gate()
    client = await serve(sleep=gate)
    me = await log_in(client, "superhero1")
    socket = await connect(client, me)

    await data_of(client.delete("/me", headers=by_token(me["authToken"])))
    await asyncio.wait_for(gate.asleep.acquire(), PATIENCE)
    assert gate.slept == [_LOGOUT_PATIENCE]
    assert not socket.closed

    gate.wake.release()
    assert await end_of(socket) == (1008, "ERR_NO_AUTH")


@each_row(
    ("login", "frame", "end"),
    [
        (ANDROID, {}, (1006, "")),
        ({}, {"params": ANDROID}, (1006, "")),
        (ANDROID, {"params": {"platform": "javascript"}}, (1008, "ERR_NO_AUTH")),
        ({}, {"params": ["odd"]}, (1008, "ERR_NO_AUTH")),
    ],
)
async def test_an_android_client_whose_token_was_revoked_is_cut_off(
    client: Client, login: Json, frame: Json, end: tuple[int, str]
) -> None:
    me = await log_in(client, "superhero1", **login)
    socket = await connect(client, me, **frame)

    await data_of(client.delete("/users/superhero1/auth_tokens", headers=REST_KEY))

    assert await end_of(socket) == end


async def test_the_sdk_header_names_the_platform_of_a_login_that_does_not(client: Client) -> None:
    token = await issue_token(client, "superhero1")
    headers = {**by_token(token), "sdk": "android@4.0.10"}
    socket = await connect(client, await data_of(client.put("/me", headers=headers)))

    await data_of(client.delete("/users/superhero1/auth_tokens", headers=REST_KEY))

    assert await end_of(socket) == (1006, "")


# --- lists ----------------------------------------------------------------------------------
@each_row("page", ["-1", "0", "-" + "9" * 5000])
async def test_a_page_below_one_is_the_first_of_every_list(client: Client, page: str) -> None:
    lists = [row for row in ALL_OPERATIONS if row.query and "page" in row.query().fields]
    assert {"list_users", "list_blocked_users"} <= {row.id for row in lists}

    for row in lists:
        asked = {"per_page": "30"}, {"per_page": "30", "page": page}
        first, shown = [await body_of(perform(client, row, params=query)) for query in asked]
        assert shown == first, row
        assert shown["meta"]["pagination"]["current_page"] == 1, row
    usual = await body_of(client.get("/users?per_page=0", headers=REST_KEY))
    assert usual["meta"]["pagination"]["per_page"] == 100
    assert usual["data"]


# --- headers --------------------------------------------------------------------------------
_TWICE = b"Content-Type: application/json\r\nAccept: */*\r\ncontent-type: multipart/form-data\r\n"
_BODIES = (b'{"uid": "n0", "name": "Content-Type: a\\nContent-Type: b"}', b"uid=n1&name=Form")


def request(method: str, path: str, body: bytes = b"") -> bytes:
    kinds = _TWICE if body[:1] != b"u" else _TWICE.replace(b"multipart/form-data", FORM.encode())
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\napiKey: REST_API_KEY\r\n".encode()
    return head + kinds + b"Content-Length: %d\r\n\r\n" % len(body) + body


@each_row("size", [1, 7, 150, 10**6])
async def test_several_content_types_are_forgiven(wire: Wire, size: int) -> None:
    """The one that fits the body counts; requests share a connection and their reads."""
    wire.mock.reset()
    plain = request("GET", "/users/superhero1").replace(b"content-type", b"x-kind")
    posts = [request("POST", "/users", body) for body in _BODIES]
    sent = b"".join((plain, request("GET", "/users/superhero2"), *posts, plain))
    async with wire.connection() as (reader, writer):
        for start in range(0, len(sent), size):
            writer.write(sent[start : start + size])
            await writer.drain()
            await asyncio.sleep(0)

        uids: list[str] = []
        while len(uids) < 5:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: ([0-9]+)", head)
            assert head.startswith(b"HTTP/1.1 200"), head
            assert length, head
            uids.append(json.loads(await reader.readexactly(int(length[1])))["data"]["uid"])
    assert [uid.lower() for uid in uids] == ["superhero1", "superhero2", "n0", "n1", "superhero1"]
    kinds = [exchange.request.headers["Content-Type"] for exchange in wire.mock.journal]
    assert kinds[1] == "application/json, multipart/form-data"


async def test_any_other_header_that_is_there_twice_is_refused(wire: Wire) -> None:
    async with wire.asking("GET /users HTTP/1.1\r\nHost: another") as reader:
        assert b" 400 " in await reader.readline()

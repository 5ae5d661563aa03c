"""Webhooks: events of users reach a real receiver (reference section 15.5)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientSession, encode_basic_auth, web
from pytest_aiohttp.plugin import AiohttpServer

from mockchat import Config, MockApp, MockChat
from mockchat.core.clock import Clock
from mockchat.core.entities import BlocksChanged
from mockchat.core.webhooks import MAX_WEBHOOKS
from mockchat.wire import webhooks
from tests.answers import body_of, data_of, details_of
from tests.command_line import Command
from tests.helpers import journal_of, steer
from tests.sessions import by_token, connect, issue_token
from tests.values import NOW, PATIENCE, REST_KEY, Client, Json, Serve

DEVICE = {"platform": "javascript", "deviceId": "d", "appInfo": {"version": "4.0.0"}}
IRON_MAN = "https://data-us.cometchat.io/assets/images/avatars/ironman.png"
DELIVERIES = {"operation": "webhook", "wait": "5s"}
CONNECTED = {
    "trigger": "user_connection_status_changed",
    "data": {
        "timestamp": NOW * 1000,
        "user": {
            "uid": "superhero1",
            "name": "Iron Man",
            "avatar": IRON_MAN,
            "status": "available",
            "role": "default",
            "lastActiveAt": NOW,
        },
        "status": "online",
        "currentConnection": {
            "action": "connected",
            "appInfo": {"version": "4.0.0"},
            "platform": "javascript",
            "connectedAt": NOW * 1000,
        },
        "userPresenceChanged": True,
    },
    "appId": "APP_ID",
    "region": "us",
    "webhook": "webhook-1",
}


class Receiver:
    """A server of the user's own: it takes events and answers with `statuses`, then with 200."""

    def __init__(self) -> None:
        self.url = ""
        self.statuses: list[int] = []
        self.requests: list[web.Request] = []
        self._events: asyncio.Queue[Json] = asyncio.Queue()
        self.open = asyncio.Event()
        self.open.set()

    async def receive(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        self._events.put_nowait(await request.json())
        await self.open.wait()
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200, text="thanks")

    async def event(self) -> Json:
        return await asyncio.wait_for(self._events.get(), PATIENCE)


MakeReceiver = Callable[[], Awaitable[Receiver]]


@pytest.fixture
def receivers(aiohttp_server: AiohttpServer) -> MakeReceiver:
    async def make() -> Receiver:
        receiver, app = Receiver(), web.Application()
        app.router.add_post("/hook", receiver.receive)
        receiver.url = str((await aiohttp_server(app)).make_url("/hook"))
        return receiver

    return make


@pytest.fixture
async def receiver(receivers: MakeReceiver) -> Receiver:
    return await receivers()


async def block(client: Client, uid: str, method: str = "POST", *others: str) -> None:
    path, body = f"/users/{uid}/blockedusers", {"blockedUids": others or ["superhero2"]}
    await data_of(client.request(method, path, json=body, headers=REST_KEY))


# --- what is posted -------------------------------------------------------------------------
async def test_connections_are_told_in_the_live_shape(
    serve: Serve, receiver: Receiver, clock: Clock
) -> None:
    client = await serve(webhook=receiver.url)
    token = await issue_token(client, "superhero1")
    headers = {**by_token(token), "sdk": "javascript@4.0.0"}
    me = await data_of(client.put("/me", json=DEVICE, headers=headers))
    phone = await connect(client, me)
    clock.advance(1.5)
    laptop = await connect(client, me)
    clock.advance(1)
    await phone.close()
    first, second, third = [await receiver.event() for _ in range(3)]
    await laptop.close()
    last = await receiver.event()

    assert first == CONNECTED
    told = [
        (one["status"], one["currentConnection"]["action"], one["userPresenceChanged"])
        for one in (second["data"], third["data"], last["data"])
    ]
    assert told == [
        ("online", "connected", False),
        ("online", "disconnected", False),
        ("offline", "disconnected", True),
    ]
    assert third["data"]["currentConnection"]["connectedAt"] == NOW * 1000
    assert last["data"]["currentConnection"]["connectedAt"] == NOW * 1000 + 1500
    assert last["data"]["user"]["status"] == "offline"
    assert receiver.requests[0].headers["Content-Type"] == "application/json"


async def test_new_blocks_and_their_end_are_told_once_for_a_request(
    serve: Serve, receivers: MakeReceiver
) -> None:
    both = [await receivers(), await receivers()]
    client = await serve(webhook=[one.url for one in both])

    await block(client, "superhero1", "POST", "superhero2", "Superhero3", "nobody")
    await block(client, "superhero1", "POST", "superhero2")  # is blocked already
    await block(client, "superhero1", "DELETE", "superhero2", "superhero4")

    for number, receiver in enumerate(both, 1):
        blocked, unblocked = await receiver.event(), await receiver.event()
        assert (blocked["trigger"], blocked["webhook"]) == ("user_blocked", f"webhook-{number}")
        assert list(blocked["data"]) == ["users", "by"]
        assert list(blocked["data"]["users"]) == ["superhero2", "superhero3"]
        told = blocked["data"]["users"]["superhero2"]
        assert (told["uid"], told["name"]) == ("superhero2", "Captain America")
        assert told["conversationId"] == "superhero1_user_superhero2"
        assert blocked["data"]["by"]["uid"] == "superhero1"
        assert unblocked["trigger"] == "user_unblocked"
        assert list(unblocked["data"]["users"]) == ["superhero2"]


async def test_the_login_and_logout_of_a_client_of_calls_alone_are_told(
    serve: Serve, receiver: Receiver
) -> None:
    client = await serve(webhook=receiver.url)
    headers = by_token(await issue_token(client, "superhero1", appInfo="no JSON"))
    await data_of(client.put("/me", json={"platform": "web"}, headers=headers))
    await data_of(client.delete("/me", headers=headers))

    events = [(await receiver.event())["data"] for _ in range(2)]

    assert [one["status"] for one in events] == ["online", "offline"]
    assert [one["currentConnection"]["appInfo"] for one in events] == ["no JSON"] * 2
    assert len({one["currentConnection"]["connectedAt"] for one in events}) == 1


# --- how it is posted -----------------------------------------------------------------------
async def test_a_refused_event_is_posted_again_before_the_next_one(
    serve: Serve, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    client = await serve(webhook=receiver.url, sleep=sleep)
    receiver.statuses += [500, 302, 404]  # and that is that
    receiver.statuses += [503]

    await block(client, "superhero1")
    await block(client, "superhero1", "DELETE")

    told = [(await receiver.event())["trigger"] for _ in range(5)]
    assert told == ["user_blocked"] * 3 + ["user_unblocked"] * 2
    kept = await journal_of(client, **DELIVERIES, count=5)
    assert [one["status"] for one in kept] == [500, 302, 404, 503, 200]
    assert [one for one in pauses if one] == [0.5, 2.0, 0.5]  # a long list takes turns of no time
    assert f"{receiver.url} took no event in 3 tries: status 404" in caplog.text


async def test_a_receiver_that_hangs_holds_up_neither_requests_nor_other_receivers(
    serve: Serve, receivers: MakeReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "_TIME_LIMIT", 0.05)
    monkeypatch.setattr(webhooks, "_PAUSES", (0.0, 0.01))
    hanging, quick = await receivers(), await receivers()
    client = await serve(webhook=[hanging.url, quick.url])
    hanging.open.clear()

    await block(client, "superhero1")
    await block(client, "superhero1", "DELETE")

    told = [(await quick.event())["trigger"] for _ in range(2)]
    assert told == ["user_blocked", "user_unblocked"]
    kept = await journal_of(client, **DELIVERIES, status=0, count=4)
    assert {one["hint"] for one in kept} == {"no answer came within 0.05 seconds"}
    hanging.open.set()


async def test_a_password_in_the_url_reaches_the_receiver_alone(
    serve: Serve, receiver: Receiver
) -> None:
    client = await serve(webhook=receiver.url.replace("//", "//me:secret@"))

    await block(client, "superhero1")

    (kept,) = await journal_of(client, **DELIVERIES)
    assert receiver.requests[0].headers["Authorization"] == encode_basic_auth("me", "secret")
    assert "secret" not in str(kept)
    assert kept["target"] == receiver.url


async def test_a_receiver_that_is_not_there_is_told_in_the_journal(
    serve: Serve, unused_tcp_port: int
) -> None:
    gone = [f"http://127.0.0.1:{unused_tcp_port}"]
    gone += ["https://127.0.0.1:1/x"]
    client = await serve(webhook=gone, sleep=at_once)

    await block(client, "superhero1")

    kept = await journal_of(client, **DELIVERIES, count=3 * len(gone))
    assert {one["target"] for one in kept} == {*gone}
    assert all(one["hint"] and one["status"] == 0 for one in kept), kept


async def at_once(_seconds: float) -> None:
    """Do not wait."""


async def test_too_many_events_that_wait_are_dropped_and_a_stop_waits_for_none(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(webhooks, "_MAX_WAITING", 2)
    receiver.open.clear()
    config = Config(port=0, https_port=None, webhook=(receiver.url,))
    async with asyncio.timeout(PATIENCE), MockChat(config) as mock, ClientSession(mock.url) as http:
        for number in range(6):
            body = {"blockedUids": [f"cometchat-uid-{number % 5 + 1}"]}
            path = f"/v3/users/superhero{number % 5 + 1}/blockedusers"
            await (await http.post(path, json=body, headers=REST_KEY)).read()
            if not number:
                await receiver.event()  # it is on its way, the others wait

    assert "2 events wait already; one is dropped" in caplog.text
    receiver.open.set()


# --- the control API and Python -------------------------------------------------------------
async def test_apps_have_webhooks_of_their_own_until_a_reset(
    serve: Serve, receivers: MakeReceiver
) -> None:
    configured, own = await receivers(), await receivers()
    client = await serve(webhook=configured.url)
    given = {"id": "webhook-1", "url": configured.url}

    added = await steer(client, "POST", "webhooks", url=own.url, app="mine")
    again = await steer(client, "POST", "webhooks", url=own.url, app="mine")
    assert added == again
    assert added == [{**given, "app": "mine"}, {"id": "webhook-2", "app": "mine", "url": own.url}]
    assert await steer(client, "GET", "webhooks") == [{**given, "app": "APP_ID"}, *added]

    await block(client, "superhero1")
    body = {"blockedUids": ["superhero3"]}
    mine = {**REST_KEY, "appId": "mine"}
    await data_of(client.post("/users/superhero1/blockedusers", json=body, headers=mine))
    assert (await own.event())["appId"] == "mine"
    assert [(await configured.event())["appId"] for _ in range(2)] == ["APP_ID", "mine"]

    removed = await steer(client, "DELETE", "webhooks", url=configured.url, app="mine")
    assert removed["message"] == "Webhooks removed: 1."
    await steer(client, "POST", "reset", app="mine")
    listed = await body_of(client.get("/_mock/webhooks?app=mine"))
    assert listed == [{**given, "app": "mine"}]
    await steer(client, "DELETE", "webhooks")
    assert await steer(client, "GET", "webhooks") == []


async def test_a_reset_drops_the_events_of_before(serve: Serve, receiver: Receiver) -> None:
    client = await serve(webhook=receiver.url)
    receiver.open.clear()
    await block(client, "superhero1")
    await block(client, "superhero1", "DELETE")
    assert (await receiver.event())["trigger"] == "user_blocked"  # and is not answered

    await steer(client, "POST", "reset")
    await block(client, "superhero3")
    receiver.open.set()

    event = await receiver.event()
    assert (event["trigger"], event["data"]["by"]["uid"]) == ("user_blocked", "superhero3")


async def test_a_webhook_needs_a_url_and_there_are_not_too_many(client: Client) -> None:
    wrong: list[Any] = [None, "", "h:1", "ftp://h/", "http://", "http://a b"]
    wrong += [
        "http://a..b/",
        "http://.a/",
        "http://./",
        f"http://{'a' * 64}.test/",
        "http://[1:2]/",
    ]
    wrong += [
        "http://h/" + "x" * 3000,
        *(f"http://127.0.0.1:{port}/" for port in (0, 65536, 99999)),
    ]
    for url in wrong:
        assert "url" in await details_of(client.post("/_mock/webhooks", json={"url": url})), url
    for number in range(MAX_WEBHOOKS):
        await steer(client, "POST", "webhooks", url=f"http://h:65535/{number}".ljust(3000, "x"))

    refused = await details_of(client.post("/_mock/webhooks", json={"url": "http://h/"}))

    assert refused["url"] == ["The url is one too many: an app has up to 25."]


async def test_a_test_in_python_waits_for_a_delivery(receiver: Receiver) -> None:
    async with MockChat(Config(port=0, https_port=None)) as mock:
        app = mock.app("one")
        app.add_webhook(receiver.url)
        headers = {**REST_KEY, "appId": "one"}
        body = {"blockedUids": ["superhero2"]}
        async with ClientSession(mock.url, headers=headers) as http:
            await http.post("/v3/users/superhero1/blockedusers", json=body)

        told = await app.journal.wait_for_async(
            operation="webhook", uid="superhero1", json={"trigger": "user_blocked"}
        )

    assert (told.method, told.target, told.status) == ("POST", receiver.url, 200)
    assert told.response.text == "thanks"
    picture = told.request.json["data"]["by"]["avatar"]
    assert picture.startswith(str(mock.url))


def test_the_command_line_adds_lists_and_removes_webhooks(steer: Command, app: MockApp) -> None:
    url, other = "http://127.0.0.1:9/a", "http://127.0.0.1:9/b"

    steer("webhooks", "add", url)
    added = steer("webhooks", "add", other)
    removed = steer("webhooks", "remove", url)
    left = steer("webhooks", "--json").json
    cleared = steer("webhooks", "remove")
    wrong = steer("webhooks", "add", "nowhere")

    assert added.words == [
        ["id", "app", "url"],
        ["webhook-1", app.app_id, url],
        ["webhook-2", app.app_id, other],
    ]
    assert (removed.lines, cleared.lines) == (["Webhooks removed: 1."],) * 2
    assert left == [{"id": "webhook-2", "app": app.app_id, "url": other}]
    assert wrong.status == 2
    assert "must be like http://host:port/path, of up to 3000 characters" in wrong.err


async def test_what_happens_after_a_stop_is_told_to_nobody() -> None:
    async with MockChat(Config(port=0, https_port=None, webhook=("http://localhost:1",))) as mock:
        app = mock.store.default
        await mock.stop()
        running = asyncio.all_tasks()

        app.emit(BlocksChanged(app.id, app.user("superhero1"), (), blocked=True))

        assert asyncio.all_tasks() == running

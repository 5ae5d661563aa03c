"""The WebSocket: authentication, pings, ends and what REST shows of it (sdk-wire 1.6)."""

import jwt

from mockchat.core.clock import Clock
from tests.answers import data_of
from tests.faulty import Recorder
from tests.helpers import get_user
from tests.rows import each_row, telling
from tests.sessions import assert_lives, auth_frame, by_token, connect, end_of, issue_token, log_in
from tests.values import NOW, PATIENCE, REST_KEY, Client, Json, Serve

TOKENS = "/users/superhero1/auth_tokens"


# --- authentication -------------------------------------------------------------------------
async def test_a_jwt_opens_a_session_by_the_whole_frame_of_an_sdk_too(client: Client) -> None:
    me = await log_in(client, "superhero1")
    whole = {
        **auth_frame(
            me["jwt"],
            deviceId="d1",
            presenceSubscription="NONE",
            params={"platform": "javascript", "deviceId": "d1", "appInfo": {"version": "4.2.0"}},
        ),
        "sender": "superhero1",
        "receiver": "",
        "receiverType": "",
    }
    for frame in (auth_frame(me["jwt"]), whole):
        socket = await client.ws_connect("/", headers={"Origin": "https://app.example"})

        await socket.send_json(frame)

        assert await socket.receive_json(timeout=PATIENCE) == {
            "type": "auth",
            "appId": "APP_ID",
            "deviceId": "d1",
            "body": {"code": "200", "status": "OK"},
        }


async def test_the_root_is_the_root_by_any_name(client: Client) -> None:
    me = await log_in(client, "superhero1")
    for path in ("/", "/v3.0", "/v3.0/", "//", "/apps/APP_ID", "/apps/APP_ID/v3"):
        url = f"http://{client.host}:{client.port}{path}"
        async with client.session.ws_connect(url) as socket:
            await socket.send_json(auth_frame(me["jwt"]))

            reply = await socket.receive_json(timeout=PATIENCE)
            assert reply["body"]["code"] == "200", path
    response = await client.get("/", headers={"Connection": "keep-alive"})
    assert (response.status, response.content_type) == (200, "text/html")  # a page


async def test_a_socket_belongs_to_the_app_of_its_first_frame(client: Client, clock: Clock) -> None:
    headers = {**REST_KEY, "appId": "app1"}
    data = await data_of(client.post(TOKENS, headers=headers))
    me = await data_of(client.put("/me", headers=by_token(data["authToken"])))

    await (await connect(client, me, app_id="app1")).close()
    clock.advance(30 * 24 * 3600)  # an SDK connects again with the JWT that it has
    socket = await connect(client, me, app_id="app1")
    await socket.send_json(auth_frame("nope"))  # which changes nothing
    await assert_lives(socket)


async def assert_refused(client: Client, frame: Json) -> None:
    socket = await client.ws_connect("/")
    await socket.send_json(frame)
    reply = await socket.receive_json(timeout=PATIENCE)
    assert reply["type"] == "auth"
    assert isinstance(reply["body"]["code"], str)
    assert reply["body"]["code"] != "200"
    assert await end_of(socket) == 1008


async def test_a_forged_foreign_or_dead_jwt_is_refused(serve: Serve, clock: Clock) -> None:
    client = await serve()
    good = (await log_in(client, "superhero1"))["jwt"]
    claims = jwt.decode(good, options={"verify_signature": False})
    key = "forged!!" * 8
    ways = ((key, "HS256"), (key, "HS512"), ("", "none"))
    forged = [jwt.encode(claims, key, algorithm=algorithm) for key, algorithm in ways]

    for token in ("", "nope", "a.b.c", "ä.ö.ü", "a" * 5000, *forged):
        with telling(token=token):
            await assert_refused(client, auth_frame(token))
    await assert_refused(client, auth_frame(good, app_id="app1"))

    client = await serve(token_ttl=60.0)  # a JWT dies with its token
    ended, expired = await log_in(client, "superhero1"), await log_in(client, "superhero2")
    await data_of(client.delete("/me", headers=by_token(ended["authToken"])))
    await assert_refused(client, auth_frame(ended["jwt"]))
    clock.advance(60)
    await assert_refused(client, auth_frame(expired["jwt"]))


# --- pings ----------------------------------------------------------------------------------
async def test_pings_are_answered_in_their_order(client: Client) -> None:
    socket = await connect(client, await log_in(client, "superhero1"))

    for _ in range(20):
        await assert_lives(socket)
    await socket.send_json({"action": "ping", "ack": "true"})
    assert await socket.receive_json(timeout=PATIENCE) == {"action": "pong"}


# --- ends -----------------------------------------------------------------------------------
_ENDS: list[tuple[str, str, Json]] = [
    ("DELETE", f"{TOKENS}/{{token}}", None),
    ("DELETE", TOKENS, None),
    ("DELETE", "/users/superhero1", {"permanent": True}),
    ("DELETE", "/users/superhero1", None),
    ("DELETE", "/users", {"uidsToDeactivate": ["superhero1"]}),
    ("DELETE", "/me", None),
    ("POST", "/logout", None),
    ("DELETE", "/admin/users/auth/{token}", None),
    ("FORCE", "", None),
]


@each_row(("method", "path", "body"), _ENDS)
async def test_a_session_ends_with_a_token(
    serve: Serve, method: str, path: str, body: Json
) -> None:
    client = await serve(sleep=Recorder())
    me = await log_in(client, "superhero1")
    socket = await connect(client, me)
    headers = {**REST_KEY, **by_token(me["authToken"])}

    if method == "FORCE":  # so many new ones that it falls out of the hundred
        for _ in range(100):
            await issue_token(client, "superhero1", force=True)
    else:
        path = path.format(token=me["authToken"])
        await data_of(client.request(method, path, json=body, headers=headers))

    assert await end_of(socket) == 1008


async def test_the_end_of_one_session_leaves_the_user_s_others(serve: Serve) -> None:
    client = await serve(sleep=Recorder())
    phone = await log_in(client, "superhero1", deviceId="phone")
    laptop = await connect(client, await log_in(client, "superhero1", deviceId="laptop"))
    ended = await connect(client, phone)

    await data_of(client.delete("/me", headers=by_token(phone["authToken"])))

    assert await end_of(ended) == 1008
    await assert_lives(laptop)


@each_row("ping", [True, False])
async def test_a_session_ends_by_a_ping_or_by_itself_when_its_token_expires(
    serve: Serve, clock: Clock, *, ping: bool
) -> None:
    clock.freeze(NOW)
    client = await serve(token_ttl=3600.0 if ping else 60.0)
    me = await log_in(client, "superhero1")
    clock.advance(59.7)
    socket = await connect(client, me)

    clock.advance(3600 if ping else 0.3)
    if ping:
        await socket.send_json({"action": "ping", "ack": True})

    assert await end_of(socket) == 1008


async def test_every_socket_is_closed_when_the_server_goes_away(client: Client) -> None:
    sockets = [
        await connect(client, await log_in(client, uid)) for uid in ("superhero1", "superhero2")
    ]
    sockets.append(await client.ws_connect("/"))

    await client.server.close()

    assert [await end_of(socket) for socket in sockets] == [1001] * 3


# --- what REST shows of it ------------------------------------------------------------------
async def test_a_user_is_available_while_it_has_a_socket(client: Client, clock: Clock) -> None:
    watch = await connect(
        client, await log_in(client, "superhero2"), presenceSubscription="ALL_USERS"
    )
    me = await log_in(client, "superhero1")
    assert (await get_user(client, "superhero1"))["status"] == "offline"
    clock.advance(5)

    socket = await connect(client, me)
    await watch.receive_json(timeout=PATIENCE)

    user = await get_user(client, "superhero1")
    assert (user["status"], user["lastActiveAt"]) == ("available", NOW + 5)
    clock.advance(7)
    await socket.close()
    await watch.receive_json(timeout=PATIENCE)
    user = await get_user(client, "superhero1")
    assert (user["status"], user["lastActiveAt"]) == ("offline", NOW + 12)

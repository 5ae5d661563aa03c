"""The presets: faults in the words of a tester, met with either credential and by every login."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import WSServerHandshakeError

from mockchat.core import errors
from mockchat.core.errors import ErrorDef
from mockchat.core.faults import PRESETS
from mockchat.wire.app import STORE
from tests.answers import assert_error, body_of
from tests.faulty import add_fault, proves
from tests.sessions import auth_frame, by_token, issue_token, log_in
from tests.values import AUTH_KEY, PATIENCE, REST_KEY, Client, Json

DOCS = Path(__file__).parent.parent / "docs/faults.md"
# What is asked, by which credential: (method, path, body).
ASKED = {
    "me": ("GET", "/me", None),
    "user by token": ("GET", "/users/superhero2", None),
    "profile": ("PUT", "/me", {"name": "Tony", "deviceId": "phone"}),
    "push token": ("PUT", "/me", {"appInfo": {"pushNotification": {"fcmDeviceToken": "t"}}}),
    "user": ("GET", "/users/superhero1", None),
    "friends": ("GET", "/users/superhero1/friends", None),
    "users": ("GET", "/users", None),
    "create": ("POST", "/users", {"uid": "new", "name": "New"}),
}
BY_TOKEN = {"me", "user by token", "profile", "push token"}
# Who is struck by what; the others are answered as ever.
_DEAD_TOKENS = dict.fromkeys(BY_TOKEN, errors.AUTH_TOKEN_UNKNOWN)
STRUCK: dict[str, dict[str, ErrorDef]] = {
    "token_expired": _DEAD_TOKENS,
    "token_revoked": _DEAD_TOKENS,
    "key_revoked": dict.fromkeys(ASKED.keys() - BY_TOKEN, errors.KEY_UNKNOWN),
    "wrong_app": dict.fromkeys(ASKED, errors.APP_ID_INVALID),
    "wrong_region": dict.fromkeys(ASKED, errors.APP_ID_INVALID),
    "user_deactivated": {
        **_DEAD_TOKENS,
        **dict.fromkeys(("user", "friends"), errors.UID_NOT_FOUND),
    },
    "quota_reached": {"create": errors.QUOTA_REACHED},
    "login_in_progress": {},
}


async def ask(client: Client, asked: str, token: str, **headers: str) -> Any:
    method, path, body = ASKED[asked]
    credential = by_token(token) if asked in BY_TOKEN else REST_KEY
    app = client.app[STORE].default
    if new := app.find_user("new"):  # of the ask before
        app.delete_user(new)
    return await client.request(method, path, json=body, headers={**credential, **headers})


@proves(*PRESETS)
async def test_a_preset_strikes_whom_it_means_as_a_rule_and_by_header(client: Client) -> None:
    token = await issue_token(client, "superhero1")
    for preset, struck in STRUCK.items():
        for asked in ASKED:
            await add_fault(client, preset)
            for dialect in ("documented", "live"):
                request = ask(client, asked, token, **{"X-Mock-Errors": dialect})
                if row := struck.get(asked):
                    await assert_error(request, row, dialect)
                else:
                    response = await request
                    told = response.status, response.headers.get("X-Mock-Fault")
                    assert told == (200, None), (preset, asked)
            await body_of(client.delete("/_mock/faults"))

            response = await ask(client, asked, token, **{"X-Mock-Fault": preset})

            told = response.status, response.headers.get("X-Mock-Fault")
            assert told == ((row.documented.status, preset) if row else (200, None))


# --- logins ---------------------------------------------------------------------------------
# The ways to log in, as the head of the table in docs/faults.md names them: each returns the code
# of the refusal and where it came, or nothing. Forms of one way must be refused alike.
SDK = {"sdk": "javascript@4.2.0", "appId": "APP_ID"}
Way = Callable[[Client, Json], Awaitable[set[str]]]


async def code_of(request: Any) -> str:
    response = await request
    return "" if response.status == 200 else f"`{(await response.json())['error']['code']}`"


async def sdk_by_uid(client: Client, _me: Json) -> set[str]:
    path, headers = "/v3.0/users/superhero1/auth_tokens", {**SDK, "apiKey": "AUTH_KEY"}
    response = await client.post(path, json={}, headers=headers)
    answer = await response.json()
    if response.status != 200:
        return {f"`{answer['error']['code']}` at the `POST`"}
    code = await code_of(
        client.put("/v3.0/me", json={}, headers={**SDK, **by_token(answer["data"]["authToken"])})
    )
    return {code and f"{code} at the `PUT`"}


async def sdk_by_token(client: Client, me: Json) -> set[str]:
    headers = {**SDK, **by_token(me["authToken"]), "resource": "WEB-1"}
    bodies: list[Json] = [{}, {"platform": "web", "deviceId": "d", "appInfo": {"version": "4"}}]
    return {await code_of(client.put("/v3.0/me", json=one, headers=headers)) for one in bodies}


async def by_uid(client: Client, _me: Json) -> set[str]:
    bodies = [{"uid": "superhero1", key: "AUTH_KEY"} for key in ("authKey", "apiKey")]
    found = {await code_of(client.post("/login", json=one)) for one in bodies}
    return found | {await code_of(client.post("/login", json=bodies[0], headers=AUTH_KEY))}


async def by_auth_token(client: Client, me: Json) -> set[str]:
    body = {"authToken": me["authToken"]}
    in_body = await code_of(client.post("/login", json=body))
    return {in_body, await code_of(client.post("/login", headers=by_token(me["authToken"])))}


async def by_socket(client: Client, me: Json) -> set[str]:
    try:
        async with client.ws_connect("/") as socket:
            await socket.send_json(auth_frame(me["jwt"]))
            status = (await socket.receive_json(timeout=PATIENCE))["body"]["status"]
    except WSServerHandshakeError as error:
        return {f"{error.status} at the handshake"}
    return {"" if status == "OK" else f"`{status}`"}


WAYS: dict[str, Way] = {
    "SDK by uid: `POST …/auth_tokens`, then `PUT /me`": sdk_by_uid,
    "SDK by token: `PUT /me`": sdk_by_token,
    "`POST /login` by uid": by_uid,
    "`POST /login` by token": by_auth_token,
    "WebSocket": by_socket,
}


async def test_the_docs_say_what_each_preset_does_to_each_way_of_logging_in(client: Client) -> None:
    me = await log_in(client, "superhero1")
    lines = [f"| preset | {' | '.join(WAYS)} |", "| --- " * (len(WAYS) + 1) + "|"]
    for preset in PRESETS:
        await add_fault(client, preset)
        cells = [await way(client, me) for way in WAYS.values()]
        await body_of(client.delete("/_mock/faults"))
        lines.append(
            f"| `{preset}` | " + " | ".join("/".join(one) or "succeeds" for one in cells) + " |"
        )

    assert set(lines) - set(DOCS.read_text().splitlines()) == set(), "\n".join(lines)
    await add_fault(client, "login_in_progress", times=1)  # after which every way logs in again
    found = [[await way(client, me) for way in WAYS.values()] for _ in range(2)]
    assert found[0][0] == {"`ERROR_LOGIN_IN_PROGRESS` at the `PUT`"}
    assert [*found[0][1:], *found[1]] == [{""}] * 9


# --- which ----------------------------------------------------------------------------------
async def test_a_preset_names_what_the_request_showed(client: Client) -> None:
    token = await issue_token(client, "superhero1")
    await add_fault(client, "token_expired")
    await add_fault(client, "key_revoked")

    for request in (
        client.get("/me", headers=by_token(token)),
        client.post("/login", json={"authToken": token}),
    ):
        await assert_error(request, errors.AUTH_TOKEN_UNKNOWN, token=token)
    for request in (
        client.post("/users/superhero1/auth_tokens", json={}, headers=AUTH_KEY),
        client.post("/login", json={"uid": "superhero1", "authKey": "AUTH_KEY"}),
    ):
        await assert_error(request, errors.KEY_UNKNOWN, key="AUTH_KEY")


async def test_a_preset_for_one_user_is_used_up_by_what_it_means(client: Client) -> None:
    one, other = [by_token(await issue_token(client, f"superhero{n}")) for n in (1, 2)]
    await add_fault(client, "token_expired", uid="SuperHero1", times=1)

    statuses = [
        (await client.get("/users", headers=headers)).status
        for headers in (other, REST_KEY, one, one)
    ]

    assert statuses == [200, 200, 401, 200]

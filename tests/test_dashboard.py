"""The dashboard's page, and what the control API has for it: events, operations, logins, rules."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from aiohttp import ClientResponse, WSMsgType

from mockchat import Config, MockChat
from mockchat.control.about import FOLDER
from mockchat.core import errors
from mockchat.wire.app import STORE
from tests.answers import assert_error, body_of, details_of
from tests.helpers import journal_of, steer
from tests.sessions import connect, issue_token, log_in
from tests.values import NOW, PATIENCE, REST_KEY, Client, Json, Serve

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PAGE, SHORT = b'id="main"', b"It is up."
LONGEST_LINE = 140  # characters, but for the picture
LIMIT = 1200  # lines of the page, its style and its scripts
OPERATIONS = "/_mock/operations"


# --- the page -------------------------------------------------------------------------------
async def test_a_browser_that_opens_the_root_gets_the_dashboard_and_others_what_they_got(
    client: Client, serve: Serve
) -> None:
    off = await serve(dashboard=False)

    for path in ("/", "/apps/shop/", "/_mock/dashboard"):
        assert PAGE in await (await client.get(path, headers=BROWSER)).read(), path
    for headers in ({}, {"Accept": "application/json"}):
        assert SHORT in await (await client.get("/", headers=headers)).read(), headers
    await assert_error(client.post("/", headers=BROWSER), errors.API_NOT_FOUND)
    assert SHORT in await (await off.get("/", headers=BROWSER)).read()
    await assert_error(off.get("/_mock/dashboard"), errors.MOCK_NOT_FOUND)
    await (await connect(client, await log_in(client, "superhero1"))).close()


async def test_opening_it_leaves_no_trace_makes_no_app_and_is_struck_by_no_fault(
    client: Client,
) -> None:
    await steer(client, "POST", "faults", kind="empty")

    assert PAGE in await (await client.get("/apps/new/", headers=BROWSER)).read()

    assert await journal_of(client) == []
    assert [app.id for app in client.app[STORE].apps()] == ["APP_ID"]


async def test_it_is_refused_to_foreign_pages_and_names_and_opens_without_the_control_token(
    serve: Serve,
) -> None:
    client = await serve(control_token="secret")
    evil = {**BROWSER, "Host": "evil.example"}

    for path in ("/", "/_mock/dashboard/app.js"):
        assert (await client.get(path, headers=BROWSER)).status == 200
        embedded = client.get(path, headers={**BROWSER, "Sec-Fetch-Site": "cross-site"})
        await assert_error(embedded, errors.CONTROL_ORIGIN)
        await assert_error(client.get(path, headers=evil), errors.CONTROL_HOST)
    await assert_error(client.get("/_mock/events"), errors.CONTROL_TOKEN)


async def test_its_policy_forbids_scripts_of_others_inline_ones_and_html_from_texts(
    client: Client,
) -> None:
    policy = (await client.get("/", headers=BROWSER)).headers["Content-Security-Policy"]

    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "frame-ancestors 'none'; require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy


async def test_its_files_are_served_name_no_foreign_address_and_are_short(client: Client) -> None:
    texts = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.iterdir()}
    namespace = 'xmlns="http://www.w3.org/2000/svg"'
    foreign = {
        name: found
        for name, text in texts.items()
        if (found := re.findall(r"""["'(`]https?://\w[^"'`)]*|["'(]//\w+""", text))
        and namespace not in text
    }
    named = set(
        re.findall(r'/_mock/dashboard/([\w.]+)|from "\./([\w.]+)"', "".join(texts.values()))
    )

    assert foreign == {}
    assert {"".join(pair) for pair in named} == texts.keys() - {"index.html"}
    assert sum(text.count("\n") for text in texts.values()) <= LIMIT
    assert (
        max(
            len(line)
            for name, text in texts.items()
            for line in text.splitlines()
            if name != "icon.svg"
        )
        <= LONGEST_LINE
    )
    assert "innerHTML" not in "".join(texts.values())
    for name in texts:
        response = await client.get(f"/_mock/dashboard/{name}")
        assert (response.status, response.headers["Cache-Control"]) == (200, "no-cache"), name
    for name in ("nope.js", "..%2Fconfig.py", "%00", "a" * 3000, "__init__.py"):
        await assert_error(client.get(f"/_mock/dashboard/{name}"), errors.MOCK_NOT_FOUND)


# --- events -----------------------------------------------------------------------------------
async def events_of(response: ClientResponse) -> AsyncIterator[tuple[str, str, Any]]:
    """The events of a response as they come: name, id and data."""
    assert response.status == 200, await response.text()
    assert response.content_type == "text/event-stream"
    while text := await asyncio.wait_for(response.content.readuntil(b"\n\n"), PATIENCE):
        fields = dict(line.split(": ", 1) for line in text.decode().splitlines() if ": " in line)
        if fields:
            yield fields["event"], fields.get("id", ""), json.loads(fields["data"])


async def watched(client: Client, query: str = "") -> list[tuple[str, str, Any]]:
    """All events of a watcher that leaves at once."""
    found = events_of(await client.get(f"/_mock/events?wait=0{query}"))
    return [one async for one in found]


async def next_of(events: AsyncIterator[tuple[str, str, Any]], name: str) -> Any:
    async for found, _, data in events:
        if found == name:
            return data
    pytest.fail(f"the events ended without {name}")


async def test_a_watcher_sees_the_journal_then_each_request_and_change_as_it_comes(
    client: Client,
) -> None:
    await client.get("/users/nobody", headers=REST_KEY)
    response = await client.get("/_mock/events")
    async with aclosing(events_of(response)) as events:  # type: ignore[type-var]
        first = await next_of(events, "exchange")
        assert (first["operation"], first["status"], first["code"]) == (
            "get_user",
            404,
            "ERR_UID_NOT_FOUND",
        )
        assert "request" not in first
        status = await next_of(events, "status")
        assert (status["apps"], status["default"], status["exchanges"]) == (["APP_ID"], "APP_ID", 1)
        calm = {"faults": 0, "frozen": True, "held": 0, "waiting": 0, "online": 0}
        assert {name: status[name] for name in calm} == calm

        socket = await connect(client, await log_in(client, "superhero1"))
        assert (await next_of(events, "exchange"))["operation"] == "create_auth_token"
        while not (status := await next_of(events, "status"))["online"]:
            pass
        await steer(client, "POST", "faults", kind="reset", app="APP_ID")
        while not (status := await next_of(events, "status"))["faults"]:
            pass
        await steer(client, "POST", "logins", uid="superhero2")
        while not (status := await next_of(events, "status"))["held"]:
            pass
        await socket.close()
    response.close()


async def test_a_cursor_goes_on_where_a_watcher_left_and_an_app_s_watcher_sees_that_app_alone(
    client: Client,
) -> None:
    await client.get("/users/one", headers=REST_KEY)
    cursor = (await watched(client))[0][1]
    await client.get("/apps/shop/v3/users/two", headers=REST_KEY)

    def paths(events: list[tuple[str, str, Any]]) -> list[str]:
        return [data["path"] for name, _, data in events if name == "exchange"]

    assert paths(await watched(client)) == ["/users/one", "/users/two"]
    assert paths(await watched(client, f"&cursor={cursor}")) == ["/users/two"]
    assert paths(await watched(client, "&app=SHOP")) == ["/users/two"]


async def test_reading_through_an_operation_changes_nothing_so_that_no_watcher_asks_for_ever(
    client: Client,
) -> None:
    before = (await watched(client))[-1][2]

    await perform(client, "list_users")
    assert (await watched(client))[-1][2] == before
    await perform(client, "create_user", body={"uid": "new", "name": "New"})
    assert (await watched(client))[-1][2]["changes"] > before["changes"]


async def test_a_slow_watcher_loses_the_oldest_and_is_told_so(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mockchat.control.events.BACKLOG", 2)
    gate = asyncio.Event()

    async def sleep(_seconds: float) -> None:
        await gate.wait()

    client = await serve(sleep)
    response = await client.get("/_mock/events")
    events = events_of(response)
    await next_of(events, "status")
    for number in range(4):
        await client.get(f"/users/u{number}", headers=REST_KEY)
    gate.set()

    assert [(await next_of(events, "exchange"))["uid"] for _ in range(2)] == ["u2", "u3"]
    assert await next_of(events, "lost") == {"count": 2}
    response.close()


async def test_watchers_are_limited_leave_nothing_behind_and_see_the_server_stop(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mockchat.control.events.MOST_WATCHERS", 2)
    watchers = client.app[STORE].journals.watchers
    there = [await client.get("/_mock/events") for _ in range(2)]
    for one in there:
        await one.content.readuntil(b"\n\n")

    refused = client.get("/_mock/events")
    await assert_error(refused, errors.TOO_MANY_WATCHERS, limit=2)
    assert (await client.head("/_mock/events?wait=0")).status == 429
    await client.server.close()

    assert not watchers.present


# --- operations -----------------------------------------------------------------------------
async def perform(client: Client, name: str, **parts: Json) -> Json:
    return await body_of(client.post(f"{OPERATIONS}/{name}", json=parts))


async def test_an_operation_is_carried_out_without_key_trace_fault_and_quota(serve: Serve) -> None:
    client = await serve(rate_limit=1)
    await steer(client, "POST", "faults", kind="error", code="503")
    made = await perform(client, "create_user", app="shop", body={"uid": "New", "name": "<b>N"})
    listed = await perform(client, "list_users", app="shop", query={"searchKey": "<b>"})
    token = await perform(client, "create_auth_token", app="shop", path={"uid": "new"})

    assert (made["result"]["uid"], made["result"]["name"]) == ("new", "<b>N")
    assert [user["uid"] for user in listed["result"]] == ["new"]
    assert listed["meta"]["pagination"]["total"] == 1
    assert token["result"]["authToken"].startswith("new_")
    assert await journal_of(client) == []


async def test_an_operation_that_is_none_or_lacks_a_part_is_refused_by_name(client: Client) -> None:
    for name in ("nope", "login", "reset", "update_me"):
        await assert_error(client.post(f"{OPERATIONS}/{name}"), errors.MOCK_NOT_FOUND)
    for path in ({}, {"uid": ""}, {"uid": 7}, {"uid": "a", "b": "c"}):
        details = await details_of(client.post(f"{OPERATIONS}/get_user", json={"path": path}))
        assert details == {"path": ["The path must have uid, as texts."]}
    details = await details_of(client.post(f"{OPERATIONS}/list_users", json={"query": [1]}))
    assert details == {"query": ["The query must be a JSON object."]}
    unknown = client.post(f"{OPERATIONS}/get_user", json={"path": {"uid": "nobody"}})
    await assert_error(unknown, errors.UID_NOT_FOUND, uid="nobody")


# --- logins -----------------------------------------------------------------------------------
async def test_logins_are_listed_with_age_device_and_whether_the_user_is_online(
    client: Client,
) -> None:
    await issue_token(client, "superhero2")
    client.app[STORE].clock.advance(60)
    me = await log_in(client, "superhero1", deviceId="phone", platform="ios")
    socket = await connect(client, me)

    rows = await body_of(client.get("/_mock/sessions"))
    one = await body_of(client.get("/_mock/sessions?uid=SUPERHERO2&app=APP_ID"))

    assert rows[0] == {
        "app": "APP_ID",
        "uid": "SUPERHERO1",
        "name": "Iron Man",
        "age": 0.0,
        "authToken": me["authToken"],
        "createdAt": NOW + 60,
        "online": True,
        "device": "phone",
        "platform": "ios",
    }
    assert [(row["uid"], row["age"], row["online"]) for row in one] == [("SUPERHERO2", 60, False)]
    assert rows[1:] == one
    assert await body_of(client.get("/_mock/sessions?uid=nobody")) == []
    await socket.close()


# --- settings ---------------------------------------------------------------------------------
async def test_rules_change_for_one_app_or_for_all_and_those_to_come(client: Client) -> None:
    rules = {"tokens": "single-use", "errors": "live", "anyKey": True, "loginLatency": 0.5}
    rules |= {"rateLimit": 2, "tokenTtl": 3600, "maxUsers": 11, "unbuilt": "accept"}

    await steer(client, "PATCH", "settings", app="shop", **rules)
    assert (await body_of(client.get("/_mock/settings?app=shop")))["rules"] == rules
    assert "rateLimit" not in (await body_of(client.get("/_mock/settings?app=other")))["rules"]
    for _ in range(2):
        assert (await client.get("/apps/shop/v3/users", headers={"apikey": "any"})).status == 200
    too_many = client.get("/apps/shop/v3/users", headers={"apikey": "any"})
    await assert_error(too_many, errors.TOO_MANY_REQUESTS, "live")

    await steer(client, "PATCH", "settings", tokens="reusable", rateLimit=0, tokenTtl="0")
    for app in ("shop", "new"):
        now = (await body_of(client.get(f"/_mock/settings?app={app}")))["rules"]
        assert now["tokens"] == "reusable", app
        assert not {"rateLimit", "tokenTtl"} & now.keys(), app
    assert "tokens" in await details_of(client.patch("/_mock/settings", json={"tokens": "once"}))


async def test_a_shorter_lifetime_of_tokens_closes_the_sockets_that_outlive_it(
    client: Client,
) -> None:
    socket = await connect(client, await log_in(client, "superhero1"))
    client.app[STORE].clock.advance(60)

    await steer(client, "PATCH", "settings", tokenTtl="30s")

    assert (await socket.receive(timeout=PATIENCE)).type is WSMsgType.CLOSE


async def test_the_settings_of_the_start_are_told_without_secrets(serve: Serve) -> None:
    client = await serve(control_token="hush", fixture=("default",), rate_limit=None)
    headers = {"Authorization": "Bearer hush"}

    told = await body_of(client.get("/_mock/settings", headers=headers))

    values = {row["name"]: row["value"] for row in told["settings"]}
    assert "hush" not in str(told)
    assert (values["control-token"], values["fixture"], values["rate-limit"]) == (
        "set",
        "default",
        "off",
    )
    assert (values["dashboard"], values["login-latency"]) == ("on", "0s")


async def test_a_change_in_python_reaches_a_watcher(client: Client) -> None:
    with MockChat(Config(port=0, https_port=None)).in_thread() as mock:
        url = f"{mock.url}/_mock/events"
        async with client.session.get(url) as response:
            events = events_of(response)
            before = (await next_of(events, "status"))["changes"]

            mock.create_user("from-python")
            assert (await next_of(events, "status"))["changes"] > before
            mock.clock.freeze()
            while not (await next_of(events, "status"))["frozen"]:
                pass
            assert await asyncio.to_thread(mock.users.get, "from-python")

"""Long work: other requests have their turn, whatever it does to how many users."""

import asyncio
import gc
import io
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mockchat.api import json_text
from mockchat.core.entities import Scope
from mockchat.core.steps import finish
from mockchat.wire.app import STORE
from tests.answers import body_of, data_of
from tests.helpers import create_user, state_of, steer
from tests.strategies import json_values
from tests.values import REST_KEY, Client, Serve

USERS = 10_000
LONGEST = 0.05  # processor seconds of one turn; far less on a machine without other work


@pytest.fixture
def uncollected() -> Any:
    """Look for no garbage: `mockchat serve` does not look at what stays, either."""
    gc.disable()
    yield
    gc.enable()


@asynccontextmanager
async def watched() -> AsyncIterator[list[float]]:
    """Collect the processor time of each turn of the event loop."""
    turns = [0.0]

    async def watch() -> None:
        while True:
            started = time.thread_time()
            await asyncio.sleep(0)
            turns.append(time.thread_time() - started)

    task = asyncio.create_task(watch())
    yield turns
    task.cancel()


@pytest.mark.usefixtures("uncollected")
async def test_no_action_on_many_users_keeps_others_waiting(serve: Serve, tmp_path: Path) -> None:
    users = [
        {"uid": f"u{at}", "name": f"N{at}", "friends": ["u0"] * (at % 99 == 1)}
        for at in range(USERS)
    ]
    fixture = tmp_path / "many.json"
    fixture.write_text(json.dumps({"users": users}))
    client = await serve(fixture=(str(fixture),))
    took: dict[str, float] = {}

    async def do(request: str, body: Any = None) -> bytes:
        method, path = request.split()
        data = io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
        asked = client.request(method, path, data=data, headers=REST_KEY)
        async with watched() as turns, asked as answer:
            content = await answer.read()
            assert answer.status == 200, content
        took[request] = max(turns)
        return content

    await do("POST /_mock/seed?app=warm", {"users": 1})  # loads what later ones need
    took.clear()
    await do("GET /apps/other/users")  # makes the app
    await do("POST /_mock/reset")
    await do("POST /_mock/seed?app=APP_ID", {"users": USERS})
    await do("POST /_mock/seed?app=new", {"fixture": {"users": users}})
    await do("POST /_mock/seed?app=other", {"fixture": str(fixture)})
    await do("GET /users?searchKey=n1")
    await do("GET /users?sortBy=name&withDeactivated=true")
    await do("POST /_mock/operations/list_users?app=APP_ID", {"query": {"searchKey": "n2"}})
    await do("PUT /_mock/snapshots/s1?app=APP_ID")
    await do("GET /_mock/state?app=APP_ID")
    exported = await do("GET /_mock/snapshots/s1?app=APP_ID")
    imported = await do("PUT /_mock/snapshots/s2", exported)
    await do("POST /_mock/snapshots/s2/restore")

    assert not {request: seconds for request, seconds in took.items() if seconds > LONGEST}
    assert json.loads(imported)["users"] == 2 * USERS


@pytest.mark.usefixtures("uncollected")
async def test_no_look_at_long_exchanges_or_many_apps_keeps_others_waiting(client: Client) -> None:
    long = {"uid": "superhero1", "metadata": {"a": [{"b": "c/d", "n": n} for n in range(400)]}}
    for _ in range(800):
        async with client.post("/users", json=long, headers=REST_KEY) as answer:
            assert answer.status == 400
    for number in range(400):
        client.app[STORE].app(f"app{number}")
    await steer(client, "PUT", "snapshots/s1")
    took: dict[str, float] = {}

    # A long turn of mockchat is long each time; that of a busy machine is not.
    for path in ("journal?limit=800", "journal.har", "state", "snapshots/s1") * 3:
        async with watched() as turns, client.get(f"/_mock/{path}") as answer:
            assert len(await answer.read()) > 500_000
        took[path] = min(took.get(path, 60.0), max(turns))

    assert not {path: seconds for path, seconds in took.items() if seconds > LONGEST}


async def test_a_snapshot_is_of_one_moment_whatever_changes_while_it_is_taken(
    client: Client,
) -> None:
    await steer(client, "POST", "seed", users=2000)
    store = client.app[STORE]
    app, other = store.default, store.app("other")
    for uid in ("ann", "bob"):
        await create_user(client, uid)
    steps = store.taking(app)
    for _ in range(4):
        next(steps)

    path = "/users/superhero1/friends"
    await data_of(client.post(path, json={"accepted": ["ann", "bob"]}, headers=REST_KEY))
    gone = {"permanent": True}
    await data_of(client.delete("/users/bob", json=gone, headers=REST_KEY))
    await create_user(client, "late")
    role = {"role": "late", "name": "Late"}
    await data_of(client.post("/roles", json=role, headers=REST_KEY))
    other.add_key("another app's", Scope.AUTH_ONLY)
    taken = finish(steps)

    assert taken == finish(store.taking(app))
    finish(store.checking(taken))
    assert not store.trackers


async def test_a_snapshot_larger_than_any_other_body_is_imported(client: Client) -> None:
    contents = await state_of(client)
    long = {"pad": "x" * 1_000_000}
    contents["APP_ID"]["users"][0]["metadata"] = long
    for number in range(17):
        user = {**contents["APP_ID"]["users"][0], "uid": f"u{number}", "serial": 100 + number}
        contents["APP_ID"]["users"].append(user)
    contents["APP_ID"]["serial"] = 200

    text = json.dumps({"apps": contents})
    assert len(text) > 16 * 2**20
    await body_of(client.put("/_mock/snapshots/s1", data=io.BytesIO(text.encode())))
    await steer(client, "POST", "snapshots/s1/restore")

    assert await state_of(client) == contents


def in_64_bits(text: str) -> float:
    """Return an integer as the server keeps it: a long one becomes a float."""
    return int(text) if -(2**63) <= int(text) < 2**64 else float(text)


# --- JSON in a thread -----------------------------------------------------------------------
@example([-(2**63) - 1, 2**64, 10**40], None)  # more than 64 bits hold
@example([-(2**63), 2**64 - 1], None)
@given(json_values, st.sampled_from([None, 0, 2]))
def test_long_json_means_the_same(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent).encode()

    found = json_text.parse_long(text)

    assert repr(found) == repr(json_text.parse(text))
    assert found == json.loads(text, parse_int=in_64_bits)
    assert json.loads(json_text.exact(value)) == value


@given(json_values, st.data())
def test_long_json_is_refused_as_short_json_is(value: Any, data: st.DataObject) -> None:
    text = json.dumps({"a": [value, {"b": value}]})
    place = data.draw(st.integers(0, len(text) - 1))
    breaks = ["", "{", "]", ",", '"', "1e999", "[" * 90, r"\ud800", r"\uDC00", r'"\uD83D"']
    broken = text[:place] + data.draw(st.sampled_from(breaks))
    for one in (broken, broken + text[place:]):
        try:
            expected = json_text.parse(one.encode())
        except ValueError:
            expected = ...
        try:
            found = json_text.parse_long(one.encode())
        except ValueError:
            found = ...
        assert repr(found) == repr(expected)

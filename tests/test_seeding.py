"""Seeding while the server runs: fixtures by name and by content, and any number of people."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockchat import Config
from mockchat.core.clock import Clock
from mockchat.core.entities import User
from mockchat.core.ids import Ids
from mockchat.core.limits import Rules
from mockchat.core.seed import MAX_FAKE_USERS, Seed, adding_fake_users, fixtures_dir
from mockchat.core.state import App
from mockchat.core.steps import STEP, finish
from mockchat.wire.app import STORE, create_store
from tests.answers import data_of, details_of
from tests.helpers import create_user, get_user, state_of, steer
from tests.raw import assert_alive
from tests.sessions import by_token, issue_token
from tests.values import AUTH_KEY, NOW, REST_KEY, SEED_UIDS, Client, Json, Serve

ALICE = {"uid": "Alice", "name": "Alice"}


async def seed(client: Client, **fixture: Any) -> Json:
    return await steer(client, "POST", "seed", fixture=fixture)


# --- fixtures by content --------------------------------------------------------------------
async def test_a_fixture_adds_users_in_front_roles_and_api_keys(client: Client) -> None:
    bob = {"uid": "bob", "name": "Bob", "createdAt": NOW, "friends": ["superhero1"]}

    told = await seed(
        client,
        users=[{**ALICE, "role": "Pro"}, bob],
        roles=[{"role": "pro", "name": "Pro"}],
        apiKeys=[{"apiKey": "K", "name": "k", "scope": "fullAccess"}],
    )

    assert told == {"users": 2, "apps": ["APP_ID"]}
    found = await data_of(client.get("/users", headers=REST_KEY))
    assert [user["uid"] for user in found] == ["Alice", "bob", *SEED_UIDS]
    assert (await data_of(client.get("/users/alice", headers={"apikey": "K"})))["role"] == "pro"
    assert (await data_of(client.get("/roles/pro", headers=REST_KEY)))["name"] == "Pro"
    friends = await data_of(client.get("/users/superhero1/friends", headers=REST_KEY))
    assert [friend["uid"] for friend in friends] == ["bob"]
    late = {"uid": "late", "name": "Late", "role": "pro"}  # which the app has by now
    assert (await seed(client, users=[late]))["users"] == 1


def test_a_made_up_uid_is_a_name_and_a_number_that_nobody_has() -> None:
    def made_up(*held: str) -> User:
        app = App("a", Rules(), Clock(), Ids(1), lambda _event: None)
        for uid in held:
            app.add_user(User(uid, uid, NOW))
        finish(adding_fake_users(app, 1))
        return app.all_users()[-1]

    first = made_up()
    stem = first.name.lower().replace(" ", "-")
    assert (first.uid, made_up(f"{stem}-2").uid) == (f"{stem}-1", f"{stem}-3")
    assert first.metadata is not None
    assert first.metadata["email"] == f"{stem}-1@example.com"
    assert first.metadata["company"]


async def test_who_is_there_takes_over_what_the_fixture_says(client: Client) -> None:
    token = await issue_token(client, "superhero1")
    avatar = (await get_user(client, "superhero1"))["avatar"]

    changed = {"uid": "SuperHero1", "name": "Tony", "tags": ["t"], "createdAt": 5}
    await seed(client, users=[changed])

    me = await data_of(client.get("/me", headers=by_token(token)))
    assert (me["uid"], me["name"], me["avatar"]) == ("SUPERHERO1", "Tony", avatar)
    assert me["createdAt"] == NOW
    assert len(await data_of(client.get("/users", headers=REST_KEY))) == len(SEED_UIDS)
    await seed(client, users=[{"uid": "superhero1", "name": "x", "deactivatedAt": NOW}])
    assert (await client.get("/me", headers=by_token(token))).status == 401
    assert (await client.get("/users/superhero1", headers=REST_KEY)).status == 404


async def test_a_seed_is_for_one_app_or_for_all(client: Client) -> None:
    assert await steer(client, "POST", "seed") == {"users": 0, "apps": ["APP_ID"]}
    for app in ("one", "two"):
        await client.get(f"/apps/{app}/v3/users", headers=REST_KEY)

    one = await steer(client, "POST", "seed", app="one", fixture={"users": [ALICE]})
    every = await steer(client, "POST", "seed", users=2)

    assert one == {"users": 1, "apps": ["one"]}
    assert every["users"] == 6
    assert set(every["apps"]) == {"APP_ID", "one", "two"}


# --- fixtures by name -----------------------------------------------------------------------
async def test_a_fixture_is_found_by_its_shipped_name_or_by_what_it_was_called_at_the_start(
    serve: Serve, tmp_path: Path
) -> None:
    path = tmp_path / "own.json"
    path.write_text(json.dumps({"users": [ALICE]}))
    client = await serve(fixture=(str(path),))
    await client.delete("/users/alice", json={"permanent": True}, headers=REST_KEY)

    told = await steer(client, "POST", "seed", fixture="default")
    assert told["users"] == 10
    found = await data_of(client.get("/users", headers=REST_KEY))
    assert [user["uid"] for user in found] == SEED_UIDS
    await steer(client, "POST", "seed", fixture=str(path))
    assert (await get_user(client, "alice"))["uid"] == "Alice"


async def test_no_other_file_is_read(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other.json").write_text(json.dumps({"users": [ALICE]}))
    monkeypatch.chdir(tmp_path)
    names = ("nope", "other.json", "./default", "default.json", "/etc/passwd", "..", "~", "a\0b")
    for name in (*names, "../default", "x" * 5000, str(fixtures_dir() / "default.json")):
        details = await details_of(client.post("/_mock/seed", json={"fixture": name}))
        assert "shipped are default, empty" in details["fixture"][0], name


# --- what is refused ------------------------------------------------------------------------
REFUSED: list[tuple[Json, str, str]] = [  # a fixture, the key of the details, the sentence
    ({"user": []}, "fixture.user", "is not known here"),
    ({"users": {}}, "fixture.users", "must be an array"),
    ({"users": [ALICE, {"uid": "b"}]}, "fixture.users.1.name", "is required"),
    ({"users": [{**ALICE, "age": 1}]}, "fixture.users.0.age", "is not known here"),
    ({"users": [{**ALICE, "createdAt": 2**63}]}, "fixture.users.0.createdAt", "be an integer"),
    ({"users": [{**ALICE, "uid": "a b"}]}, "fixture.users.0.uid", "may not contain spaces"),
    ({"users": [ALICE, {**ALICE, "uid": "ALICE"}]}, "fixture", "stands in the fixtures twice"),
    ({"users": [{**ALICE, "role": "nope"}]}, "fixture", "has the role 'nope'"),
    ({"users": [{**ALICE, "friends": ["nope"]}]}, "fixture", "has the friend 'nope'"),
    ({"users": [{**ALICE, "friends": ["alice"]}]}, "fixture", "is its own friend"),
    (
        {"roles": [{"role": role, "name": "R"} for role in "rR"]},
        "fixture",
        ": the role 'r' is declared twice",
    ),
    (
        {"apiKeys": [{"apiKey": "K", "name": "k", "scope": "authOnly"}] * 2},
        "fixture",
        "the api key 'K' is declared twice",
    ),
]


async def test_a_fixture_is_refused_as_a_whole_by_the_place(client: Client) -> None:
    before = await state_of(client)

    for fixture, key, reason in REFUSED:
        whole = {"users": [{"uid": "good", "name": "Good"}], **fixture}
        details = await details_of(client.post("/_mock/seed", json={"fixture": whole}))
        assert list(details) == [key], reason
        assert reason in details[key][0], key
    assert await state_of(client) == before


async def test_what_one_app_cannot_take_none_gets(client: Client) -> None:
    await create_user(client, "friendly")
    await client.get("/apps/one/v3/users", headers=REST_KEY)
    before = await state_of(client)
    fixture = {"users": [{**ALICE, "friends": ["friendly"]}]}

    await details_of(client.post("/_mock/seed", json={"fixture": fixture, "users": 3}))

    assert await state_of(client) == before


async def test_there_can_be_only_so_many_people_at_once_in_all_apps(client: Client) -> None:
    refused: list[Json] = [0, -1, MAX_FAKE_USERS + 1, 1.5, "x", True, [], 2**70]
    for users in refused:
        body = json.dumps({"users": users})
        assert list(await details_of(client.post("/_mock/seed", data=body))) == ["users"], users
    for app in ("one", "two"):
        await client.get(f"/apps/{app}/v3/users", headers=REST_KEY)

    details = await details_of(client.post("/_mock/seed", json={"users": MAX_FAKE_USERS // 2}))

    assert "as there are 3 apps" in details["users"][0]


# --- people ---------------------------------------------------------------------------------
People = Callable[..., Any]


@pytest.fixture
def people(serve: Serve) -> People:
    """Seeds people on a server of its own and returns them."""

    async def seeded(random_seed: int | None, *counts: int) -> list[Json]:
        client = await serve(fixture=("empty",), random_seed=random_seed)
        for count in counts:
            await steer(client, "POST", "seed", users=count)
        found: list[Json] = await data_of(client.get("/users?perPage=1000", headers=REST_KEY))
        return found

    return seeded


async def test_people_are_plausible_reproducible_and_no_two_are_alike(people: People) -> None:
    found, again, other = await people(7, 30, 30), await people(7, 30, 30), await people(8, 30, 30)

    assert found == again != other
    assert len({user["uid"] for user in found}) == 60
    for user in found:
        assert user["metadata"]["email"] == f"{user['uid']}@example.com"
        assert user["uid"].startswith(user["name"].split()[0].lower())
        assert user["name"].istitle()
        assert user["createdAt"] == NOW


async def test_people_s_uids_keep_to_the_rules_for_uids(client: Client) -> None:
    await steer(client, "POST", "seed", users=100)
    (person, *_) = await data_of(client.get("/users", headers=REST_KEY))

    token = await issue_token(client, person["uid"])
    body = {"uid": person["uid"], "authKey": AUTH_KEY["apikey"]}

    assert (await data_of(client.post("/login", json=body)))["authToken"] == token


async def test_a_uid_that_is_taken_is_not_taken_again(client: Client) -> None:
    app = client.app[STORE].default
    await steer(client, "POST", "seed", users=1)
    uid = app.all_users()[-1].uid
    name, _, number = uid.rpartition("-")
    await create_user(client, f"{name}-{int(number) + 1}")

    await steer(client, "POST", "seed", users=50)

    assert len(app.all_users()) == len(SEED_UIDS) + 52


async def test_others_are_answered_while_people_move_in(client: Client) -> None:
    moving = asyncio.create_task(steer(client, "POST", "seed", users=3000))
    answered = 0
    while not moving.done():
        await assert_alive(client)
        answered += 1

    assert answered > 2
    assert (await moving)["users"] == 3000
    moving = asyncio.create_task(steer(client, "POST", "seed", users=1500))
    await steer(client, "POST", "reset")  # in the middle, which is no crash
    assert (await moving)["users"] == 1500


def test_a_long_fixture_is_added_in_steps_whatever_happens_between_them() -> None:
    store = create_store(Config(), Clock())
    users: list[dict[str, Any]] = [
        {"uid": f"u{number}", "name": "x", "friends": {"u0", "u1500"}} for number in range(1, 2001)
    ]
    steps = Seed(users=[{"uid": "u0", "name": "x"}, *users]).adding(store.default)

    for _ in range(1 + 2000 // STEP):  # all users are there, and the friendships of the first
        next(steps)
    gone, liked = store.default.find_user("u1500"), store.default.find_user("u0")
    assert gone
    assert liked
    store.default.delete_user(gone)
    for _ in steps:
        pass

    assert len(liked.friends) == 1999
    assert store.default.user("u1600").friends == {"u0"}


def test_a_user_that_a_seed_changes_keeps_its_friends_and_gets_those_of_the_seed() -> None:
    store = create_store(Config(), Clock())
    first, second = ({"uid": "u0", "name": "x", "friends": {name}} for name in ("u1", "u2"))
    others = [{"uid": name, "name": "x"} for name in ("u1", "u2")]
    gone, again = ({"uid": "gone", "name": "x", "deactivated_at": at} for at in (5, 6))

    for seed in (Seed(users=[first, *others, gone]), Seed(users=[second, again])):
        finish(seed.adding(store.default))

    assert store.default.user("u0").friends == {"u1", "u2"}
    assert [user.deactivated_at for user in store.default.all_users() if user.uid == "gone"] == [5]
    assert second["friends"] == {"u2"}  # the seed may be added to other apps

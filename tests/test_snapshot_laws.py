"""Laws of snapshots: the way back is the identity, and nothing that is no snapshot gets in."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockchat.control.state import reading, storing
from mockchat.control.stored import check_apps
from mockchat.core.clock import Clock
from mockchat.core.ids import Ids
from mockchat.core.journal import Journals
from mockchat.core.limits import Rules
from mockchat.core.snapshot import SnapshotError, copied, relating
from mockchat.core.state import App
from mockchat.core.steps import dropping, finish
from mockchat.core.store import Store
from mockchat.wire.app import STORE
from tests.answers import body_of, data_of, details_of
from tests.helpers import create_user, state_of, steer
from tests.strategies import Contents, contents, json_values
from tests.values import REST_KEY, Client, Json

few = settings(max_examples=15)


def new_store() -> Store:
    return Store("A", lambda _app: dropping(), Rules(), Clock(), Ids(1), Journals(0, 0))


def hold(store: Store, *held: Contents) -> list[App]:
    """Apps a, b, … that hold this."""
    apps = [store.app(name) for name, _ in zip("ABC", held, strict=False)]
    for app, one in zip(apps, held, strict=True):
        finish(app.replace(finish(relating(*one))))
    return apps


def kept(store: Store, app: App | None = None) -> Json:
    found = store.kept("s1", app)
    return finish(reading(found)) if found else {}


# --- there and back -------------------------------------------------------------------------
@few
@given(contents(), contents(), contents())
def test_restoring_a_snapshot_is_the_identity_and_leaves_other_apps_alone(
    first: Contents, later: Contents, other: Contents
) -> None:
    store = new_store()
    app, beside = hold(store, first, other)
    before, left_alone = finish(store.taking(app)), finish(store.taking(beside))
    store.keep("s1", finish(storing(copy.deepcopy(before))), app)

    finish(app.replace(finish(relating(*later))))
    finish(store.restoring(kept(store, app), app))

    assert finish(store.taking(app)) == before
    assert finish(store.taking(beside)) == left_alone


@few
@given(contents(), contents(), contents())
def test_restoring_a_server_brings_back_all_of_its_apps(
    first: Contents, second: Contents, later: Contents
) -> None:
    store = new_store()
    hold(store, first, second)
    before = finish(store.taking())
    store.keep("s1", finish(storing(copy.deepcopy(before))))

    hold(store, later, first, second)
    finish(store.restoring(kept(store)))

    assert finish(store.taking()) == before


@few
@given(contents())
def test_a_snapshot_survives_json_and_another_server(held: Contents) -> None:
    store, elsewhere = new_store(), new_store()
    hold(store, held)
    carried = json.loads(json.dumps(finish(store.taking())))

    finish(elsewhere.restoring(finish(elsewhere.checking(carried))))

    assert finish(elsewhere.taking()) == finish(store.taking())


@few
@given(contents(), contents())
def test_a_snapshot_is_not_changed_by_what_is_done_with_it(held: Contents, later: Contents) -> None:
    store = new_store()
    (app,) = hold(store, held)
    taken = finish(store.taking())
    untouched = copy.deepcopy(taken)

    finish(store.restoring(taken))
    for user in app.all_users():
        user.tags.append("new")
        user.friends.clear()
        if user.metadata is not None:
            user.metadata["new"] = 1
    finish(app.replace(finish(relating(*later))))

    assert taken == untouched


def test_a_copy_of_json_shares_no_part_with_it() -> None:
    value: Json = {"a": [{"b": {}}], "c": {"d": []}}

    copy_ = copied(value)
    copy_["a"][0]["b"]["x"] = 1
    copy_["c"]["d"].append(1)

    assert value == {"a": [{"b": {}}], "c": {"d": []}}


@few
@given(contents(), st.data())
def test_whatever_a_snapshot_holds_can_be_lived_with(held: Contents, data: st.DataObject) -> None:
    store = new_store()
    hold(store, held)
    finish(store.restoring(finish(store.taking())))
    app = store.default

    for user in data.draw(st.permutations(app.all_users())):
        if user.deactivated_at is None and data.draw(st.booleans()):
            app.deactivate_user(user)
        app.delete_user(user)

    assert not app.tokens
    assert app.count_users() == 0


# --- what is no snapshot --------------------------------------------------------------------
def break_in(path: str, value: Any) -> Callable[[Json], None]:
    """Put a value at a place of an app's contents."""

    def put(app: Json) -> None:
        *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
        inner: Any = app
        for step in steps:
            inner = inner[step]
        inner[last] = value

    return put


def twice(section: str) -> Callable[[Json], None]:
    return lambda app: app[section].append(app[section][0])


def user(**changes: Any) -> Callable[[Json], None]:
    return lambda app: app["users"][0].update(changes)


# How contents are broken: the key of the details, and words of the sentence.
BROKEN: list[tuple[Callable[[Json], None], str, str]] = [
    (break_in("users", {}), ".users", "must be an array"),
    (break_in("secret", 1), ".secret", "must be a string"),
    (break_in("serial", "1"), ".serial", "must be an integer"),
    (break_in("serial", True), ".serial", "must be an integer"),
    (break_in("serial", 2**63), ".serial", "must be an integer"),
    (break_in("nope", 1), ".nope", "is not known here"),
    (break_in("users.0.nope", 1), ".users.0.nope", "is not known here"),
    (break_in("users.0", None), ".users.0", "must be a JSON object"),
    (user(name=5), ".users.0.name", "must be a string"),
    (user(tags=[1]), ".users.0.tags.0", "must be a string"),
    (user(createdAt=2**70), ".users.0.createdAt", "must be an integer"),
    (lambda app: app["users"][0].pop("uid"), ".users.0.uid", "is required"),
    (break_in("apiKeys.0.scope", "all"), ".apiKeys.0.scope", "may be fullAccess or authOnly"),
    (user(uid=""), "", "a uid is empty"),
    (twice("users"), "", "users: the uid 'u2' stands there twice"),
    (user(serial=2), "", "users: the serial 2 stands there twice"),
    (twice("roles"), "", "roles: the role 'default' stands there twice"),
    (twice("apiKeys"), "", "apiKeys: the value 'AUTH_KEY' stands there twice"),
    (twice("authTokens"), "", "authTokens: the value"),
    (break_in("roles", []), "", "there is no role 'default'"),
    (user(role="nope"), "", "'u2' has the role 'nope', which is not there"),
    (user(friends=["nope"]), "", "'u2' knows 'nope', but there is no such user"),
    (user(blocked={"nope": 1}), "", "'u2' knows 'nope', but there is no such user"),
    (user(friends=["u2"]), "", "'u2' knows itself"),
    (user(blocked={"u2": 1}), "", "'u2' knows itself"),
    (break_in("serial", 0), "", "serial is lower than that of a user"),
    (
        break_in("authTokens.0.uid", "nope"),
        "",
        "an auth token is of 'nope', but there is no such user",
    ),
    (user(deactivatedAt=1), "", "an auth token is of 'u2', but that user is deactivated"),
]


@pytest.fixture
async def held(client: Client) -> Json:
    """The contents of an app with two users, one with a token."""
    await create_user(client, "u1")
    await create_user(client, "u2", withAuthToken=True)
    apps = await state_of(client)
    contents = apps["APP_ID"]
    contents["users"] = contents["users"][:-3:-1]
    contents["users"][0]["serial"], contents["users"][1]["serial"] = 1, 2
    return {"A": contents}


async def refusal_of(client: Client, apps: Any) -> tuple[str, str]:
    """The key and the sentence by which contents are refused."""
    text = json.dumps({"apps": apps})
    ((key, (sentence,)),) = (await details_of(client.put("/_mock/snapshots/s1", data=text))).items()
    return key, sentence


async def test_what_is_no_snapshot_is_refused_by_the_place(client: Client, held: Json) -> None:
    for breaking, place, reason in BROKEN:
        apps = copy.deepcopy(held)
        breaking(apps["A"])
        key, sentence = await refusal_of(client, apps)
        assert key == ("apps.A" + place if place else "apps"), reason
        start = "" if place else "A:"
        assert f"{start} {reason}" in sentence, place
    assert await body_of(client.get("/_mock/snapshots")) == []


async def test_contents_that_are_of_no_apps_are_refused(client: Client, held: Json) -> None:
    refused = [
        ([1], "apps", "must be a JSON object"),
        ({"": held["A"]}, "apps", "'' cannot be an app id"),
        ({"a b": held["A"]}, "apps", "'a b' cannot be an app id"),
        ({"A": None}, "apps.A", "must be a JSON object"),
        ({"aB": held["A"], "Ab": held["A"]}, "apps", "snapshot: the app Ab stands there twice"),
    ]

    for apps, key, reason in refused:
        found = await refusal_of(client, apps)
        assert found[0] == key, reason
        assert reason in found[1]


async def test_friendships_of_one_side_are_mended(client: Client, held: Json) -> None:
    user(friends=["u1"])(held["A"])
    await steer(client, "PUT", "snapshots/s1", apps={"APP_ID": held["A"]})
    await steer(client, "POST", "snapshots/s1/restore")

    assert (await data_of(client.get("/users/u1/friends", headers=REST_KEY)))[0]["uid"] == "u2"
    body = {"permanent": True}
    assert await data_of(client.delete("/users/u2", json=body, headers=REST_KEY))
    assert await data_of(client.delete("/users/u1", json=body, headers=REST_KEY))


@few
@given(json_values)
def test_no_json_of_another_shape_is_a_snapshot(value: Any) -> None:
    with pytest.raises(SnapshotError, match=r"^A"):
        check_apps({"A": value})


@few
@given(contents(), st.data())
def test_a_snapshot_with_one_value_replaced_is_refused_or_can_be_lived_with(
    first: Contents, data: st.DataObject
) -> None:
    store = new_store()
    hold(store, first)
    taken = finish(store.taking())
    places = [(taken["A"], key) for key in taken["A"]]
    places += [
        (row, key)
        for rows in taken["A"].values()
        if isinstance(rows, list)
        for row in rows
        for key in row
    ]
    row, key = data.draw(st.sampled_from(places))
    row[key] = data.draw(json_values | st.integers(0, 3) | st.just([]))

    try:
        check_apps(taken)
        finish(store.restoring(finish(store.checking(taken))))
    except SnapshotError:
        return
    for one in store.default.all_users():
        store.default.delete_user(one)
    assert store.default.count_users() == 0


async def test_a_refused_restore_changes_nothing(client: Client) -> None:
    store = client.app[STORE]
    before = finish(store.taking())

    with pytest.raises(SnapshotError):
        finish(store.restoring({"A": {**before["APP_ID"], "roles": []}}))

    assert finish(store.taking()) == before

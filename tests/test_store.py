"""The store: apps found and made by id, kept apart and bounded in number."""

import contextlib
import sys
from collections.abc import Callable
from itertools import takewhile

import pytest

from mockchat.core import errors
from mockchat.core import store as store_module
from mockchat.core.changes import HEAD, Change, Changes
from mockchat.core.clock import Clock
from mockchat.core.entities import ApiKey, Event, Role, Scope, TokenDestroyed, User, UserCaller
from mockchat.core.errors import ApiError
from mockchat.core.ids import Ids
from mockchat.core.journal import Journals
from mockchat.core.limits import Rules
from mockchat.core.snapshot import SnapshotError
from mockchat.core.state import App
from mockchat.core.steps import STEP, Steps, finish
from mockchat.core.store import Store, StoredSnapshot
from mockchat.core.sweep import Row, dumping, sweep
from mockchat.core.user_list import UserFilter, selecting

MakeStore = Callable[..., Store]


def seed(app: App) -> Steps[None]:
    app.keys["SHARED"] = ApiKey("SHARED", "Key", Scope.FULL_ACCESS, app.now)
    app.roles["default"] = Role("default", "Default", app.now)
    app.add_user(User("seeded", "Seeded", app.now))
    yield


@pytest.fixture
def make_store() -> MakeStore:
    def make(rules: Rules | None = None) -> Store:
        return Store("APP_ID", seed, rules or Rules(), Clock(), Ids(1), Journals(0, 0))

    return make


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store()


def named(store: Store, app_id: str) -> App:
    """The app that a request names, and that is added by it."""
    with store.opening(store.draft(app_id)) as app:
        return app


def test_an_app_is_seeded_when_it_is_first_seen_and_found_in_any_case(store: Store) -> None:
    assert store.default.id == "APP_ID"
    assert tuple(store.apps()) == (store.default,)
    assert store.app("app_id") is store.default

    made = store.app("Team-1")

    assert store.app("TEAM-1") is made
    assert (made.id, made.is_draft) == ("Team-1", False)
    assert made.user("seeded") is not store.default.user("seeded")
    assert made.key_caller("SHARED").scope is Scope.FULL_ACCESS
    assert made.secret != store.default.secret


def test_an_id_of_up_to_64_characters_is_taken_and_another_is_refused(store: Store) -> None:
    for app_id in ("a", "x" * 64):
        assert store.app(app_id) is store.find(app_id)
        assert store.open(app_id) is store.find(app_id)
    for app_id in ("", "x" * 65, "a b"):
        for add in (store.app, store.open):
            with pytest.raises(ApiError) as refused:
                add(app_id)
            assert refused.value.definition is errors.APP_ID_INVALID, app_id


def test_an_app_that_is_opened_again_is_new_with_its_own_seed_until_it_is_closed(
    store: Store,
) -> None:
    def plant(app: App) -> Steps[None]:
        app.add_user(User("own", "Own", app.now))
        yield

    for app_id in ("APP_ID", "one"):
        old = store.app(app_id)
        new = store.open(app_id.title(), seed=plant)
        assert old is not new is store.app(app_id)
        assert old.clock not in store.clock.followers
        new.secret, used = "kept", new.quota
        finish(store.resetting(new))
        assert (new.secret, new.is_untouched, new.quota is used) == ("kept", True, False)
        assert [user.uid for user in new.all_users()] == ["own"]
        store.close(app_id)
        assert [user.uid for user in store.open(app_id).all_users()] == ["seeded"]
    assert store.default is store.app("APP_ID")


def test_an_app_that_is_closed_takes_what_is_its_own_with_it(store: Store) -> None:
    one, two = store.app("one"), store.app("two")
    for app in (one, two):
        store.faults.add("hang", {}, app_id=app.id.upper())
        store.keep("s1", StoredSnapshot({}, {}), app)
        app.holds.hold()

    store.close("ONE")

    assert [rule.app_id for rule in store.faults.rules.values()] == ["TWO"]
    assert list(store.snapshots) == [("two", "s1")]
    assert (one.holds.uids, two.holds.uids) == ([], [None])
    assert (one.journal.closed, two.journal.closed) == (True, False)


def test_an_entity_that_was_swept_is_held_no_longer(store: Store) -> None:
    store.trackers.append(changes := Changes())
    app = named(store, "one")
    app.add_user(first := User("first", "First", 1))
    app.add_user(last := User("last", "Last", 1))
    app.note_all()
    free = sys.getrefcount(last)

    rows = sweep(changes, store.find, Changes())
    list(takewhile(lambda row: row.name != "first", rows))

    assert sys.getrefcount(last) == free + 1
    assert next(row.name for row in rows) == "last"
    assert sys.getrefcount(first) == free


def test_what_is_noted_of_apps_tells_which_there_are_and_which_stay(store: Store) -> None:
    store.trackers.append(changes := Changes())
    one, two = named(store, "one"), named(store, "two")
    keys = [ApiKey(value, "k", Scope.AUTH_ONLY, 1) for value in ("k1", "k2")]
    roles = [Role(name, "r", 1) for name in ("r1", "r2")]
    one.add(*keys, *roles)
    saved = [*sweep(changes, store.find, Changes())]
    store.app("one")
    store.close("two")
    saved += sweep(changes, store.find, Changes())
    two.add_user(User("late", "Late", 1))  # by a request in flight
    del one.keys["k1"], one.roles["r1"]
    one.touch(keys[0], roles[0])
    one.add(keys[0], roles[0])  # now the last ones
    saved += sweep(changes, store.find, Changes())

    stays = {row.app: row.value["stays"] for row in saved if row.value and row[1:3] == (HEAD, "")}
    assert stays == {"one": True, "two": False}
    assert Row("two") in saved
    assert finish(dumping(saved)) == finish(store.taking(one))


def test_what_is_noted_of_an_entity_is_taken_in_its_order_and_told_at_the_first() -> None:
    told: list[bool] = []
    changes = Changes(lambda: told.append(bool(changes)))
    noted = [Change("one", "users", "u1", new=True), Change("one", "users", "u2"), Change("two")]
    for _ in range(2):
        for change in (*noted, Change("two", "users", "u3")):
            changes.note(change)

        assert [changes.pop() for _ in noted] == noted
        assert not changes
    assert told == [True, True]


def test_one_app_too_many_closes_the_longest_unused_that_nobody_asked_for(
    make_store: MakeStore, caplog: pytest.LogCaptureFixture
) -> None:
    store = make_store(Rules(max_apps=4))
    events: list[Event] = []
    store.listeners.append(events.append)
    changed, sold, online, fresh = (named(store, name) for name in ("one", "two", "three", "four"))
    changed.add_user(User("u1", "One", 1))
    token = sold.issue_token(sold.user("seeded"))
    seeded = online.user("seeded")
    caller = UserCaller(seeded, online.issue_token(seeded))
    online.open_session(caller)
    store.open("named", Rules(any_key=True))
    store.app("claimed")

    def gone_for(app_id: str) -> set[str]:
        before = {app.id for app in store.apps()}
        named(store, app_id)
        return before - {app.id for app in store.apps()}

    assert fresh.is_untouched
    assert gone_for("five") == {"four"}
    assert gone_for("six") == {"five"}  # which nobody changed
    named(store, "six").add_key("k", Scope.AUTH_ONLY)
    named(store, "one")  # used again
    assert gone_for("seven") == {"two"}
    assert events[-1] == TokenDestroyed("two", token.value)
    assert [gone_for("eight"), gone_for("nine")] == [{"seven"}, {"eight"}]
    named(store, "nine").touch()
    assert [gone_for("ten"), gone_for("eleven")] == [{"six"}, {"ten"}]
    online.close_session(caller, 0.0)
    assert (online.sockets, store.evicted) == (0, 7)
    assert store.find("named")
    assert store.find("claimed")
    told = [(one.name, one.getMessage().partition(", as")[0]) for one in caplog.records]
    assert told == [
        ("mockchat", "the app two and its users made room for seven"),
        ("mockchat", "the app six and its users made room for ten"),
    ]


def test_apps_that_were_asked_for_or_are_in_use_never_make_room(make_store: MakeStore) -> None:
    store = make_store(Rules(max_apps=1))
    for name in ("one", "two", "three"):
        store.app(name)
    online = named(store, "online")
    user = online.user("seeded")
    online.open_session(UserCaller(user, online.issue_token(user)))
    named(store, "other").add_key("k", Scope.AUTH_ONLY)

    with store.opening(store.draft("asked"), stays=True):
        assert store.find("other")  # as there are no more apps than may be added
    with store.opening(store.draft("new")):
        named(store, "newer")

    names = {"APP_ID", "one", "two", "three", "online", "asked", "new", "newer"}
    assert {app.id for app in store.apps()} == names
    assert store.evicted == 1


def test_an_app_goes_again_if_every_request_that_named_it_is_refused(store: Store) -> None:
    followers = set(store.clock.followers)
    with contextlib.suppress(ApiError), store.opening(first := store.draft("new")):
        assert store.find("new") is first
        with contextlib.suppress(ApiError), store.opening(store.draft("new")):
            raise errors.UID_NOT_FOUND(uid="x")
        assert store.find("new") is first
        raise errors.UID_NOT_FOUND(uid="x")
    assert not store.find("new")
    assert store.clock.followers == followers

    with contextlib.suppress(ApiError), store.opening(store.draft("new")):
        store.close("new")
        raise errors.UID_NOT_FOUND(uid="x")
    assert not store.find("new")

    with contextlib.suppress(ApiError), store.opening(store.draft("new")):
        with store.opening(store.draft("new")):
            pass
        raise errors.UID_NOT_FOUND(uid="x")
    assert store.find("new")


async def test_of_two_requests_that_draft_an_app_the_later_one_serves_the_app_of_the_first(
    store: Store,
) -> None:
    first, late, later = (store.draft("new") for _ in range(3))
    finish(store.filling(first))

    async def serve_first(seconds: float) -> None:
        assert seconds == 0
        with store.opening(first):
            pass

    assert await store.filled(later, serve_first) is first
    with store.opening(first) as app, store.opening(late) as same:
        assert app is same is store.find("new") is first


def test_a_reset_app_keeps_its_rate_limit_and_counts_anew(make_store: MakeStore) -> None:
    store = make_store(Rules(rate_limit=7))
    store.default.quota.take(7, 0.0)

    finish(store.resetting(store.default))

    assert store.default.quota.left(7) == (7, 7, 7, 7)


def test_more_users_than_one_step_takes_are_found_and_restored(store: Store) -> None:
    for number in range(2 * STEP):
        store.default.add_user(User(f"u{number}", "U", 1))

    finish(store.restoring(finish(store.taking())))

    assert store.default.count_users() == 2 * STEP + 1
    assert (
        len(finish(selecting(store.default, UserFilter(search_key="u", search_in=("uid",)))))
        == 2 * STEP
    )


def test_an_app_that_is_restored_alone_leaves_the_others_as_they_are(store: Store) -> None:
    other = store.app("other")
    snapshot = finish(store.taking())
    for app in (store.default, other):
        app.add_user(User("late", "Late", 1))

    finish(store.restoring(snapshot, store.default))

    assert (store.default.count_users(), other.count_users()) == (1, 2)


def test_restoring_keeps_the_apps_of_a_snapshot_adds_those_that_are_gone_and_closes_others(
    store: Store,
) -> None:
    one, gone = store.app("One"), store.app("gone")
    taken = {app_id.swapcase(): held for app_id, held in finish(store.taking()).items()}
    assert [*finish(store.checking(taken, one))] == ["oNE"]
    store.close("gone")
    store.app("late")

    finish(store.restoring(taken))

    assert [app.key for app in store.apps()] == ["app_id", "one", "gone"]
    assert store.find("one") is one
    assert store.find("gone") is not gone
    finish(store.restoring({}))
    assert [*store.apps()] == [store.default]
    assert finish(store.checking({})) == {}


def test_an_app_finds_its_part_of_a_snapshot_of_the_server_unless_it_has_one_of_that_name(
    store: Store,
) -> None:
    one, two = store.app("One"), store.app("two")
    own, whole = StoredSnapshot({}, {}), StoredSnapshot({"oNE": 1, "x": 2}, {"oNE": {}, "x": {}})
    store.keep("s1", whole)
    assert store.kept("s1") is whole
    assert store.kept("s1", one) == ({"oNE": 1}, {"oNE": {}})
    assert store.kept("s1", two) is store.kept("s2", one) is store.kept("s2") is None
    store.keep("s1", own, one)
    assert store.kept("s1", one) is own


def test_all_snapshots_together_take_so_many_bytes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "MAX_SNAPSHOT_BYTES", 2 * 2**20)
    half = StoredSnapshot({}, {"a": {"users": [bytes(2**20)]}})
    for app in (None, store.default, store.default):  # the last in place of the one before
        store.keep("s1", half, app)

    refusal = "^all snapshots may take 2 MiB together; delete some$"
    with pytest.raises(SnapshotError, match=refusal):
        store.keep("s2", StoredSnapshot({}, {"a": {"users": [b"1"]}}))


def test_the_app_of_a_token_or_of_a_key_that_it_alone_holds_is_known(store: Store) -> None:
    app = store.app("other")
    token = app.issue_token(app.user("seeded"))
    app.keys["OWN"] = ApiKey("OWN", "Own", Scope.FULL_ACCESS, 1)

    assert store.app_with_token(token.value) is app
    assert store.app_with_token("nonsense") is None
    assert store.app_with_key("OWN") is app
    assert store.app_with_key("SHARED") is None
    assert store.app_with_key("nonsense") is None


def test_every_listener_hears_of_events_in_any_app(store: Store) -> None:
    first: list[Event] = []
    second: list[Event] = []
    store.listeners += [first.append, second.append]
    app = store.app("other")

    app.flush_tokens(app.user("seeded"))
    app.destroy_token(app.issue_token(app.user("seeded")))

    assert len(first) == 1
    assert first == second

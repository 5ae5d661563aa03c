"""The state of one app, driven directly: users, lists and auth tokens."""

import re
from collections.abc import Callable

import pytest

from mockchat.core import errors
from mockchat.core.changes import HEAD, Change, Changes
from mockchat.core.clock import Clock
from mockchat.core.entities import Event, Status, TokenDestroyed, User, UserCaller
from mockchat.core.errors import ApiError, ErrorDef
from mockchat.core.ids import Ids
from mockchat.core.limits import Rules
from mockchat.core.relations import befriend, block, unblock, unfriend
from mockchat.core.snapshot import plain_of
from mockchat.core.state import App
from mockchat.core.steps import finish
from mockchat.core.user_list import Span, UserFilter, selecting
from tests.values import NOW

MakeApp = Callable[..., App]


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def make_app(clock: Clock, events: list[Event]) -> MakeApp:
    return lambda **rules: App("APP_ID", Rules(**rules), clock, Ids(1), events.append)


@pytest.fixture
def app(make_app: MakeApp) -> App:
    return make_app()


def add(app: App, uid: str, created_at: int = NOW) -> User:
    return app.add_user(User(uid, f"Name of {uid}", created_at))


def refusal(act: Callable[..., object], *arguments: object) -> ErrorDef:
    with pytest.raises(ApiError) as refused:
        act(*arguments)
    return refused.value.definition


def refused_values(act: Callable[..., object], *arguments: object) -> object:
    """Return the values of a refusal's message."""
    with pytest.raises(ApiError) as refused:
        act(*arguments)
    return refused.value.values


# --- users ----------------------------------------------------------------------------------
def test_a_refusal_names_a_uid_in_lower_case_and_encoded(app: App) -> None:
    user = add(app, "SuperHero1")

    assert app.user("superHERO1") is user
    app.deactivate_user(user)  # which keeps its uid
    assert (app.find_user("superhero1"), user.deactivated_at) == (user, NOW)
    assert refusal(add, app, "superHERO1") is errors.UID_ALREADY_EXISTS
    assert refused_values(add, app, "superHERO1") == {"uid": "superhero1"}
    assert refusal(app.user, "Jane Doe/Ü") is errors.UID_NOT_FOUND
    assert refused_values(app.user, "Jane Doe/Ü\udcff") == {"uid": "jane%20doe%2f%c3%9c%ff"}
    assert refused_values(app.user, plain := "a!$&'()*+,;=:@-._~") == {"uid": plain}


def test_a_deleted_user_leaves_its_uid_but_no_friendship_and_no_block(app: App) -> None:
    gone, friend, blocked, blocking = (add(app, uid) for uid in ("gone", "u1", "u2", "u3"))
    gone.friends.add(friend.key)
    friend.friends.add(gone.key)
    for one, other in ((gone, blocked), (blocking, gone)):
        one.blocked[other.key] = NOW
        other.blocked_by.add(one.key)

    app.delete_user(gone)

    assert friend.friends == blocked.blocked_by == set()
    assert blocking.blocked == {}
    again = add(app, "GONE")
    assert app.user("gone") is again


def test_a_new_user_and_all_who_knew_a_deleted_one_are_saved(app: App) -> None:
    one, friend, blocker = add(app, "u1"), add(app, "u2"), add(app, "u3")
    befriend(app, one, friend)
    block(app, blocker, one)
    app.trackers.append(changes := Changes())

    app.delete_user(one)

    saved = [changes.pop().name for _ in range(3)]
    assert (saved[0], {*saved[1:]}, bool(changes)) == ("u1", {"u2", "u3"}, False)
    add(app, "u1")
    noted = [changes.pop(), changes.pop()]
    assert noted == [Change("app_id", "users", "u1", new=True), Change("app_id", HEAD)]
    token = app.issue_token(app.user("u1"))
    assert changes.pop() == Change("app_id", "authTokens", token.value, new=True)
    assert not changes


def test_a_list_without_a_user_goes_on_behind_it(app: App) -> None:
    users = [add(app, f"u{number}") for number in range(4)]

    for left_out in users:
        others = [user for user in reversed(users) if user is not left_out]
        assert app.count_users(but=left_out) == 3
        assert app.list_users(1, 10, but=left_out) == others
        pages = [app.list_users(page, 1, but=left_out) for page in range(1, 5)]
        assert pages == [*([user] for user in others), []]


def test_both_users_know_of_their_relation_and_it_is_saved(app: App) -> None:
    one, two = add(app, "u1"), add(app, "u2")
    app.trackers.append(changes := Changes())
    for act, friends, blocked_by, saved in (
        *[(befriend, {"u1"}, set(), ["u1", "u2"]), (unfriend, set(), set(), ["u1", "u2"])],
        *[(block, set(), {"u1"}, ["u1"]), (unblock, set(), set(), ["u1"])],
    ):
        version = app.version
        act(app, one, two)

        assert (two.friends, two.blocked_by) == (friends, blocked_by), act
        assert [changes.pop().name for _ in saved] == saved, act
        assert (bool(changes), app.version) == (False, version + 1), act


def test_a_snapshot_keeps_neither_presence_nor_who_is_blocked_by_whom_twice(app: App) -> None:
    user = add(app, "u1")
    block(app, add(app, "u2"), user)
    app.open_session(UserCaller(user, app.issue_token(user)))

    kept = {"uid": "u1", "name": "Name of u1", "createdAt": NOW, "lastActiveAt": NOW, "serial": 1}
    assert plain_of(user) == kept


def test_a_fixture_s_uid_is_found_in_a_path_whatever_it_holds(app: App) -> None:
    for uid in ("no.rules@all", "ünï", "A/b"):
        user = add(app, uid)
        assert app.user_in_path(uid) is user


def test_a_uid_in_a_path_that_is_no_user_s_is_refused_for_its_form(app: App) -> None:
    app.deactivate_user(add(app, "gone"))
    for uid, row in (
        *[("gone", errors.UID_NOT_FOUND), ("x" * 100, errors.UID_NOT_FOUND)],
        *[("x" * 101, errors.PATH_UID_INVALID), (" ", errors.PATH_UID_INVALID)],
        *[("a b", errors.PATH_UID_WITH_SPACE), ("a.b", errors.PATH_UID_INVALID)],
    ):
        assert refusal(app.user_in_path, uid) is row, uid


def test_a_changed_or_restored_app_is_no_longer_as_its_seed_left_it(make_app: MakeApp) -> None:
    changed, restored = make_app(), make_app()
    assert changed.is_untouched

    add(changed, "u1")
    changed.touch()
    finish(restored.replace(make_app().contents()))

    assert (changed.is_untouched, restored.is_untouched) == (False, False)


def test_a_restored_app_filters_its_lists_by_what_it_holds_now(app: App, make_app: MakeApp) -> None:
    wanted = UserFilter(updated=Span(NOW, NOW))
    app.update_user(add(app, "u1"), {"name": "New"})
    add(app, "u2")
    assert [user.uid for user in finish(selecting(app, wanted))] == ["u1"]

    other = make_app()
    other.update_user(add(other, "u3"), {"name": "New"})
    finish(app.replace(other.contents()))

    assert [user.uid for user in finish(selecting(app, wanted))] == ["u3"]


# --- presence -------------------------------------------------------------------------------
def test_a_user_is_online_as_long_as_any_of_its_clients_is(app: App) -> None:
    user = add(app, "u1")
    one, two = (UserCaller(user, app.issue_token(user, force=True)) for _ in range(2))
    app.go_online(one)
    app.go_online(two)
    app.trackers.append(changes := Changes())

    app.open_session(one)  # in place of its being online without one
    assert changes.pop() == Change("app_id", "authTokens", one.token.value)
    app.open_session(one)
    assert (app.sockets, user.sessions) == (2, 3)
    app.close_session(one, 0.0)
    app.close_session(one, 0.0)

    assert (app.sockets, user.sessions, user.status) == (0, 1, Status.AVAILABLE)


def test_a_restored_user_has_the_connections_that_are_open(app: App) -> None:
    user = add(app, "u1")

    app.rejoin_session(user)
    app.rejoin_session(user)

    assert (user.sessions, user.status) == (2, Status.AVAILABLE)


def test_the_last_connection_of_a_deleted_user_tells_nothing_of_the_next_one_with_its_uid(
    app: App, events: list[Event]
) -> None:
    old = add(app, "u1")
    caller = UserCaller(old, app.issue_token(old))
    app.open_session(caller)
    app.delete_user(old)
    add(app, "u1")
    before = len(events)

    app.close_session(caller, 0.0)

    assert events[before:] == []


# --- credentials ----------------------------------------------------------------------------
def test_a_blank_credential_is_missing_and_not_unknown(app: App) -> None:
    for blank in ("", "  "):
        assert refusal(app.key_caller, blank) is errors.KEY_MISSING
        assert refusal(app.user_caller, blank) is errors.AUTH_TOKEN_MISSING


# --- lists ----------------------------------------------------------------------------------
def test_the_newest_change_is_the_newest_user_s(app: App, clock: Clock) -> None:
    assert (app.newest_change(), app.list_users(1, 10), app.count_users()) == (None, [], 0)
    add(app, "older", NOW - 1)
    add(app, "newer", NOW)
    clock.advance(60)

    created = app.newest_change()
    app.update_user(app.user("older"), {"name": "Other"})
    after_another_s_update = app.newest_change()
    app.update_user(app.user("newer"), {"name": "Other"})

    assert (created, after_another_s_update, app.newest_change()) == (NOW, NOW, NOW + 60)


# --- auth tokens ----------------------------------------------------------------------------
def test_every_end_of_a_token_is_told(make_app: MakeApp, clock: Clock, events: list[Event]) -> None:
    app = make_app(token_ttl=60)
    other = app.issue_token(add(app, "U2"))
    assert re.fullmatch(r"u2_1700000000[0-9a-f]{30}", other.value)  # tokens have no capitals
    assert (other.uid, other.created_at, other.device) == ("U2", NOW, None)
    for end in (app.flush_tokens, app.deactivate_user, app.delete_user):
        events.clear()
        user = add(app, end.__name__)
        tokens = [app.issue_token(user, force=True).value for _ in range(3)]

        end(user)

        assert events == [TokenDestroyed("APP_ID", value) for value in tokens]
        assert app.tokens == {other.value: other}

    events.clear()
    user = app.user("u2")
    newest = [app.issue_token(user, force=True) for _ in range(100)]
    assert app.live_tokens(user) == newest[::-1]
    assert events == [TokenDestroyed("APP_ID", other.value)]  # the 101st ends the oldest
    clock.advance(59.9)
    assert app.live_token(newest[0].value) is newest[0]
    clock.advance(0.1)
    assert app.live_token(newest[0].value) is None
    assert events[1:] == [TokenDestroyed("APP_ID", newest[0].value)]


def test_a_single_use_token_is_bound_by_its_first_login_which_is_saved(make_app: MakeApp) -> None:
    app = make_app(tokens="single-use")
    token = app.issue_token(add(app, "u1"))
    app.trackers.append(changes := Changes())

    app.use_token(token, "", logs_in=False)  # a request without a device
    assert (token.bound_to, bool(changes)) == (None, False)
    for _ in range(2):
        app.use_token(token, "phone")

    assert (changes.pop().name, bool(changes)) == (token.value, False)
    assert refusal(app.use_token, token, "laptop") is errors.AUTH_TOKEN_BOUND

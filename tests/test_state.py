"""The state of one app, driven directly: users, lists, auth tokens, callers, presence."""

import re
from collections.abc import Callable

import pytest

from mockchat.core import errors
from mockchat.core.clock import Clock
from mockchat.core.entities import (
    ApiKey,
    Event,
    KeyCaller,
    PresenceChanged,
    Scope,
    Status,
    TokenDestroyed,
    User,
)
from mockchat.core.errors import ApiError, ErrorDef
from mockchat.core.ids import Ids
from mockchat.core.limits import Rules
from mockchat.core.state import App
from tests.helpers import NOW

MakeApp = Callable[..., App]


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.freeze(NOW)
    return clock


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


def uids(users: list[User]) -> list[str]:
    return [user.uid for user in users]


def refusal(act: Callable[..., object], *arguments: object) -> ErrorDef:
    with pytest.raises(ApiError) as refused:
        act(*arguments)
    return refused.value.definition


def values(act: Callable[..., object], *arguments: object) -> object:
    """Return the values of a refusal's message."""
    with pytest.raises(ApiError) as refused:
        act(*arguments)
    return refused.value.values


# --- users ----------------------------------------------------------------------------------
def test_a_user_is_found_by_its_uid_in_any_case(app: App) -> None:
    user = add(app, "SuperHero1")

    for uid in ("SuperHero1", "superhero1", "SUPERHERO1"):
        assert app.user(uid) is user
    assert user.uid == "SuperHero1"
    assert refusal(add, app, "superHERO1") is errors.UID_ALREADY_EXISTS
    assert values(add, app, "superHERO1") == {"uid": "superhero1"}


def test_an_unknown_user_is_named_in_lower_case_and_encoded(app: App) -> None:
    assert refusal(app.user, "Jane Doe/Ü") is errors.UID_NOT_FOUND
    assert values(app.user, "Jane Doe/Ü") == {"uid": "jane%20doe%2f%c3%9c"}


def test_a_deactivated_user_is_not_found_but_keeps_its_uid_and_place(app: App) -> None:
    user = add(app, "u1")
    token = app.issue_token(user)
    add(app, "u2")

    app.deactivate_user(user)

    assert refusal(app.user, "u1") is errors.UID_NOT_FOUND
    assert refusal(add, app, "u1") is errors.UID_ALREADY_EXISTS
    assert (app.find_user("u1"), user.deactivated_at) == (user, NOW)
    assert uids(app.list_users(1, 10)) == ["u2"]
    app.reactivate_user(user)
    assert app.user("u1") is user
    assert uids(app.list_users(1, 10)) == ["u2", "u1"]
    assert app.live_token(token.value) is None


def test_an_update_sets_attributes_and_notes_the_time(app: App, clock: Clock) -> None:
    user = add(app, "u1")
    clock.advance(60)

    app.update_user(user, {"name": "New", "avatar": None})

    assert (user.name, user.avatar, user.updated_at) == ("New", None, NOW + 60)


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


def test_a_uid_in_a_path_is_refused_by_what_is_wrong_with_it(app: App) -> None:
    for uid, definition in (
        ("nobody", errors.UID_NOT_FOUND),
        ("no body", errors.PATH_UID_WITH_SPACE),
        ("no\u2003body", errors.PATH_UID_WITH_SPACE),
        (" ", errors.PATH_UID_INVALID),
        ("nöbody", errors.PATH_UID_INVALID),
        ("a" * 101, errors.PATH_UID_INVALID),
        ("a" * 100, errors.UID_NOT_FOUND),
    ):
        assert refusal(app.user_in_path, uid) is definition, uid
    for uid in ("no.rules@all", "ünï", "A/b"):  # of a fixture
        user = add(app, uid)
        assert app.user_in_path(uid) is user


# --- lists ----------------------------------------------------------------------------------
def test_users_are_listed_newest_first_the_last_added_of_a_second_before_the_others(
    app: App,
) -> None:
    for uid, created_at in (("b", NOW), ("a", NOW - 1), ("d", NOW + 1), ("c", NOW)):
        add(app, uid, created_at)
    app.add_user(User("gone", "Gone", NOW, deactivated_at=NOW))

    assert uids(app.list_users(1, 10)) == ["d", "c", "b", "a"]
    assert app.count_users() == 4


def test_pages_follow_one_another_with_and_without_one_user(app: App) -> None:
    every = ["u5", "u4", "u3", "u2", "u1"]
    for uid in reversed(every):
        add(app, uid)

    for page, expected in ((1, every[:2]), (2, every[2:4]), (3, every[4:]), (4, []), (10**9, [])):
        assert uids(app.list_users(page, 2)) == expected
    for but in every:
        pages = [app.list_users(page, 3, but=app.user(but)) for page in (1, 2)]
        assert uids(pages[0] + pages[1]) == [uid for uid in every if uid != but]
        assert app.count_users(but=app.user(but)) == 4


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
def test_a_token_has_the_uid_as_it_was_stored_and_the_time(app: App) -> None:
    token = app.issue_token(add(app, "SuperHero1"))

    assert re.fullmatch(r"SuperHero1_1700000000[0-9a-f]{30}", token.value)
    assert (token.uid, token.created_at, token.device) == ("SuperHero1", NOW, None)
    assert app.owner_of(token.value) == app.owner_of("SuperHero1_0") == "SuperHero1"


def test_an_unforced_token_is_the_newest_valid_one_of_the_device(app: App) -> None:
    user = add(app, "u1")
    phone = app.issue_token(user, device="phone")
    first = app.issue_token(user)
    forced = app.issue_token(user, force=True)

    assert app.issue_token(user, device="phone") is phone
    assert app.issue_token(user) is forced
    assert app.live_tokens(user) == [forced, first, phone]
    assert app.issue_token(user, device="tablet") not in (phone, first, forced)


def test_the_101st_token_ends_the_oldest(app: App, events: list[Event]) -> None:
    user = add(app, "u1")
    tokens = [app.issue_token(user, force=True) for _ in range(101)]

    assert app.live_tokens(user) == tokens[:0:-1]
    assert events == [TokenDestroyed("APP_ID", tokens[0].value)]


def test_every_token_of_a_user_ends_with_the_user(app: App, events: list[Event]) -> None:
    other = app.issue_token(add(app, "u2"))
    for end in (app.flush_tokens, app.deactivate_user, app.delete_user):
        events.clear()
        user = add(app, end.__name__)
        tokens = [app.issue_token(user, force=True).value for _ in range(3)]

        end(user)

        assert events == [TokenDestroyed("APP_ID", value) for value in tokens]
        assert app.tokens == {other.value: other}


def test_the_token_of_another_user_is_not_found(app: App) -> None:
    mine, yours = add(app, "u1"), add(app, "u2")
    token = app.issue_token(mine)

    assert app.token_of(mine, token.value) is token
    assert refusal(app.token_of, yours, token.value) is errors.TOKEN_NOT_FOUND
    assert refusal(app.token_of, mine, "nonsense") is errors.TOKEN_NOT_FOUND


def test_a_token_dies_the_moment_its_lifetime_is_over(
    make_app: MakeApp, clock: Clock, events: list[Event]
) -> None:
    app, eternal = make_app(token_ttl=60), make_app()
    user = add(app, "u1")
    token, other = app.issue_token(user), eternal.issue_token(add(eternal, "u1"))

    clock.advance(59.9)
    assert app.live_token(token.value) is token
    clock.advance(0.1)
    new = app.issue_token(user)

    assert events == [TokenDestroyed("APP_ID", token.value)]
    assert app.live_token(token.value) is None
    assert app.live_tokens(user) == [new]
    clock.advance(100 * 365 * 86_400)
    assert eternal.live_token(other.value) is other


def test_a_single_use_token_belongs_to_the_device_that_used_it_first(make_app: MakeApp) -> None:
    app, reusable = make_app(single_use_tokens=True), make_app()
    user = add(app, "u1")
    token, other = app.issue_token(user), reusable.issue_token(add(reusable, "u1"))

    assert app.issue_token(user) is not token
    app.use_token(token, "phone")
    app.use_token(token, "phone")
    assert refusal(app.use_token, token, "tablet") is errors.AUTH_TOKEN_BOUND
    reusable.use_token(other, "phone")
    reusable.use_token(other, "tablet")


# --- callers --------------------------------------------------------------------------------
def test_an_api_key_tells_its_scope(make_app: MakeApp) -> None:
    app, lenient = make_app(), make_app(any_key=True)
    for one in (app, lenient):
        one.keys["K"] = ApiKey("K", "Key", Scope.AUTH_ONLY, NOW)
        assert one.key_caller("K") == KeyCaller("K", Scope.AUTH_ONLY)
        for blank in ("", " ", "\t"):
            assert refusal(one.key_caller, blank) is errors.KEY_MISSING

    assert lenient.key_caller("whatever").scope is Scope.FULL_ACCESS
    assert refusal(app.key_caller, "abcdeSECRETvwxyz") is errors.KEY_UNKNOWN
    assert values(app.key_caller, "abcdeSECRETvwxyz") == {"key": "abcde******vwxyz"}


def test_an_auth_token_tells_its_user_or_is_refused_by_what_is_wrong_with_it(app: App) -> None:
    user = add(app, "SuperHero1")
    token = app.issue_token(user)

    caller = app.user_caller(token.value)

    assert (caller.user, caller.token) == (user, token)
    for value, definition in (
        ("", errors.AUTH_TOKEN_MISSING),
        (" \t", errors.AUTH_TOKEN_MISSING),
        ("a b", errors.AUTH_TOKEN_WITH_SPACE),
        ("a\u00a0b", errors.AUTH_TOKEN_WITH_SPACE),
        ("nonsense", errors.AUTH_TOKEN_UNKNOWN),
    ):
        assert refusal(app.user_caller, value) is definition, value


# --- logins and presence --------------------------------------------------------------------
def test_a_login_in_progress_keeps_the_next_one_out_until_it_ends(app: App) -> None:
    with app.login("u1"), app.login("u2"):
        with pytest.raises(ApiError) as refused, app.login("u1"):
            pass
        assert refused.value.definition is errors.LOGIN_IN_PROGRESS
        assert app.logins == {"u1", "u2"}

    assert app.logins == set()


def test_the_first_session_brings_a_user_online_and_the_last_takes_it_offline(
    app: App, clock: Clock, events: list[Event]
) -> None:
    user = add(app, "u1")

    app.open_session(user)
    app.open_session(user)
    app.close_session(user)
    between = (user.status, app.sockets)
    clock.advance(10)
    app.close_session(user)

    assert (between, user.status, app.sockets) == ((Status.AVAILABLE, 1), Status.OFFLINE, 0)
    assert events == [
        PresenceChanged("APP_ID", user, NOW),
        PresenceChanged("APP_ID", user, NOW + 10),
    ]
    assert user.last_active_at == NOW + 10

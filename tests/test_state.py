"""The state, driven directly: users, lists, logins and presence of one app."""

from collections.abc import Callable

import pytest

from mockchat.core import errors
from mockchat.core.clock import Clock
from mockchat.core.entities import Event, PresenceChanged, Status, User
from mockchat.core.errors import ApiError, ErrorDef
from mockchat.core.ids import Ids
from mockchat.core.limits import Rules
from mockchat.core.state import App

NOW = 1_700_000_000


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.freeze(NOW)
    return clock


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def app(clock: Clock, events: list[Event]) -> App:
    return App("APP_ID", Rules(), clock, Ids(1), events.append)


def add(app: App, uid: str, created_at: int = NOW) -> User:
    return app.add_user(User(uid, f"Name of {uid}", created_at))


def uids(users: list[User]) -> list[str]:
    return [user.uid for user in users]


def refusal(act: Callable[..., object], *arguments: object) -> ErrorDef:
    with pytest.raises(ApiError) as refused:
        act(*arguments)
    return refused.value.definition


# --- users ----------------------------------------------------------------------------------
@pytest.mark.parametrize("uid", ["SuperHero1", "superhero1", "SUPERHERO1"])
def test_a_user_is_found_by_its_uid_in_any_case(app: App, uid: str) -> None:
    user = add(app, "SuperHero1")

    assert app.user(uid) is user
    assert user.uid == "SuperHero1"


def test_a_uid_that_differs_by_case_only_is_taken(app: App) -> None:
    add(app, "SuperHero1")

    with pytest.raises(ApiError) as refused:
        add(app, "superHERO1")

    assert refused.value.definition is errors.UID_ALREADY_EXISTS
    assert refused.value.values == {"uid": "superhero1"}


def test_the_uid_of_a_deactivated_user_is_taken(app: App) -> None:
    app.deactivate_user(add(app, "u1"))

    assert refusal(add, app, "u1") is errors.UID_ALREADY_EXISTS


def test_the_uid_of_a_deleted_user_is_free_again(app: App) -> None:
    app.delete_user(add(app, "u1"))

    again = add(app, "U1")

    assert app.user("u1") is again


def test_an_unknown_user_is_named_in_lower_case_and_encoded(app: App) -> None:
    with pytest.raises(ApiError) as refused:
        app.user("Jane Doe/Ü")

    assert refused.value.definition is errors.UID_NOT_FOUND
    assert refused.value.values == {"uid": "jane%20doe%2f%c3%9c"}


def test_a_deactivated_user_is_not_found_but_still_there(app: App) -> None:
    user = add(app, "u1")

    app.deactivate_user(user)

    assert refusal(app.user, "u1") is errors.UID_NOT_FOUND
    assert app.find_user("u1") is user
    assert user.deactivated_at == NOW


def test_a_reactivated_user_is_found_and_listed_in_its_old_place(app: App) -> None:
    user = add(app, "u1")
    add(app, "u2")
    app.deactivate_user(user)

    app.reactivate_user(user)

    assert app.user("u1") is user
    assert uids(app.list_users(1, 10)) == ["u2", "u1"]


def test_an_update_sets_attributes_and_notes_the_time(app: App, clock: Clock) -> None:
    user = add(app, "u1")
    clock.advance(60)

    app.update_user(user, {"name": "New", "avatar": None})

    assert (user.name, user.avatar, user.updated_at) == ("New", None, NOW + 60)


def test_deleting_a_user_ends_its_friendships(app: App) -> None:
    first, second = add(app, "u1"), add(app, "u2")
    first.friends.add(second.key)
    second.friends.add(first.key)

    app.delete_user(first)

    assert second.friends == set()


def test_deleting_a_user_ends_its_blocks_in_both_directions(app: App) -> None:
    gone, blocked, blocking = add(app, "gone"), add(app, "u1"), add(app, "u2")
    for one, other in ((gone, blocked), (blocking, gone)):
        one.blocked[other.key] = NOW
        other.blocked_by.add(one.key)

    app.delete_user(gone)

    assert blocked.blocked_by == set()
    assert blocking.blocked == {}


@pytest.mark.parametrize(
    ("uid", "definition"),
    [
        ("nobody", errors.UID_NOT_FOUND),
        ("no body", errors.PATH_UID_WITH_SPACE),
        ("no\u2003body", errors.PATH_UID_WITH_SPACE),
        (" ", errors.PATH_UID_INVALID),
        ("nöbody", errors.PATH_UID_INVALID),
        ("a" * 101, errors.PATH_UID_INVALID),
        ("a" * 100, errors.UID_NOT_FOUND),
    ],
)
def test_a_uid_in_a_path_is_refused_by_what_is_wrong_with_it(
    app: App, uid: str, definition: ErrorDef
) -> None:
    assert refusal(app.user_in_path, uid) is definition


@pytest.mark.parametrize("uid", ["no.rules@all", "ünï", "A/b"])
def test_a_user_that_exists_is_found_whatever_its_uid_looks_like(app: App, uid: str) -> None:
    user = add(app, uid)

    assert app.user_in_path(uid) is user


# --- lists ----------------------------------------------------------------------------------
def test_users_are_listed_newest_first(app: App) -> None:
    add(app, "middle", NOW)
    add(app, "oldest", NOW - 1)
    add(app, "newest", NOW + 1)

    assert uids(app.list_users(1, 10)) == ["newest", "middle", "oldest"]


def test_of_users_created_in_one_second_the_last_added_leads(app: App) -> None:
    for uid in ("u1", "u2", "u3"):
        add(app, uid)

    assert uids(app.list_users(1, 10)) == ["u3", "u2", "u1"]


@pytest.mark.parametrize(
    ("page", "expected"), [(1, ["u5", "u4"]), (2, ["u3", "u2"]), (3, ["u1"]), (4, []), (10**9, [])]
)
def test_pages_follow_one_another(app: App, page: int, expected: list[str]) -> None:
    for number in range(1, 6):
        add(app, f"u{number}")

    assert uids(app.list_users(page, 2)) == expected


@pytest.mark.parametrize("but", ["u1", "u2", "u3", "u4", "u5"])
def test_a_list_without_one_user_has_all_the_others_in_order(app: App, but: str) -> None:
    for number in range(1, 6):
        add(app, f"u{number}")
    user = app.user(but)

    pages = [app.list_users(page, 3, but=user) for page in (1, 2)]

    assert uids(pages[0] + pages[1]) == [u for u in ("u5", "u4", "u3", "u2", "u1") if u != but]
    assert app.count_users(but=user) == 4


def test_the_newest_change_is_the_newest_user_s(app: App, clock: Clock) -> None:
    add(app, "older", NOW - 1)
    add(app, "newer", NOW)
    clock.advance(60)

    created = app.newest_change()
    app.update_user(app.user("older"), {"name": "Other"})
    after_another_s_update = app.newest_change()
    app.update_user(app.user("newer"), {"name": "Other"})

    assert (created, after_another_s_update, app.newest_change()) == (NOW, NOW, NOW + 60)


def test_an_empty_app_has_an_empty_list_and_no_newest_change(app: App) -> None:
    assert app.newest_change() is None
    assert app.list_users(1, 10) == []
    assert app.count_users() == 0


def test_a_fixture_s_deactivated_user_is_not_listed(app: App) -> None:
    app.add_user(User("u1", "One", NOW, deactivated_at=NOW))

    assert app.count_users() == 0


# --- logins and presence --------------------------------------------------------------------
def test_a_login_in_progress_keeps_the_next_one_out_until_it_ends(app: App) -> None:
    app.begin_login("u1")

    assert refusal(app.begin_login, "u1") is errors.LOGIN_IN_PROGRESS
    app.begin_login("u2")
    app.end_login("u1")
    app.begin_login("u1")

    assert app.logins == {"u1", "u2"}


def test_the_first_session_brings_a_user_online_and_the_last_takes_it_offline(
    app: App, clock: Clock, events: list[Event]
) -> None:
    user = add(app, "u1")

    app.open_session(user)
    app.open_session(user)
    app.close_session(user)
    between = user.status
    clock.advance(10)
    app.close_session(user)

    assert (between, user.status) == (Status.AVAILABLE, Status.OFFLINE)
    assert events == [
        PresenceChanged("APP_ID", user, NOW),
        PresenceChanged("APP_ID", user, NOW + 10),
    ]
    assert user.last_active_at == NOW + 10

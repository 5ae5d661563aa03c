"""The state, driven directly: auth tokens and callers of one app."""

import re
from collections.abc import Callable

import pytest

from mockchat.core import errors
from mockchat.core.clock import Clock
from mockchat.core.entities import (
    ApiKey,
    Event,
    KeyCaller,
    Scope,
    TokenDestroyed,
    User,
)
from mockchat.core.errors import ApiError, ErrorDef
from mockchat.core.ids import Ids
from mockchat.core.limits import Rules
from mockchat.core.state import App

NOW = 1_700_000_000

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
    def make(rules: Rules | None = None) -> App:
        return App("APP_ID", rules or Rules(), clock, Ids(1), events.append)

    return make


@pytest.fixture
def app(make_app: MakeApp) -> App:
    return make_app()


def add(app: App, uid: str) -> User:
    return app.add_user(User(uid, f"Name of {uid}", NOW))


def refusal(act: Callable[..., object], *arguments: object) -> ErrorDef:
    with pytest.raises(ApiError) as refused:
        act(*arguments)
    return refused.value.definition


# --- auth tokens ----------------------------------------------------------------------------
def test_a_token_has_the_uid_as_it_was_stored_and_the_time(app: App) -> None:
    token = app.issue_token(add(app, "SuperHero1"))

    assert re.fullmatch(r"SuperHero1_1700000000[0-9a-f]{30}", token.value)
    assert (token.uid, token.created_at, token.device) == ("SuperHero1", NOW, None)


def test_an_unforced_token_is_the_device_s_valid_one(app: App) -> None:
    user = add(app, "u1")
    phone = app.issue_token(user, device="phone")
    none = app.issue_token(user)

    assert app.issue_token(user, device="phone") is phone
    assert app.issue_token(user) is none
    assert app.issue_token(user, device="tablet") not in (phone, none)


def test_an_unforced_token_is_the_newest_of_several(app: App) -> None:
    user = add(app, "u1")
    app.issue_token(user)
    newest = app.issue_token(user, force=True)

    assert app.issue_token(user) is newest


def test_a_forced_token_leaves_the_old_one_valid(app: App) -> None:
    user = add(app, "u1")
    first = app.issue_token(user)

    second = app.issue_token(user, force=True)

    assert app.live_tokens(user) == [second, first]


def test_the_101st_token_ends_the_oldest(app: App, events: list[Event]) -> None:
    user = add(app, "u1")
    tokens = [app.issue_token(user, force=True) for _ in range(101)]

    assert app.live_tokens(user) == tokens[:0:-1]
    assert events == [TokenDestroyed("APP_ID", tokens[0].value)]


@pytest.mark.parametrize("end", ["delete_user", "deactivate_user", "flush_tokens"])
def test_every_token_of_a_user_ends_with(app: App, events: list[Event], end: str) -> None:
    user = add(app, "u1")
    tokens = [app.issue_token(user, force=True).value for _ in range(3)]
    other = app.issue_token(add(app, "u2"))

    getattr(app, end)(user)

    assert events == [TokenDestroyed("APP_ID", value) for value in tokens]
    assert app.tokens == {other.value: other}


def test_a_reactivated_user_s_old_tokens_stay_dead(app: App) -> None:
    user = add(app, "u1")
    token = app.issue_token(user)
    app.deactivate_user(user)

    app.reactivate_user(user)

    assert app.live_token(token.value) is None


def test_the_token_of_another_user_is_not_found(app: App) -> None:
    mine, yours = add(app, "u1"), add(app, "u2")
    token = app.issue_token(mine)

    assert app.token_of(mine, token.value) is token
    assert refusal(app.token_of, yours, token.value) is errors.TOKEN_NOT_FOUND
    assert refusal(app.token_of, mine, "nonsense") is errors.TOKEN_NOT_FOUND


def test_a_token_dies_the_moment_its_lifetime_is_over(
    make_app: MakeApp, clock: Clock, events: list[Event]
) -> None:
    app = make_app(Rules(token_ttl=60))
    token = app.issue_token(add(app, "u1"))

    clock.advance(59.9)
    alive = app.live_token(token.value)
    clock.advance(0.1)

    assert alive is token
    assert app.live_token(token.value) is None
    assert events == [TokenDestroyed("APP_ID", token.value)]


def test_an_expired_token_is_not_handed_out_again(make_app: MakeApp, clock: Clock) -> None:
    app = make_app(Rules(token_ttl=60))
    user = add(app, "u1")
    old = app.issue_token(user)
    clock.advance(60)

    new = app.issue_token(user)

    assert new is not old
    assert app.live_tokens(user) == [new]


def test_without_a_lifetime_a_token_never_dies(app: App, clock: Clock) -> None:
    token = app.issue_token(add(app, "u1"))

    clock.advance(100 * 365 * 86_400)

    assert app.live_token(token.value) is token


# --- single use -----------------------------------------------------------------------------
def test_a_single_use_token_is_minted_at_every_request(make_app: MakeApp) -> None:
    app = make_app(Rules(single_use_tokens=True))
    user = add(app, "u1")

    assert app.issue_token(user) is not app.issue_token(user)


def test_a_single_use_token_belongs_to_the_device_that_used_it_first(make_app: MakeApp) -> None:
    app = make_app(Rules(single_use_tokens=True))
    token = app.issue_token(add(app, "u1"))

    app.use_token(token, "phone")
    app.use_token(token, "phone")

    assert refusal(app.use_token, token, "tablet") is errors.AUTH_TOKEN_BOUND


def test_a_reusable_token_belongs_to_every_device(app: App) -> None:
    token = app.issue_token(add(app, "u1"))

    app.use_token(token, "phone")
    app.use_token(token, "tablet")

    assert app.live_token(token.value) is token


# --- callers --------------------------------------------------------------------------------
def test_an_api_key_tells_its_scope(app: App) -> None:
    app.keys["K"] = ApiKey("K", "Key", Scope.AUTH_ONLY, NOW)

    assert app.key_caller("K") == KeyCaller("K", Scope.AUTH_ONLY)


@pytest.mark.parametrize("key", ["", " ", "\t"])
def test_a_blank_api_key_is_a_missing_one(app: App, key: str) -> None:
    assert refusal(app.key_caller, key) is errors.KEY_MISSING


def test_an_unknown_api_key_is_printed_masked(app: App) -> None:
    with pytest.raises(ApiError) as refused:
        app.key_caller("abcdeSECRETvwxyz")

    assert refused.value.definition is errors.KEY_UNKNOWN
    assert refused.value.values == {"key": "abcde******vwxyz"}


def test_any_key_means_full_access_but_known_keys_keep_their_scope(make_app: MakeApp) -> None:
    app = make_app(Rules(any_key=True))
    app.keys["K"] = ApiKey("K", "Key", Scope.AUTH_ONLY, NOW)

    assert app.key_caller("whatever").scope is Scope.FULL_ACCESS
    assert app.key_caller("K").scope is Scope.AUTH_ONLY
    assert refusal(app.key_caller, " ") is errors.KEY_MISSING


def test_an_auth_token_tells_its_user(app: App) -> None:
    user = add(app, "SuperHero1")
    token = app.issue_token(user)

    caller = app.user_caller(token.value)

    assert (caller.user, caller.token) == (user, token)


@pytest.mark.parametrize(
    ("value", "definition"),
    [
        ("", errors.AUTH_TOKEN_MISSING),
        (" \t", errors.AUTH_TOKEN_MISSING),
        ("a b", errors.AUTH_TOKEN_WITH_SPACE),
        ("a\u00a0b", errors.AUTH_TOKEN_WITH_SPACE),
        ("nonsense", errors.AUTH_TOKEN_UNKNOWN),
    ],
)
def test_an_auth_token_is_refused_by_what_is_wrong_with_it(
    app: App, value: str, definition: ErrorDef
) -> None:
    assert refusal(app.user_caller, value) is definition

"""Ids: their forms, and that a random seed makes them repeatable, for each app by itself."""

import random
import re

from mockchat import Config
from mockchat.core.clock import Clock
from mockchat.core.entities import Scope
from mockchat.core.ids import Ids, camel, channel_secret
from mockchat.core.steps import finish
from mockchat.core.store import Store
from mockchat.wire.app import create_store
from tests.values import NOW


def drawn(ids: Ids) -> list[str]:
    return [ids.auth_token("u1", NOW), ids.hex(64), ids.hex(1), f"{ids.whole()}"]


def store(random_seed: int = 7) -> Store:
    clock = Clock()
    clock.freeze(NOW)
    return create_store(Config(random_seed=random_seed), clock)


def made(store: Store, app_id: str) -> list[str]:
    """Return what an app draws for its clients."""
    app = store.app(app_id)
    token = app.issue_token(app.user("superhero1"), force=True)
    return [app.secret, token.value, app.add_key("Mine", Scope.AUTH_ONLY).value]


def test_the_same_random_seed_draws_the_same_sequence_and_another_one_another() -> None:
    random.seed(1)
    before = random.getstate()
    first, second = Ids(7), Ids(7)

    assert drawn(first) + drawn(first) == drawn(second) + drawn(second)
    assert drawn(Ids(0)) == drawn(Ids(0))
    rows = [drawn(ids) for ids in (Ids(7), Ids(8), Ids(), Ids(), Ids(7).of("a"), Ids().of("a"))]
    assert len(set(map(tuple, rows))) == 6
    assert random.getstate() == before  # the shared generator


def test_ids_have_the_forms_of_the_live_service() -> None:
    ids = Ids(3)

    assert re.fullmatch(r"SUPERHERO1_1700000000[0-9a-f]{30}", ids.auth_token("SUPERHERO1", NOW))
    assert re.fullmatch(r"u_0000000042[0-9a-f]{30}", ids.auth_token("u", 42))
    for digits in (1, 7, 40, 64):  # leading zeros count
        assert {len(ids.hex(digits)) for _ in range(200)} == {digits}
    assert len({ids.auth_token("u", 1) for _ in range(1_000)}) == 1_000
    assert re.fullmatch(r"[0-9a-f]{40}", channel_secret("s", "u"))
    assert len({channel_secret(app, uid) for app in "st" for uid in "uv"}) == 4
    assert camel("last_active_at") == "lastActiveAt"


def test_what_an_app_draws_does_not_depend_on_other_apps() -> None:
    alone, busy = store(), store()
    made(busy, "other")
    made(busy, "APP_ID")

    assert made(alone, "one") == made(busy, "ONE")
    assert not set(made(alone, "two")) & {*made(busy, "three"), *made(store(8), "two")}


def test_nothing_that_is_drawn_replaces_what_a_restored_app_holds() -> None:
    before, after = store(), store()
    old = made(before, "APP_ID")
    finish(after.restoring(finish(before.taking())))

    new = made(after, "APP_ID")

    app = after.default
    assert old[0] == new[0]
    assert len({*old, *new}) == 5
    assert {old[1], new[1]} == app.tokens.keys()
    assert {old[2], new[2]} < app.keys.keys()

"""Seeds: the shipped fixtures, a user's own ones, and what a bad one is told."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockchat.control.stored import load_seed
from mockchat.core.clock import Clock
from mockchat.core.entities import Scope
from mockchat.core.ids import Ids
from mockchat.core.limits import Rules
from mockchat.core.seed import fixtures_dir
from mockchat.core.state import App
from mockchat.core.steps import finish
from tests.values import NOW

WriteFixture = Callable[..., str]


@pytest.fixture
def write_fixture(tmp_path: Path) -> WriteFixture:
    def write(content: Any, name: str = "own.json") -> str:
        path = tmp_path / name
        text = content if isinstance(content, bytes) else json.dumps(content).encode()
        path.write_bytes(text)
        return str(path)

    return write


def planted(*fixtures: str) -> App:
    """An app that was planted with these fixtures."""
    clock = Clock()
    clock.freeze(NOW)
    app = App("APP_ID", Rules(), clock, Ids(1), lambda _event: None)
    finish(load_seed(fixtures, [("K", "Key", Scope.AUTH_ONLY)]).planting(app))
    return app


def listed(app: App) -> list[tuple[str, str]]:
    return [(user.uid, user.name) for user in app.list_users(1, 1000)]


# --- the shipped fixtures -------------------------------------------------------------------
def test_the_default_fixture_lists_the_documented_users_in_order() -> None:
    app = planted("default")

    users = app.list_users(1, 1000)
    assert all((user.avatar or "").startswith("https://") for user in users)
    assert {user.role for user in users} == {"default"}
    assert listed(app) == [
        ("cometchat-uid-1", "Andrew Joseph"),
        ("cometchat-uid-2", "George Alan"),
        ("cometchat-uid-3", "Nancy Grace"),
        ("cometchat-uid-4", "Susan Marie"),
        ("cometchat-uid-5", "John Paul"),
        ("SUPERHERO1", "Iron Man"),
        ("SUPERHERO2", "Captain America"),
        ("SUPERHERO3", "Spider-Man"),
        ("SUPERHERO4", "Wolverine"),
        ("SUPERHERO5", "Cyclops"),
    ]


def test_the_empty_fixture_and_no_fixture_have_nothing_but_the_keys_of_the_settings() -> None:
    for app in (planted("empty"), planted()):
        assert listed(app) == []
        assert list(app.roles) == ["default"]
        default = app.roles["default"]
        assert (default.name, default.created_at) == ("Default Role", NOW)
        assert app.key_caller("K").scope is Scope.AUTH_ONLY


def test_every_shipped_fixture_is_good_by_name_and_by_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "default").write_text("not JSON")  # a shipped name wins
    monkeypatch.chdir(tmp_path)
    files = list(fixtures_dir().glob("*.json"))

    assert {"default.json", "empty.json"} <= {file.name for file in files}
    for file in files:
        assert listed(planted(file.stem)) == listed(planted(str(file))), file


# --- a user's own fixtures ------------------------------------------------------------------
def test_a_full_user_is_planted_as_written(write_fixture: WriteFixture) -> None:
    fixture = write_fixture(
        {
            "roles": [{"role": "teacher", "name": "Teacher"}],
            "users": [
                {
                    "uid": "Jane_1",
                    "name": "Jane",
                    "avatar": "https://x.test/a.png",
                    "link": "https://x.test/jane",
                    "role": "teacher",
                    "statusMessage": "Hi",
                    "metadata": {"@private": {"age": 7}},
                    "tags": ["one", "two"],
                    "createdAt": 1_600_000_000,
                    "lastActiveAt": 1_600_000_001,
                }
            ],
        }
    )

    user = planted(fixture).user("jane_1")

    assert (user.uid, user.name, user.role) == ("Jane_1", "Jane", "teacher")
    assert (user.avatar, user.link) == ("https://x.test/a.png", "https://x.test/jane")
    assert (user.status_message, user.tags) == ("Hi", ["one", "two"])
    assert user.metadata == {"@private": {"age": 7}}
    assert (user.created_at, user.last_active_at) == (1_600_000_000, 1_600_000_001)


def test_a_user_is_created_now_and_listed_by_default(write_fixture: WriteFixture) -> None:
    gone = {"uid": "u2", "name": "Two", "deactivatedAt": 5}

    app = planted(write_fixture({"users": [{"uid": "u1", "name": "One"}, gone]}))

    assert app.user("u1").created_at == NOW
    assert listed(app) == [("u1", "One")]
    assert app.find_user("u2")


def test_several_fixtures_add_up_in_their_order(write_fixture: WriteFixture) -> None:
    one = {"uid": "u1", "name": "One", "role": "teacher", "friends": ["U2", "u3"]}
    roles = write_fixture({"roles": [{"role": "teacher", "name": "T"}]}, "roles.json")
    gone = {"uid": "U3", "name": "Three", "deactivatedAt": 1}
    keys = [{"apiKey": "FULL", "name": "Back end", "scope": "fullAccess"}]
    first = write_fixture({"users": [one], "apiKeys": keys}, "first.json")
    second = write_fixture({"users": [{"uid": "u2", "name": "Two"}, gone]}, "second.json")

    app = planted(roles, first, "empty", second)

    assert listed(app) == [("u1", "One"), ("u2", "Two")]
    assert app.user("u1").role == "teacher"
    assert (app.user("u1").friends, app.user("u2").friends) == ({"u2", "u3"}, {"u1"})
    assert app.key_caller("FULL").scope is Scope.FULL_ACCESS
    assert app.keys["FULL"].name == "Back end"
    assert (app.keys["FULL"].created_at, app.roles["teacher"].created_at) == (NOW, NOW)


def test_what_one_app_does_is_not_seen_in_the_next(write_fixture: WriteFixture) -> None:
    users = [{"uid": "u1", "name": "One", "metadata": {"a": [1]}, "tags": ["t"]}]
    seed = load_seed([write_fixture({"users": users})], [])
    apps = [App(name, Rules(), Clock(), Ids(1), lambda _event: None) for name in ("a", "b")]
    for app in apps:
        finish(seed.planting(app))

    first = apps[0].user("u1")
    assert first.metadata is not None
    first.metadata["a"].append(2)
    first.tags.append("other")

    assert apps[1].user("u1").metadata == {"a": [1]}
    assert apps[1].user("u1").tags == ["t"]


def test_a_fixture_of_any_unicode_encoding_is_read_by_a_path_that_may_start_at_home(
    write_fixture: WriteFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = json.dumps({"users": [{"uid": "u1", "name": "Žofie 😀"}]}, ensure_ascii=False)
    monkeypatch.setenv("HOME", str(tmp_path))

    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        path = write_fixture(content.encode(encoding))
        assert listed(planted(path)) == listed(planted("~/own.json")) == [("u1", "Žofie 😀")]

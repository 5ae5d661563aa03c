"""`mockchat pull` and `push`: an app becomes a fixture, and a fixture an app."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mockchat import Config, MockChat
from mockchat.control.stored import load_seed
from mockchat.verify import push
from mockchat.verify.side import Answer, Place, Side
from tests.command_line import Command, Done

REST_KEY = "rest1-0123456789-tail1"
APP: dict[str, list[dict[str, Any]]] = {
    "users": [
        {
            "uid": f"user-{number}",
            "name": f"Ada {number}",
            "avatar": f"https://example.com/{number}.png",
            "role": "pro" if number % 2 else "default",
            "metadata": {"plan": "gold", "@private": {"email": "ada@company.test", "level": 3}},
            "tags": ["beta"],
            "friends": ["user-0", "user-2"] if number == 1 else [],
            "createdAt": 1_700_000_000 - number,
        }
        for number in range(7)
    ]
    + [{"uid": "gone", "name": "Gone", "createdAt": 1_600_000_000, "deactivatedAt": 1_650_000_000}],
    "roles": [
        {"role": "pro", "name": "Professional", "description": "They pay.", "metadata": {"x": 1}}
    ],
}


def service(fixture: str) -> MockChat:
    """A mockchat that stands in for the live service."""
    return MockChat(
        Config(port=0, https_port=None, errors="live", strict_apps=True, app_id="app123",
               rest_api_key=(REST_KEY,), fixture=(fixture,)))  # fmt: skip


@pytest.fixture
def live(tmp_path: Path) -> Iterator[MockChat]:
    """The service with the users of APP."""
    (tmp_path / "app.json").write_text(json.dumps(APP))
    with service(str(tmp_path / "app.json")).in_thread() as mock:
        yield mock


@pytest.fixture
def run(command: Command, live: MockChat, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs `pull` or `push` on the service; a page has three rows."""
    monkeypatch.setattr("mockchat.verify.pull._PER_PAGE", 3)
    monkeypatch.setenv("COMETCHAT_REST_API_KEY", REST_KEY)

    def run(*words: object) -> Done:
        return command(*words, "--app-id", "app123", "--base-url", f"{live.url}/v3")

    return run


def content(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_a_pull_writes_a_fixture_from_which_the_same_app_begins(
    run: Command, live: MockChat, tmp_path: Path
) -> None:
    file, again = tmp_path / "pulled.json", tmp_path / "again.json"

    done = run("pull", file, "--friends")

    assert (done.status, done.out) == (0, "")
    assert done.err.endswith("8 users, 1 roles beside the default one\n")
    assert not file.with_name("pulled.json.part").exists()
    assert file.stat().st_mode & 0o777 == 0o600
    users = {user["uid"]: user for user in content(file)["users"]}
    assert list(users) == [*(f"user-{number}" for number in range(7)), "gone"]
    assert users["user-1"] == APP["users"][1] | {"friends": ["user-0", "user-2"]}
    assert users["gone"] == APP["users"][7] | {"role": "default"}
    assert content(file)["roles"] == APP["roles"]
    with service(str(file)).in_thread() as same:
        assert same.state()["app123"]["users"] == live.state()["app123"]["users"]
    assert run("pull", again, "--limit", 4).status == 0
    assert [user["uid"] for user in content(again)["users"]] == [*users][:4]


def test_a_pull_that_is_interrupted_goes_on_where_it_ended(
    run: Command, live: MockChat, tmp_path: Path
) -> None:
    file = tmp_path / "pulled.json"
    with live.fail("ERR_OTHER", operation="list_users", status=500, after=2):
        done = run("pull", file)
    assert done.status == 1
    assert "the service refuses GET /users" in done.err
    part = file.with_name("pulled.json.part")
    part.write_text(part.read_text() + '{"page": 3, "use')  # as a crash leaves it
    live.journal.clear()

    done = run("pull", file)

    assert done.status == 0
    assert "went on after the 6 users of an earlier pull" in done.err
    assert [it.target.rpartition("=")[2] for it in live.journal if "/users" in it.target] == ["3"]
    assert len(content(file)["users"]) == 8


def test_anonymised_users_are_nobody_and_the_same_each_time(run: Command, tmp_path: Path) -> None:
    one, other = tmp_path / "one.json", tmp_path / "other.json"

    run("pull", one, "--anonymise")
    run("pull", other, "--anonymise", "--limit", 2)

    text = one.read_text()
    assert not [word for word in ("Ada", "example.com/1.png", "gold", "company") if word in text]
    first, *_ = users = content(one)["users"]
    assert first["uid"] == "user-0"
    assert first["metadata"].keys() == {"plan", "@private"}
    assert "@" in first["metadata"]["@private"]["email"]
    assert len({user["name"] for user in users}) > 5
    assert content(other)["users"] == users[:2]


def test_a_push_imports_fifty_users_at_once_and_tells_who_was_refused(
    run: Command, live: MockChat, tmp_path: Path
) -> None:
    file = tmp_path / "more.json"
    users = [user | {"uid": f"new-{user['uid']}"} for user in APP["users"]]
    users[1]["friends"] = ["new-user-0", "new-user-2"]
    many = [{"uid": f"many-{number}", "name": "Many"} for number in range(60)]
    role = {"role": "max", "name": "Max", "description": "All."}
    roles = [*APP["roles"], role]
    file.write_text(json.dumps({"users": [*users, *many, APP["users"][3]], "roles": roles}))

    done = run("push", file, "--yes")

    assert done.status == 1
    assert "69 users and 2 roles of" in done.err
    assert "user-3 is refused: ERR_UID_ALREADY_EXISTS: The uid user-3 already" in done.err
    assert done.err.endswith("pushed 68 of 69 users\n")
    imports = [it for it in live.journal if it.target.endswith("/data_import/users")]
    assert [len(it.request.json["users"]) for it in imports] == [50, 19]
    there = {user["uid"]: user for user in live.state()["app123"]["users"]}
    own = {"uid": 0, "serial": 0, "friends": 0}
    assert there["user-1"] | own == there["new-user-1"] | own
    assert sorted(there["new-user-1"]["friends"]) == ["new-user-0", "new-user-2"]
    assert "deactivatedAt" in there["new-gone"]
    assert role.items() <= live.state()["app123"]["roles"][-1].items()


def test_what_pull_and_push_cannot_do_is_refused_in_words(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.json").write_text('{"users": [{"name": "Ada"}]}')
    rows = {
        "pull x.json --limit 0": "--limit: must be a whole number from 1 on, not '0'",
        "pull /dev/null/x": "cannot be written: ",
        f"push {tmp_path}/bad.json": "users[0].uid: The uid field is required",
        "push default": "nobody can be asked: pass --yes",
        "pull x.json --region mars": "must be one of us, eu, in",
    }
    for words, text in rows.items():
        done = run(*shlex.split(words))
        assert (done.status, text in done.err) == (2, True), f"{words}: {done}"
    monkeypatch.setenv("COMETCHAT_REST_API_KEY", "another-key-0123456789")
    done = run("pull", tmp_path / "x.json")
    assert (done.status, "AUTH_ERR_APIKEY_NOT_FOUND" in done.err) == (1, True)
    assert "another-key" not in done.err


async def test_a_push_bears_answers_that_make_no_sense(monkeypatch: pytest.MonkeyPatch) -> None:
    side = Side(Place("app123"), {"rest_key": REST_KEY, "app_id": "app123"})
    for body in ("", "null", "[]", '{"data":[]}', '{"data":{"users":[1]}}', '{"superhero1":5}'):

        async def answer(*_: object, body: str = body) -> Answer:
            return Answer(200, {}, body)

        monkeypatch.setattr(side, "call", answer)
        one = push.Push(load_seed(["default"], []), lambda *_: None)
        await one.run(side)

        assert one.pushed == 0
        reasons = {one.refused.get(user["uid"]) for user in load_seed(["default"], []).users}
        assert reasons == {"the service does not say why"}, body

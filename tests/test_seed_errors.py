"""Bad fixtures: each stops the start with the file, the place in it and the reason."""

import json
from pathlib import Path
from typing import Any

import pytest

from mockchat.control.stored import load_seed
from mockchat.core.seed import FixtureError

USER = {"uid": "u1", "name": "One"}
KEY = {"apiKey": "K", "name": "Key", "scope": "fullAccess"}


# content, place, reason
def user(**fields: Any) -> Any:
    return {"users": [{**USER, **fields}]}


INTEGER, STRING = "must be an integer", "item must be a string"
BAD: list[tuple[Any, str, str]] = [  # content, place, reason
    ([USER], "top level", "must be an object"),
    ("users", "top level", "must be an object"),
    ({"user": []}, "user", "not known here. There are users"),
    ({"users": USER}, "users", "must be an array"),
    ({"users": [USER, "u2"]}, "users[1]", "item must be a JSON object"),
    (user(nick="x"), "users[0].nick", "not known"),
    (user(created_at=1), "created_at", "not known"),
    ({"users": [{"name": "One"}]}, "users[0].uid", "required"),
    ({"users": [{"uid": "u1"}]}, "users[0].name", "required"),
    (user(uid=""), "users[0].uid", "required"),
    (user(name=""), "users[0].name", "required"),
    (user(uid=7), "users[0].uid", "must be a string"),
    (user(name=None), "users[0].name", "required"),
    (user(createdAt="now"), "users[0].createdAt", INTEGER),
    (user(createdAt=1.5), "users[0].createdAt", INTEGER),
    (user(createdAt=True), "users[0].createdAt", INTEGER),
    (user(metadata=[]), "users[0].metadata", "must be a JSON object"),
    (user(tags="one"), "users[0].tags", "must be an array"),
    (user(tags=["one", 2]), "users[0].tags[1]", STRING),
    (user(friends=[1]), "users[0].friends[0]", STRING),
    (user(friends=["U1"]), "user 'u1'", ": is its own friend"),
    (user(friends=["u2"]), "user 'u1'", ": has the friend 'u2', but there is no such user"),
    (user(role="boss"), "user 'u1'", ": has the role 'boss', which no fixture declares"),
    ({"users": [USER, {**USER, "name": "Two"}]}, "user 'u1'", ": stands in the fixtures twice"),
    ({"users": [USER, {**USER, "uid": "U1"}]}, "user 'U1'", ": stands in the fixtures twice"),
    (user(uid="u 1"), "users[0].uid", "may not contain spaces"),
    (user(uid="u" * 101), "users[0].uid", "greater than 100 characters"),
    ({"roles": [{"role": "boss"}]}, "roles[0].name", "required"),
    ({"roles": [{"role": "b", "name": "B", "x": 1}]}, "roles[0].x", "not known"),
    ({"apiKeys": [{**KEY, "scope": "all"}]}, "apiKeys[0].scope", "may be fullAccess or authOnly"),
    ({"apiKeys": [{**KEY, "scope": ["fullAccess"]}]}, "apiKeys[0].scope", "must be a string"),
    ({"apiKeys": [{"apiKey": "K", "name": "Key"}]}, "apiKeys[0].scope", "required"),
]


def refusal(*fixtures: object) -> str:
    with pytest.raises(FixtureError) as refused:
        load_seed(map(str, fixtures), [])
    return str(refused.value)


def test_a_bad_fixture_is_refused_with_file_place_and_reason(tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    for content, place, reason in BAD:
        path.write_text(json.dumps(content))
        message = refusal(path)
        assert message.startswith(f"{path}: "), content
        assert place in message, content
        assert reason in message, content
        assert "\n" not in message, content


def test_a_fixture_that_is_no_json_is_refused_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    broken = [b"", b"{", b"{'users': []}", b"\xff\xfe\x00", b"\x80", b'{"users": []} x']
    broken += [b'{"users": [%s]}' % number for number in (b"1e400", b"NaN", b"9" * 20)]
    for content in (*broken, b"[" * 100_000):
        path.write_bytes(content)
        assert refusal(path).startswith(f"{path}: is not valid JSON: "), content[:9]


def test_a_missing_fixture_is_named_with_those_that_are_shipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    for name in ("nowhere.json", "Default", "default.json", "../default", "", tmp_path):
        message = refusal(name).removesuffix("; did you mean 'default'?")
        assert message == f"{name}: no such fixture file; shipped are default, empty"
    assert "~nobody-has-this-name/x.json" in refusal("~nobody-has-this-name/x.json")


def test_a_fixture_that_must_not_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "secret.json"
    path.write_text("{}")

    def deny(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", deny)  # root may read every file

    assert refusal(path) == f"{path}: cannot be read: Permission denied"


def test_a_uid_in_two_fixtures_is_refused_naming_the_second(tmp_path: Path) -> None:
    for name in ("first.json", "second.json"):
        (tmp_path / name).write_text(json.dumps({"users": [USER]}))

    message = refusal(tmp_path / "first.json", tmp_path / "second.json")

    assert message.startswith(f"{tmp_path / 'second.json'}: user 'u1'")
    message = refusal("default", "default")
    assert "default.json: user 'cometchat-uid-1': stands in the fixtures twice" in message

"""`faults` against a running server."""

import json
from dataclasses import fields
from http.client import HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from mockchat import MockApp
from mockchat.core.fault_kinds import KINDS
from mockchat.core.faults import PRESETS
from tests.command_line import Command

FLAGS = sorted({one.name for kind in KINDS.values() for one in fields(kind)})


def status_of(app: MockApp, path: str) -> int:
    """What a back end is answered."""
    request = Request(f"{app.url}{path}", headers={"apikey": app.rest_api_key})
    try:
        answer: HTTPResponse = urlopen(request)
    except HTTPError as error:
        with error:
            return error.code
    with answer:
        return answer.status


def test_a_fault_strikes_what_it_is_to_strike(steer: Command, app: MockApp) -> None:
    done = steer(
        *("faults", "add", "error", "--code", "ERR_TOO_MANY_REQUESTS"),
        *("--path", "/users/{uid}", "--times", 1, "--after", 1),
    )

    statuses = [status_of(app, "/users/superhero1") for _ in range(3)]

    assert done.lines[0].endswith("is there: error path=/users/{uid}")
    assert statuses == [200, 429, 200]


def test_faults_tell_how_often_they_struck(steer: Command, app: MockApp) -> None:
    fault = steer("faults", "add", "error", "--status", 503, "--times", 2, "--json").json
    status_of(app, "/users/superhero1")

    head, row = steer("faults").words

    assert head == ["id", "kind", "parameters", "fits", "app", "struck", "fitted", "at", "most"]
    assert row == [str(fault["id"]), "error", "status=503", "all", app.app_id, "1", "1", "2"]


def test_a_fault_without_an_end_says_so(steer: Command) -> None:
    steer("faults", "add", "hang", "--path", "/nowhere")

    assert steer("faults").lines[1].endswith("any number")


@pytest.mark.parametrize("name", FLAGS)
def test_every_parameter_of_every_kind_is_a_flag(steer: Command, name: str) -> None:
    kind = next(one for one in KINDS.values() if name in {field.name for field in fields(one)})
    given = {"status": "503", "close_code": "4000", "code": "ERR_X", "arriving": "3"}
    words = [f"--{name.replace('_', '-')}", given.get(name, "7")]
    needed = ["--status", "503"] if kind.name == "error" and name != "status" else []

    fault = steer("faults", "add", kind.name, *words, *needed, "--json").json

    assert given.get(name, "7") in str(fault["parameters"].values())


def test_the_help_tells_of_every_parameter(steer: Command) -> None:
    text = steer("faults", "add", "--help").out

    assert [name for name in FLAGS if f"--{name.replace('_', '-')} " not in text] == []


def test_probability_and_its_seed_are_passed_on(steer: Command, app: MockApp) -> None:
    words = ("--probability", "0.5", "--random-seed", "7", "--json")

    first = steer("faults", "add", "error", "--status", "503", *words).json
    struck = [status_of(app, "/users/superhero1") for _ in range(20)]
    app.reset()
    steer("faults", "add", "error", "--status", "503", *words)

    assert first["probability"] == 0.5
    assert struck == [status_of(app, "/users/superhero1") for _ in range(20)]
    assert set(struck) == {200, 503}


def test_an_unknown_kind_is_refused_with_those_that_there_are(steer: Command) -> None:
    done = steer("faults", "add", "nope")

    assert done.status == 1
    assert all(name in done.complaint for name in (*KINDS, *PRESETS))


def test_a_parameter_of_another_kind_is_refused(steer: Command) -> None:
    done = steer("faults", "add", "hang", "--delay", "1s")

    assert done.status == 1
    assert "The delay is no parameter of hang" in done.complaint


def test_without_a_kind_it_is_told_where_they_are(steer: Command) -> None:
    done = steer("faults", "add")

    assert done.status == 2
    assert "`mockchat faults kinds`" in done.complaint


def test_kinds_and_presets_are_listed(steer: Command) -> None:
    rows = steer("faults", "kinds").words

    assert [row[0] for row in rows[1:]] == [*KINDS, *PRESETS]


def test_a_fault_is_removed(steer: Command) -> None:
    fault = steer("faults", "add", "hang", "--path", "/nowhere", "--json").json

    assert steer("faults", "remove", fault["id"]).lines == [f"The fault {fault['id']} was removed."]
    assert steer("faults", "--json").json == []


def test_a_fault_that_is_not_there_is_refused(steer: Command) -> None:
    done = steer("faults", "remove", "99999")

    assert (done.status, done.complaint) == (1, "There is no fault 99999. (MOCK_NOT_FOUND)")


def test_all_faults_of_the_app_are_removed_and_no_others(steer: Command) -> None:
    steer("faults", "add", "hang", "--path", "/nowhere")
    steer("faults", "add", "hang", "--path", "/nowhere", "--app", "another")

    assert steer("faults", "clear").lines == ["1 faults were removed."]
    assert len(steer("faults", "--app", "another", "--json").json) == 1

    steer("faults", "clear", "--app", "another")


@pytest.mark.parametrize("several", [False, True])
def test_faults_come_from_a_file(steer: Command, tmp_path: Path, *, several: bool) -> None:
    fault = {"kind": "latency", "delay": "1ms", "match": {"path": "/nowhere"}}
    (tmp_path / "faults.json").write_text(json.dumps([fault, fault] if several else fault))

    done = steer("faults", "add", "--from", tmp_path / "faults.json", "--json")

    assert [one["kind"] for one in done.json] == ["latency"] * (2 if several else 1)


@pytest.mark.parametrize("content", ["[]", '"hang"', "[1]"])
def test_a_file_without_faults_is_refused(steer: Command, tmp_path: Path, content: str) -> None:
    (tmp_path / "faults.json").write_text(content)

    done = steer("faults", "add", "--from", tmp_path / "faults.json")

    assert done.status == 2
    assert "must hold a fault" in done.complaint


def test_a_kind_and_a_file_are_not_given_together(steer: Command) -> None:
    done = steer("faults", "add", "hang", "--from", "faults.json")

    assert done.status == 2
    assert "not both" in done.complaint

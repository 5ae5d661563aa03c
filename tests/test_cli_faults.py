"""`faults` against a running server."""

import json
from dataclasses import fields
from http.client import HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from mockchat import MockApp
from mockchat.core.fault_kinds import KINDS
from mockchat.core.faults import PRESETS
from tests.command_line import Command, check_refusals

FLAGS = sorted({one.name for kind in KINDS.values() for one in fields(kind)})


def status_of(app: MockApp, path: str = "/users/superhero1") -> int:
    """The status that a back end gets."""
    request = Request(f"{app.url}{path}", headers={"apikey": app.rest_api_key})
    try:
        answer: HTTPResponse = urlopen(request)
    except HTTPError as error:
        with error:
            return error.code
    with answer:
        return answer.status


def test_a_fault_strikes_the_requests_it_matches(steer: Command, app: MockApp) -> None:
    done = steer(
        *("faults", "add", "error", "--code", "ERR_TOO_MANY_REQUESTS"),
        *("--path", "/users/{uid}", "--times", 1, "--after", 1),
    )

    statuses = [status_of(app) for _ in range(3)]

    assert done.lines[0].startswith("Added fault ")
    assert done.lines[0].endswith(": error path=/users/{uid}")
    assert statuses == [200, 429, 200]


def test_the_list_shows_how_often_each_fault_struck(steer: Command, app: MockApp) -> None:
    fault = steer("faults", "add", "error", "--status", 503, "--times", 2, "--json").json
    steer("faults", "add", "hang", "--path", "/nowhere")
    status_of(app)

    head, first, second = steer("faults").words

    assert head == ["id", "kind", "parameters", "match", "app", "struck", "seen", "times"]
    assert first == [str(fault["id"]), "error", "status=503", "all", app.app_id, "1", "1", "2"]
    assert second[1:] == ["hang", "path=/nowhere", app.app_id, "0", "0", "unlimited"]


def test_every_parameter_of_every_kind_is_a_flag(steer: Command) -> None:
    help_ = steer("faults", "add", "--help").out
    for name in FLAGS:
        kind = next(one for one in KINDS.values() if name in {field.name for field in fields(one)})
        given = {"status": "503", "close_code": "4000", "code": "ERR_X", "arriving": "3"}
        words = [f"--{name.replace('_', '-')}", given.get(name, "7")]
        needed = ["--status", "503"] if kind.name == "error" and name != "status" else []

        fault = steer("faults", "add", kind.name, *words, *needed, "--json").json

        assert words[1] in str(fault["parameters"].values()), name
        assert f"{words[0]} " in help_


def test_the_server_gets_the_probability_and_its_seed(steer: Command, app: MockApp) -> None:
    words = ("--probability", "0.5", "--random-seed", "7", "--json")

    first = steer("faults", "add", "error", "--status", "503", *words).json
    struck = [status_of(app) for _ in range(20)]
    app.reset()
    steer("faults", "add", "error", "--status", "503", *words)

    assert first["probability"] == 0.5
    assert struck == [status_of(app) for _ in range(20)]
    assert set(struck) == {200, 503}


def test_kinds_and_presets_are_listed(steer: Command) -> None:
    head, *rows = steer("faults", "kinds").words

    assert head == ["kind", "channel", "parameters", "what", "happens"]
    assert [row[0] for row in rows] == [*KINDS, *PRESETS]


def test_one_or_all_faults_of_the_app_are_removed_and_no_others(steer: Command) -> None:
    hang = ("faults", "add", "hang", "--path", "/nowhere", "--json")
    fault, _, other = steer(*hang).json, steer(*hang), steer(*hang, "--app", "another").json

    removed = f"The fault {fault['id']} was removed."
    assert steer("faults", "remove", fault["id"]).lines == [removed]
    assert steer("faults", "clear").lines == ["1 fault was removed."]
    assert steer("faults", "--json").json == []
    assert steer("faults", "--app", "another", "--json").json[0]["id"] == other["id"]

    steer("faults", "clear", "--app", "another")


def test_faults_come_from_a_file(steer: Command, tmp_path: Path) -> None:
    fault = {"kind": "latency", "delay": "1ms", "match": {"path": "/nowhere"}}
    for content in (fault, [fault, fault]):
        (tmp_path / "faults.json").write_text(json.dumps(content))

        done = steer("faults", "add", "--from", tmp_path / "faults.json", "--json")

        count = len(content) if isinstance(content, list) else 1
        assert [one["kind"] for one in done.json] == ["latency"] * count


def test_wrong_faults_are_refused(steer: Command, tmp_path: Path) -> None:
    names = " or ".join((*KINDS, *PRESETS))
    refused = {
        "faults add nope": names,
        "faults add hang --delay 1s": "The delay is not known here",
        "faults add error": "The code is missing: name an error (ERR_UID_NOT_FOUND), or give a st",
        "faults remove 99999": "There is no fault 99999. (MOCK_NOT_FOUND)",
        "faults remove a/b": "There is no fault a/b. (MOCK_NOT_FOUND)",
    }
    wrong = {
        "faults add": "`mockchat faults kinds`",
        "faults add hang --from faults.json": "not both",
    }
    for number, content in enumerate(("[]", '"hang"', "[1]")):
        (tmp_path / f"{number}.json").write_text(content)
        wrong[f"faults add --from {tmp_path}/{number}.json"] = "must contain faults"

    check_refusals(steer, 1, refused)
    check_refusals(steer, 2, wrong)

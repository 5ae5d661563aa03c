"""Recordings of the live service, replayed: mockchat answers each of their requests alike.

A file that is copied to `tests/recordings`, or to the folder that RECORDINGS names, becomes a test.
Those that are shipped were written by hand: the form of each answer, its keys and their order,
texts and headers are those of public recordings of 2023; names, times and tokens are invented.
"""

import json
import os
import re
from pathlib import Path
from typing import NamedTuple

import pytest
from multidict import CIMultiDict
from yarl import URL

from mockchat.api import OPERATIONS, UNBUILT
from mockchat.api.validation import TEXTS
from mockchat.core.clock import Clock
from mockchat.core.errors import CATALOGUE, Evidence
from mockchat.wire.app import STORE
from tests.laws import operation_of
from tests.recordings import Comparison, Recorded, read_recording
from tests.recordings_state import arrange, moment
from tests.values import Serve

_OF_CONNECTION = ("host", "content-length", "connection", "accept-encoding", "transfer-encoding")
OURS = Path(__file__).parent / "recordings"
FOLDERS = [OURS, *map(Path, filter(None, [os.environ.get("RECORDINGS")]))]
LIVE_TEXTS = {name: text for name, text in TEXTS.items() if text.evidence is Evidence.LIVE}
KINDS = (".yaml", ".yml", ".json", ".har")
FILES = sorted(path for folder in FOLDERS for path in folder.rglob("*") if path.suffix in KINDS)


SENTENCES = {name: re.compile(text.text.format(field=".+")) for name, text in LIVE_TEXTS.items()}


class Replayed(NamedTuple):
    """A request of a recording, the rows of the tables that answered it, and what differed."""

    request: str
    rows: set[str]
    told: list[str]


def is_built(one: Recorded) -> bool:
    """Whether mockchat has the operation, or knows of none that is so named."""
    return operation_of(one.method, one.path) not in UNBUILT


async def play(serve: Serve, clock: Clock, recording: list[Recorded]) -> list[Replayed]:
    """Replay a recording on an app as it was before."""
    client = await serve(fixture=("empty",))
    app = client.app[STORE].app(recording[0].host.partition(".")[0])
    arrange(app, recording)
    comparison = Comparison()
    replayed = []
    for number, one in enumerate(recording, 1):
        clock.freeze(moment(one))
        headers = {
            name: comparison.with_stand_ins(value)
            for name, value in one.headers.items()
            if name.lower() not in _OF_CONNECTION
        }
        target = comparison.with_stand_ins(one.target)
        answer = await client.session.request(
            one.method,
            URL(f"http://{client.host}:{client.port}{target}", encoded=True),
            data=comparison.with_stand_ins(one.body).encode(),
            headers={**headers, "Host": one.host},
            skip_auto_headers=("Content-Type",),
        )
        told = comparison.differences(one, answer.status, answer.headers, await answer.text())
        rows = rows_of(one, answer.headers.get("X-Mock-Docs"))
        replayed.append(Replayed(f"{number}. {one.method} {one.target}", rows, told))
    return replayed


def rows_of(one: Recorded, error: str | None) -> set[str]:
    """Return the rows of the tables that made an answer: an operation, or an error and texts."""
    if error is None:
        operation = operation_of(one.method, one.path)
        return {f"{operation.method} {operation.path}"} if operation else set()
    texts = [text for texts in one.received["error"].get("details", {}).values() for text in texts]
    rules = {name for name, form in SENTENCES.items() if any(map(form.fullmatch, texts))}
    return {error.partition("#")[2], *rules}


async def replay(serve: Serve, clock: Clock, recording: list[Recorded]) -> list[str]:
    """Replay a recording; return all that differs, by request."""
    played = await play(serve, clock, recording)
    return [f"{one.request}: {text}" for one in played for text in one.told]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
async def test_mockchat_answers_as_recorded(serve: Serve, clock: Clock, path: Path) -> None:
    recording = read_recording(path)
    built = [one for one in recording if is_built(one)]
    if recording and not built:
        pytest.skip("mockchat builds none of its operations")

    found = await replay(serve, clock, built)

    assert not found, "\n".join(["these answers differ from the recording:", *found])


async def test_every_row_marked_live_replays_its_recording(serve: Serve, clock: Clock) -> None:
    live = {
        *(f"{one.method} {one.path}" for one in OPERATIONS if one.evidence is Evidence.LIVE),
        *(name for name, row in CATALOGUE.items() if row.live.evidence is Evidence.LIVE),
        *SENTENCES,
    }

    shown = dict.fromkeys(live, "nothing: the row may not be live")
    for path in (path for path in FILES if path.is_relative_to(OURS)):
        for one in await play(serve, clock, read_recording(path)):
            shown |= dict.fromkeys(one.rows, f"{path.name}, {one.request}") if not one.told else {}

    assert {row: place for row, place in shown.items() if place.startswith("nothing")} == {}, shown


async def test_a_recording_that_differs_is_told_field_by_field(serve: Serve, clock: Clock) -> None:
    first, *_ = read_recording(OURS / "auth_tokens.json")
    data = {"createdAt": 1_700_000_001, "uid": "reader-1", "note": "", "authToken": "another"}
    headers = CIMultiDict({**first.answer_headers, "Vary": "Accept"})
    other = first._replace(status=201, answer_headers=headers, answer=json.dumps({"data": data}))

    found = await replay(serve, clock, [other])

    request = "1. POST /v3/users/reader-1/auth_tokens: "
    assert all(line.startswith(request) for line in found)
    told = [line.removeprefix(request) for line in found]
    assert told[:-2] == [
        "status: recorded 201, answered 200",
        "header Vary: recorded 'Accept', answered 'Accept-Encoding'",
        "body.data.note: recorded '', answered without it",
    ]
    order = "recorded as ['createdAt', 'uid', 'authToken'], answered as ['uid', 'authToken', "
    assert told[-2] == f"body.data: the order of keys is {order}'createdAt']"
    assert told[-1].startswith("body.data.authToken: recorded 'another', answered 'reader-1_17")

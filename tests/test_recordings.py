"""Recordings of the live service, replayed: mockchat answers each of their requests alike.

A file that is copied to `tests/recordings`, or to the folder that RECORDINGS names, becomes a test.
Those that are shipped were written by hand: the form of each answer, its keys and their order,
texts and headers are those of public recordings of 2023; names, times and tokens are invented.
"""

import json
import os
from pathlib import Path

import pytest
from multidict import CIMultiDict
from yarl import URL

from mockchat.api import UNBUILT
from mockchat.core.clock import Clock
from mockchat.wire.app import STORE
from tests.helpers import Serve, operation_of
from tests.recordings import Comparison, Recorded, read_recording
from tests.recordings_state import arrange, moment

_OF_CONNECTION = ("host", "content-length", "connection", "accept-encoding", "transfer-encoding")
OURS = Path(__file__).parent / "recordings"
FOLDERS = [OURS, *map(Path, filter(None, [os.environ.get("RECORDINGS")]))]
KINDS = (".yaml", ".yml", ".json", ".har")
FILES = sorted(path for folder in FOLDERS for path in folder.rglob("*") if path.suffix in KINDS)


def is_built(one: Recorded) -> bool:
    """Whether mockchat has the operation, or knows of none that is so named."""
    return operation_of(one.method, one.path) not in UNBUILT


async def replay(serve: Serve, clock: Clock, recording: list[Recorded]) -> list[str]:
    """Replay a recording on an app as it was before; return all that differs, by request."""
    client = await serve(fixture=("empty",))
    app = client.app[STORE].app(recording[0].host.partition(".")[0])
    arrange(app, recording)
    comparison = Comparison()
    found = []
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
        found += [f"{number}. {one.method} {one.target}: {text}" for text in told]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
async def test_mockchat_answers_as_recorded(serve: Serve, clock: Clock, path: Path) -> None:
    recording = read_recording(path)
    built = [one for one in recording if is_built(one)]
    if recording and not built:
        pytest.skip("mockchat builds none of its operations")

    found = await replay(serve, clock, built)

    assert not found, "\n".join(["these answers differ from the recording:", *found])


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

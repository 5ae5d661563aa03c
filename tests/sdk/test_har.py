"""The journal's HAR against the published JSON Schema of HAR 1.2, npm's `har-schema`."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft6Validator  # type: ignore[import-untyped]
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT6

from tests.answers import body_of
from tests.sessions import connect, log_in
from tests.values import REST_KEY, Client

SCHEMAS = Path(__file__).parent / "node_modules/har-schema/lib"


@pytest.fixture
def validator(node_modules: None) -> Any:
    found = [json.loads(path.read_text()) for path in SCHEMAS.glob("*.json")]
    rows = ((one["$id"], Resource.from_contents(one, DRAFT6)) for one in found)
    registry: Registry[Any] = Registry().with_resources(rows)
    har = next(one for one in found if one["$id"] == "har.json#")
    return Draft6Validator(har, registry=registry)


async def test_a_journal_is_a_valid_archive(client: Client, validator: Any) -> None:
    await client.post("/users?a=1", json={"uid": "u1", "name": "x"}, headers=REST_KEY)
    await client.get("/nowhere", headers={"X-Odd": "\u00fc"})
    await client.options("/users", headers={"Origin": "https://a.example"})
    await connect(client, await log_in(client, "superhero1"))
    with pytest.raises(OSError, match=r".*"):
        await client.get("/users", headers={**REST_KEY, "X-Mock-Fault": "reset"})

    archive = await body_of(client.get("/_mock/journal.har"))

    assert len(archive["log"]["entries"]) == 7
    assert list(validator.iter_errors(archive)) == []


def test_the_schema_would_find_a_fault(validator: Any) -> None:
    creator = {"name": "mockchat", "version": "1"}
    wrong = {"log": {"version": "1.2", "creator": creator, "entries": [{"time": 1}]}}

    assert list(validator.iter_errors(wrong))

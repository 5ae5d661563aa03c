"""The OpenAPI document: valid, complete, served, printed, and the same as the checked-in copy."""

import json
import re
import subprocess
import sys
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from docs.tables import OPENAPI
from mockchat.api import OPERATIONS, UNBUILT
from mockchat.api.operation import Access, Operation
from mockchat.cli import main
from mockchat.control import CONTROL_OPERATIONS
from mockchat.core.errors import CATALOGUE, Evidence, Face
from mockchat.wire.openapi import document
from mockchat.wire.openapi import text as document_text
from tests.helpers import Client, body_of

ROWS = (*OPERATIONS, *CONTROL_OPERATIONS, *UNBUILT)
Json = Any


def name(row: Operation) -> str:
    return f"{row.method}-{row.path}"


def described(row: Operation) -> Json:
    return document()["paths"][row.path][row.method.lower()]


def followed(thing: Json) -> Json:
    """What a reference leads to."""
    found = thing
    if "$ref" in thing:
        found = document()
        for step in thing["$ref"].removeprefix("#/").split("/"):
            found = found[step]
    return found


def parameters(row: Operation, where: str) -> dict[str, Json]:
    found = map(followed, described(row)["parameters"])
    return {one["name"]: one for one in found if one["in"] == where}


def codes(response: Json) -> list[str]:
    error = followed(response)["content"]["application/json"]["schema"]["properties"]["error"]
    return list(error["properties"]["code"]["enum"])


# --- the document ---------------------------------------------------------------------------
def test_the_document_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(document()).validate()

    assert document()["openapi"] == "3.1.0"


async def test_it_is_served(client: Client) -> None:
    assert await body_of(client.get("/_mock/openapi.json")) == document()


def test_it_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["openapi"])

    assert status == 0
    assert json.loads(capsys.readouterr().out) == document()


def test_the_checked_in_copy_is_up_to_date() -> None:
    assert OPENAPI.read_text() == document_text(), "run `make docs`"


def test_a_server_starts_without_the_library_that_writes_it() -> None:
    code = "import mockchat.wire.app, sys; sys.exit('apispec' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- operations -----------------------------------------------------------------------------
def test_every_operation_is_described_and_nothing_else() -> None:
    paths = document()["paths"]
    found = {(method.upper(), path) for path, item in paths.items() for method in item}

    assert found == {(row.method, row.path) for row in ROWS}


def test_no_two_operations_share_a_name() -> None:
    names = [described(row)["operationId"] for row in ROWS]

    assert len(names) == len(set(names))
    assert {"create_user", "login", "update_me", "get_health", "get_groups"} <= set(names)


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_an_operation_says_what_it_does_how_well_it_is_known_and_where_it_belongs(
    row: Operation,
) -> None:
    shown = described(row)

    assert shown["summary"] == row.summary
    assert shown["x-evidence"] in list(Evidence)
    assert shown["tags"][0] in {tag["name"] for tag in document()["tags"]}


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_an_operation_names_every_code_it_may_refuse_with_in_both_dialects(
    row: Operation,
) -> None:
    responses = described(row)["responses"]

    for error in row.may_raise:
        for face in (error.documented, error.live):
            assert face.code in codes(responses[str(face.status)])
            assert error.when in followed(responses[str(face.status)])["description"]


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_an_operation_asks_for_the_credentials_of_its_access(row: Operation) -> None:
    by_key: Json = [{"apikey": []}]
    by_token: Json = [{"authToken": []}]
    expected = {
        Access.PUBLIC: [],
        Access.LOGIN: [],
        Access.ANY_KEY: by_key,
        Access.FULL_KEY: by_key,
        Access.TOKEN: by_token,
        Access.FULL_KEY_OR_TOKEN: by_key + by_token,
        Access.CONTROL: [{"controlToken": []}, {}],
    }

    assert described(row)["security"] == expected[row.access]


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_an_operation_has_its_parameters(row: Operation) -> None:
    query = row.query().fields if row.query else {}
    names = {field.data_key or name for name, field in query.items()}

    assert list(parameters(row, "path")) == re.findall(r"\{(\w+)\}", row.path)
    assert names <= parameters(row, "query").keys()
    assert set(row.headers) <= parameters(row, "header").keys()


@pytest.mark.parametrize("row", [row for row in ROWS if row.body], ids=name)
def test_a_body_has_its_fields_and_may_be_nothing_unless_one_is_required(row: Operation) -> None:
    body = described(row)["requestBody"]
    schema = body["content"]["application/json"]["schema"]
    ways = schema.get("anyOf", [schema])
    assert row.body
    fields = row.body().fields
    required = {one.data_key or name for name, one in fields.items() if one.required}

    shapes = [shape for shape in map(followed, ways) if "properties" in shape]
    described_fields = {name for shape in shapes for name in shape["properties"]}
    assert described_fields == {one.data_key or name for name, one in fields.items()}
    assert all(required <= set(shape.get("required", ())) for shape in shapes)
    assert len(shapes) > 1 or required == set(shapes[0].get("required", ()))
    assert body["required"] is bool(required)
    assert ({"type": "null"} in ways) is not bool(required)
    assert "form-encoded" in body["description"]


@pytest.mark.parametrize("row", [*OPERATIONS, *CONTROL_OPERATIONS], ids=name)
def test_an_answer_has_a_shape_and_the_emulated_api_s_an_envelope(row: Operation) -> None:
    content = described(row)["responses"]["200"]["content"]

    if row.produces != "application/json":
        assert list(content) == [row.produces]
        return
    schema = content["application/json"]["schema"]
    for way in schema.get("anyOf", [schema]):
        assert ("data" in way.get("properties", {})) is not row.is_control
        assert followed(way.get("properties", {}).get("data", way))


# --- what an SDK's author would look up -----------------------------------------------------
def test_a_user_always_has_these_keys() -> None:
    user = document()["components"]["schemas"]["User"]

    assert user["required"] == ["createdAt", "name", "role", "status", "uid"]
    assert user["additionalProperties"] is False


def test_a_login_tells_of_the_same_settings_as_settings_do() -> None:
    me = document()["components"]["schemas"]["Me"]["properties"]

    assert me["settings"] == {"$ref": "#/components/schemas/Settings"}
    assert me["wsChannel"] == {"$ref": "#/components/schemas/WsChannel"}


def test_too_many_requests_are_told_when_to_come_back() -> None:
    response = document()["components"]["responses"]["429.too_many_requests"]

    assert list(response["headers"]) == ["Retry-After", "X-Rate-Limit-Reset"]


def test_a_list_of_users_comes_with_pages_or_as_a_count() -> None:
    answer = document()["paths"]["/users"]["get"]["responses"]["200"]
    pages, counted = answer["content"]["application/json"]["schema"]["anyOf"]

    assert list(pages["properties"]) == ["data", "meta"]
    assert counted["properties"]["data"] == {"$ref": "#/components/schemas/Count"}


def test_sdks_find_their_own_name_of_the_page_size() -> None:
    row = next(row for row in ROWS if row.id == "list_users")

    shown = parameters(row, "query")
    assert {**shown["perPage"], "name": ""} == {**shown["per_page"], "name": ""}


def test_what_is_not_built_is_marked_and_lists_are_empty_pages() -> None:
    groups = document()["paths"]["/groups"]

    assert groups["get"]["tags"] == groups["post"]["tags"] == ["unbuilt"]
    assert "200" in groups["get"]["responses"]
    assert codes(groups["post"]["responses"]["501"]) == ["MOCK_NOT_BUILT"]
    assert "200" not in groups["post"]["responses"]


def test_no_reference_to_the_project_s_own_notes_gets_out() -> None:
    assert not re.search(r"sdk-wire|reference section|\(product", document_text())


def test_every_error_of_the_emulated_api_is_somewhere() -> None:
    shown = {
        code
        for response in document()["components"]["responses"].values()
        for code in codes(response)
    }
    nowhere = {"crashed", "api_not_found"}  # no operation's own

    for row in CATALOGUE.values():
        faces: tuple[Face, ...] = (row.documented, row.live)
        assert row.name in nowhere or {face.code for face in faces} <= shown

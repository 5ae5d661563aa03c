"""The OpenAPI document: valid, complete, served, printed, and true of what fields take."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from marshmallow import ValidationError

from mockchat.api import OPERATIONS, UNBUILT
from mockchat.api.access import Access
from mockchat.api.fields import Choice, Field, Flag, Metadata, String, Strings, Uid, Url, Whole
from mockchat.api.operation import Operation
from mockchat.cli import main
from mockchat.control import CONTROL_OPERATIONS
from mockchat.control.fields import AppId, HttpUrl, Instant, Share, Span
from mockchat.core.errors import CATALOGUE, Evidence
from mockchat.wire.openapi import document
from tests.answers import body_of
from tests.strategies import json_values
from tests.values import Client

BUILT = (*OPERATIONS, *CONTROL_OPERATIONS)
ROWS = (*BUILT, *UNBUILT)
Json = Any


def name(row: Operation) -> str:
    return f"{row.method} {row.path}"


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
    return {one["name"]: one for one in described(row)["parameters"] if one["in"] == where}


def codes(response: Json) -> list[str]:
    error = followed(response)["content"]["application/json"]["schema"]["properties"]["error"]
    return list(error["properties"]["code"]["enum"])


# --- the document ---------------------------------------------------------------------------
def test_the_document_is_valid_openapi() -> None:
    from openapi_spec_validator import OpenAPIV31SpecValidator  # noqa: PLC0415  # slow

    paths = document()["paths"]
    unbuilt = [path for path, rows in paths.items() if "unbuilt" in str(rows)]
    alike = set(unbuilt) - set(unbuilt[::8])
    some = {path: rows for path, rows in paths.items() if path not in alike}

    OpenAPIV31SpecValidator({**document(), "paths": some}).validate()

    assert document()["openapi"] == "3.1.0"


async def test_it_is_served(client: Client) -> None:
    assert await body_of(client.get("/_mock/openapi.json")) == document()


def test_it_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["openapi"])

    assert status == 0
    assert json.loads(capsys.readouterr().out) == document()


def test_no_reference_to_the_project_s_own_notes_gets_out() -> None:
    assert not re.search(r"sdk-wire|reference section|\(product", json.dumps(document()))


# --- operations -----------------------------------------------------------------------------
def test_every_operation_is_described_and_nothing_else() -> None:
    paths = document()["paths"]
    found = {(method.upper(), path) for path, item in paths.items() for method in item}

    assert found == {(row.method, row.path) for row in ROWS}


def test_no_two_operations_share_a_name() -> None:
    names = [described(row)["operationId"] for row in ROWS]

    assert len(names) == len(set(names))
    assert {"create_user", "login", "update_me", "get_health", "get_groups"} <= set(names)


def test_an_operation_has_its_summary_evidence_tag_parameters_and_credentials() -> None:
    by_key: Json = [{"apikey": []}]
    by_token: Json = [{"authToken": []}]
    security = {
        Access.PUBLIC: [],
        Access.LOGIN: [],
        Access.ANY_KEY: by_key,
        Access.FULL_KEY: by_key,
        Access.TOKEN: by_token,
        Access.FULL_KEY_OR_TOKEN: by_key + by_token,
        Access.CONTROL: [{"controlToken": []}, {}],
    }
    tags = {tag["name"] for tag in document()["tags"]}

    for row in ROWS:
        shown = described(row)
        query = row.query().fields if row.query else {}
        assert shown["summary"] == row.summary, name(row)
        assert shown["x-evidence"] in list(Evidence), name(row)
        assert shown["tags"][0] in tags, name(row)
        assert shown["security"] == security[row.access], name(row)
        assert list(parameters(row, "path")) == re.findall(r"\{(\w+)\}", row.path), name(row)
        assert {one.data_key or key for key, one in query.items()} <= set(parameters(row, "query"))
        assert set(row.headers) <= parameters(row, "header").keys(), name(row)


def test_an_operation_names_every_code_it_may_refuse_with_in_both_dialects() -> None:
    for row in ROWS:
        responses = described(row)["responses"]
        for error in row.may_raise:
            for face in (error.documented, error.live):
                response = responses[str(face.status)]
                assert face.code in codes(response), name(row)
                assert error.when in followed(response)["description"], name(row)


def test_every_error_of_the_emulated_api_is_somewhere() -> None:
    responses = document()["components"]["responses"].values()
    shown = {code for response in responses for code in codes(response)}
    nowhere = {"crashed", "api_not_found", "api_version_invalid", "plain_http"}  # of no operation

    for row in CATALOGUE.values():
        faces = {row.documented.code, row.live.code}
        assert row.name in nowhere or not row.is_raised or faces <= shown, row.name


def test_a_body_has_its_fields() -> None:
    for row in ROWS:
        if row.body is None:
            continue
        body = described(row)["requestBody"]
        schema = body["content"]["application/json"]["schema"]
        variants = getattr(row.body, "VARIANTS", {"": row.body})
        found = [followed(one) for one in schema.get("oneOf", [schema])]
        assert len(found) == len(set(variants.values())), name(row)
        for one, shown in zip(dict.fromkeys(variants.values()), found, strict=True):
            fields = {field.data_key or key: field for key, field in one().fields.items()}
            required = {key for key, field in fields.items() if field.required}
            assert shown["properties"].keys() == fields.keys(), name(row)
            assert set(shown.get("required", ())) == required, name(row)
            assert body["required"] is bool(required), name(row)
        assert "form-encoded" in body["description"], name(row)


def test_an_answer_has_a_schema_and_the_emulated_api_s_an_envelope() -> None:
    for row in BUILT:
        content = described(row)["responses"]["200"]["content"]
        assert list(content) == [row.produces], name(row)
        if row.produces != "application/json":
            continue
        schema = content["application/json"]["schema"]
        for one in schema.get("anyOf", [schema]):
            assert ("data" in one.get("properties", {})) is not row.is_control, name(row)
            assert followed(one.get("properties", {}).get("data", one)), name(row)


# --- facts for the author of an SDK -----------------------------------------------------------
def test_the_document_says_what_an_sdk_s_author_looks_up() -> None:
    schemas = document()["components"]["schemas"]
    limited = document()["components"]["responses"]["429.too_many_requests"]
    answer = document()["paths"]["/users"]["get"]["responses"]["200"]
    pages, counted = answer["content"]["application/json"]["schema"]["anyOf"]
    query = parameters(next(row for row in ROWS if row.id == "list_users"), "query")

    assert schemas["User"]["required"] == ["createdAt", "name", "role", "status", "uid"]
    assert schemas["User"]["additionalProperties"] is False
    assert schemas["Me"]["properties"]["settings"] == {"$ref": "#/components/schemas/Settings"}
    assert schemas["Me"]["properties"]["wsChannel"] == {"$ref": "#/components/schemas/WsChannel"}
    assert list(limited["headers"]) == ["Retry-After", "X-Rate-Limit-Reset"]
    assert list(pages["properties"]) == ["data", "meta"]
    assert counted["properties"]["data"] == {"$ref": "#/components/schemas/Count"}
    assert {**query["perPage"], "name": ""} == {**query["per_page"], "name": ""}


def test_what_is_not_built_is_marked_and_lists_are_empty_pages() -> None:
    groups = document()["paths"]["/groups"]

    assert groups["get"]["tags"] == groups["post"]["tags"] == ["unbuilt"]
    assert "200" in groups["get"]["responses"]
    assert codes(groups["post"]["responses"]["501"]) == ["MOCK_NOT_BUILT"]
    assert "200" in groups["post"]["responses"]  # with --unbuilt accept
    assert "200" not in document()["paths"]["/groups/{guid}"]["get"]["responses"]


# --- what a field takes -----------------------------------------------------------------------
FIELDS: list[Field] = [
    *(
        AppId(),
        HttpUrl(),
        Span(),
        Share(),
        Instant(),
        Flag(),
        String(maximum=200),
        Uid(),
        Url(),
        Metadata(),
    ),
    *(Choice(("a", "b")), Strings(most=2, longest=3), Strings(choices=("a", "b"), once=True)),
    *(Whole(least, most) for least, most in ((0, 599), (200, 599), (0, 10**18 - 1))),
    *(String(filled=True), String(required=True), Strings(required=True)),
]
numbers = st.integers(-(10**19), 10**19) | st.floats(allow_nan=False) | st.integers(-5, 700)
spelled = st.sampled_from(["1h", "250ms", "2026-01-31T12:00:00Z", "a", "b", "a,b", "true", "0.5"])
texts = numbers.map(str) | spelled | spelled.map(" {}\n".format) | st.text(max_size=70)
values = json_values | numbers | texts | st.lists(texts, max_size=3)


@given(value=values, field=st.sampled_from(FIELDS))
def test_a_field_takes_what_is_described_and_reads_nothing_else(value: Any, field: Field) -> None:
    shown = Draft202012Validator(dict(field.metadata))
    try:
        read = field.deserialize(value)
    except ValidationError:
        large = isinstance(value, int | float) and abs(value) >= 2**63  # rounded by JSON's readers
        dated = isinstance(field, Instant) and isinstance(value, str)  # the format says more
        emoji = any(one > "\uffff" for one in str(value))  # counts twice
        assert large or dated or emoji or not shown.is_valid(value)
        return
    # Nothing, or the value as its own type: `"7"` is read as 7, a blank text as none.
    assert read in (None, "", [], {}) or shown.is_valid(read)

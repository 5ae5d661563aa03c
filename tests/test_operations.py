"""Laws that hold for every operation of the emulated API, whichever it is."""

import copy
import re
from collections.abc import Callable
from itertools import product
from typing import Any

from aiohttp import ClientResponse
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError
from marshmallow.schema import SchemaMeta

from mockchat.api import OPERATIONS
from mockchat.api.access import Access
from mockchat.api.operation import Operation
from mockchat.api.plain import AnySchema
from mockchat.api.requests import Anything
from mockchat.api.schemas import compile_dump
from mockchat.api.validation import Prepared
from mockchat.control.faults import FaultRequest
from mockchat.control.requests import Match
from mockchat.control.stored import AppState, Fixture, FixtureUser, Rows
from mockchat.core import errors
from mockchat.core.errors import Evidence
from tests.answers import assert_error
from tests.laws import ALL_OPERATIONS
from tests.raw import get_as_encoded
from tests.rows import each_row, telling
from tests.strategies import PRINTED, bodies_for, json_values
from tests.values import AUTH_KEY, REST_KEY, Client, Serve

SENTENCE = re.compile(r"[A-Z][^\n]{5,98}\.")
BY_KEY = {Access.ANY_KEY, Access.FULL_KEY, Access.FULL_KEY_OR_TOKEN}
# A body that has whatever field an operation cannot do without.
ENOUGH = {
    "uid": "u1",
    "name": "x",
    "role": "r1",
    "sessionId": "s",
    **{key: ["superhero2"] for key in ("accepted", "friends", "blockedUids")},
    **{key: ["superhero2"] for key in ("uidsToDeactivate", "uidsToActivate")},
}
DIALECTS = ("documented", "live")
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def rows_of(*access: Access) -> list[Operation]:
    """The operations of these kinds of access."""
    return [row for row in OPERATIONS if row.access in access]


def path_of(operation: Operation, uid: str = "superhero1") -> str:
    values = {"uid": uid, "authToken": "superhero1_1", "role": "default", "apiKey": "x"}
    values |= {"guid": "a-group", "version": "v3.0"}
    return operation.path.format_map(values)


def ask(client: Client, operation: Operation, headers: dict[str, str], uid: str = "") -> Any:
    path = path_of(operation, uid or "superhero1")
    return client.request(operation.method, path, json=ENOUGH, headers=headers)


# --- the table itself -----------------------------------------------------------------------
def test_every_operation_has_a_sentence_evidence_and_a_method_and_path_of_its_own() -> None:
    routes = [(row.method, row.path) for row in ALL_OPERATIONS]

    assert [row for row in ALL_OPERATIONS if not SENTENCE.fullmatch(row.summary)] == []
    assert {type(row.evidence) for row in ALL_OPERATIONS} == {Evidence}
    assert len(routes) == len(set(routes))


def test_the_whole_surface_of_the_first_issue_is_there() -> None:
    users, tokens = "/users", "/users/{uid}/auth_tokens"
    expected = {
        users: "POST GET PUT DELETE",
        "/users/{uid}": "GET PUT DELETE",
        tokens: "POST GET DELETE",
        f"{tokens}/{{authToken}}": "GET PUT DELETE",
        "/me": "PUT GET DELETE",
        "/settings": "GET",
        "/me/jwt": "POST",
        "/user_sessions": "POST",
        "/ping": "POST",
        "/login": "POST GET DELETE",
        "/logout": "POST",
        "/admin/users/auth": "POST",
        "/admin/users/auth/{authToken}": "DELETE",
    }

    served = {(row.method, row.path) for row in OPERATIONS}

    assert served >= {(method, path) for path in expected for method in expected[path].split()}


# --- who may ask ----------------------------------------------------------------------------
BY_TOKEN = {Access.TOKEN, Access.FULL_KEY_OR_TOKEN}
FULL = {Access.FULL_KEY, Access.FULL_KEY_OR_TOKEN}
Refusal = tuple[set[Access], list[dict[str, str]], errors.ErrorDef, dict[str, str]]
REFUSALS: dict[str, Refusal] = {
    "no key": (BY_KEY, [{}, {"apikey": ""}, {"apiKey": "  "}], errors.KEY_MISSING, {}),
    "no token": (
        {Access.TOKEN},
        [{}, {"authToken": ""}, {"authtoken": "  "}, AUTH_KEY],
        errors.AUTH_TOKEN_MISSING,
        {},
    ),
    "an unknown key": (
        BY_KEY,
        [{"apikey": "0123456789abcdef"}],
        errors.KEY_UNKNOWN,
        {"key": "01234******bcdef"},
    ),
    "an unknown token": (
        BY_TOKEN,
        [{"authToken": "u1_1"}],
        errors.AUTH_TOKEN_UNKNOWN,
        {"token": "u1_1"},
    ),
    "a token with a space": (
        BY_TOKEN,
        [{"authToken": "u1 1"}],
        errors.AUTH_TOKEN_WITH_SPACE,
        {"token": "u1 1"},
    ),
    "an auth key": (FULL, [AUTH_KEY], errors.NO_ACCESS, {"key": "AUTH_KEY"}),
}


@each_row("case", REFUSALS)
async def test_every_operation_tells_what_credential_is_wrong(client: Client, case: str) -> None:
    access, credentials, row, values = REFUSALS[case]
    for operation, headers, dialect in product(rows_of(*access), credentials, DIALECTS):
        request = ask(client, operation, {**headers, "X-Mock-Errors": dialect})
        with telling(operation=operation.id, headers=headers, dialect=dialect):
            await assert_error(request, row, dialect, **values)


def test_an_auth_key_opens_three_operations_and_core_operations_have_their_limit() -> None:
    open_to_it = {row.id for row in OPERATIONS if row.access is Access.ANY_KEY}
    core = {row.id for row in OPERATIONS if row.limit == 10_000}

    assert open_to_it == {"create_user", "create_auth_token", "update_user"}
    assert core >= {"create_user", "delete_user", "login", "update_me"}
    assert {row.limit for row in OPERATIONS if row.id not in core} == {20_000, 60}
    assert [row.id for row in OPERATIONS if row.limit == 60] == ["import_users"]


# --- whom they are about --------------------------------------------------------------------
_ODD_UIDS = [
    ("NoBody", "nobody", errors.UID_NOT_FOUND, errors.UID_NOT_FOUND),
    ("no%20Body", "no%20body", errors.PATH_UID_WITH_SPACE, errors.UID_NOT_FOUND),
    ("%20", "%20", errors.PATH_UID_INVALID, errors.UID_NOT_FOUND),
    ("no%E2%80%83body", "no%e2%80%83body", errors.PATH_UID_WITH_SPACE, errors.UID_NOT_FOUND),
    ("ü", "%c3%bc", errors.PATH_UID_INVALID, errors.UID_NOT_FOUND),
    ("a%2Fb", "a%2fb", errors.PATH_UID_INVALID, errors.UID_NOT_FOUND),
    ("u" * 101, "u" * 101, errors.PATH_UID_INVALID, errors.UID_NOT_FOUND),
]


@each_row("operation", [row for row in OPERATIONS if "{uid}" in row.path])
async def test_an_unknown_uid_in_a_path_is_not_found(client: Client, operation: Operation) -> None:
    for uid, printed, documented, live in _ODD_UIDS:
        for dialect, row in (("documented", documented), ("live", live)):
            request = ask(client, operation, {**REST_KEY, "X-Mock-Errors": dialect}, uid)
            with telling(uid=uid, dialect=dialect):
                await assert_error(request, row, dialect, uid=printed)


async def test_a_line_break_in_a_path_is_answered_as_any_other(client: Client) -> None:
    await assert_error(get_as_encoded(client, "/nowhere/%0A", {}), errors.API_NOT_FOUND)
    await assert_error(get_as_encoded(client, "/users/%0A", REST_KEY), errors.PATH_UID_INVALID)


# --- how they are asked ---------------------------------------------------------------------
@each_row("path", sorted({one.path for one in OPERATIONS}))
async def test_a_method_that_a_path_has_not_is_no_operation(client: Client, path: str) -> None:
    known = {row.method for row in ALL_OPERATIONS if row.path == path}
    operation = next(row for row in OPERATIONS if row.path == path)

    for method in set(METHODS) - known:
        request = client.request(method, path_of(operation), headers=REST_KEY)
        await assert_error(request, errors.API_NOT_FOUND)


async def test_every_operation_sends_and_keeps_its_rate_limit(serve: Serve) -> None:
    client, limited = await serve(), await serve(rate_limit=1)
    await limited.get("/settings")
    for number, operation in enumerate(OPERATIONS):
        response = await ask(client, operation, {"appId": f"app{number}"})  # a fresh quota

        assert limits_in(response) == [operation.limit, operation.limit - 1, 100_000, 99_999]
        await assert_error(ask(limited, operation, {}), errors.TOO_MANY_REQUESTS)


def limits_in(response: ClientResponse) -> list[int]:
    names = ("Limit", "Remaining", "Limit-For-App", "Remaining-For-App")
    return [int(response.headers[f"X-RateLimit-{name}"]) for name in names]


# --- how answers are printed ----------------------------------------------------------------
@given(data=st.data())
@settings(max_examples=10)
def test_answers_are_printed_as_declared_without_empty_values(data: st.DataObject) -> None:
    answers = {row.returns for row in ALL_OPERATIONS if row.returns}
    assert PRINTED.keys() >= {one for one in answers if not issubclass(one, AnySchema)}
    for schema, values in PRINTED.items():
        value = data.draw(values)
        declared = schema().dump(value)

        printed = compile_dump(schema)(value)

        kept = [item for item in declared.items() if item[1] not in (None, "", [], {})]
        assert list(printed.items()) == kept, schema


# --- how requests are read ------------------------------------------------------------------
REQUESTS = sorted(
    {
        *(schema for row in ALL_OPERATIONS for schema in (row.body, row.query) if schema),
        *FaultRequest.VARIANTS.values(),
        *(Match, Fixture, AppState),
    }
    - {Anything},  # is not loaded but passed on
    key=lambda schema: schema.__name__,
)


def test_no_schema_has_hooks_which_would_not_run() -> None:
    answers = {row.returns for row in ALL_OPERATIONS if row.returns}

    for schema in (*REQUESTS, *answers):
        assert SchemaMeta.resolve_hooks(schema) == {}, schema


@given(schema=st.sampled_from(REQUESTS), data=st.data())
@settings(max_examples=300)
def test_a_prepared_schema_loads_as_marshmallow(schema: type[Schema], data: st.DataObject) -> None:
    body = data.draw(bodies_for(schema))

    def loaded(load: Callable[[Any], Any]) -> Any:
        try:
            return load(copy.deepcopy(body))
        except ValidationError as error:
            return error.messages

    assert loaded(Prepared(schema).load) == loaded(schema().load)


@given(rows=st.lists(bodies_for(FixtureUser) | json_values, max_size=3))
def test_a_list_of_objects_loads_as_marshmallow_does_up_to_an_error(rows: list[Any]) -> None:
    try:
        expected: Any = FixtureUser(many=True).load(copy.deepcopy(rows))
    except ValidationError as error:
        messages: Any = error.messages
        first = min(messages)
        expected = {first: messages[first] if isinstance(rows[first], dict) else None}

    try:
        read: Any = Rows(FixtureUser).deserialize(rows)
    except ValidationError as error:
        refused: Any = error.messages
        ((at, found),) = refused.items()
        read = {at: found if isinstance(found, dict) else None}

    assert read == expected

"""Bodies as SDKs and back ends send them: JSON, forms, `[]`, empty, missing, too large."""

import gzip
from collections.abc import AsyncIterator
from typing import Any

import pytest

from mockchat.api import OPERATIONS
from mockchat.api.operation import Access, Operation
from tests.helpers import (
    REST_KEY,
    Client,
    by_token,
    create_user,
    data_of,
    details_of,
    issue_token,
    perform,
)

LIMIT = 10 * 1024
FORM = "application/x-www-form-urlencoded"
ANYBODY = (Access.PUBLIC, Access.LOGIN)
TAKING_BODIES = [
    row for row in OPERATIONS if row.body and row.access not in (Access.PUBLIC, Access.LOGIN)
]


def create(client: Client, body: bytes | str, content_type: str | None = None) -> Any:
    headers = {**REST_KEY, **({"Content-Type": content_type} if content_type else {})}
    skip = [] if content_type else ["Content-Type"]
    return client.post("/users", data=body, headers=headers, skip_auto_headers=skip)


# --- JSON -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "text/plain",
        "application/octet-stream",
        FORM,  # what curl -d says
        None,
    ],
)
async def test_json_is_json_whatever_its_content_type(
    client: Client, content_type: str | None
) -> None:
    user = await data_of(create(client, b' {"uid": "u1", "name": "x"}\n', content_type))

    assert user["uid"] == "u1"


@pytest.mark.parametrize(
    "body", ["{", "nope", '{"uid": }', "{'uid': 1}", "[1", '"', "{} {}", "\x00", '{"uid":NaN}']
)
async def test_a_body_that_is_no_json_says_so(client: Client, body: str) -> None:
    details = await details_of(create(client, body, "application/json"))

    assert list(details) == ["body"]
    assert details["body"][0].startswith("The body is not valid JSON: ")


@pytest.mark.parametrize("body", ["1", '"text"', "true", "[1]", '[{"uid": "u1", "name": "x"}]'])
async def test_a_body_that_is_no_object_says_so(client: Client, body: str) -> None:
    details = await details_of(create(client, body, "application/json"))

    assert details == {"body": ["The body must be a JSON object."]}


async def test_the_last_of_two_equal_keys_counts(client: Client) -> None:
    user = await data_of(create(client, '{"uid":"u1","name":"old","name":"new"}'))

    assert user["name"] == "new"


async def test_what_no_operation_knows_is_ignored(client: Client) -> None:
    user = await create_user(client, "u1", whatever={"deep": [1]}, **{"": 1, "a.b": 2})

    assert list(user) == ["uid", "name", "status", "role", "createdAt"]


@pytest.mark.parametrize(("number", "read"), [("7.0", "7"), ("-3.0", "-3"), ("1e3", "1000")])
async def test_a_whole_number_is_the_same_with_a_point(
    client: Client, number: str, read: str
) -> None:
    body = f'{{"uid":{number},"name":{number},"tags":[{number}],"withAuthToken":1.0}}'

    user = await data_of(create(client, body))

    assert (user["uid"], user["name"], user["tags"]) == (read, read, [read])
    assert "authToken" in user


async def test_a_number_beyond_json_s_integers_is_no_whole_one(client: Client) -> None:
    user = await data_of(create(client, '{"uid":"u1","name":18446744073709551616}'))

    assert user["name"] == "1.8446744073709552e+19"


# --- nothing --------------------------------------------------------------------------------
@pytest.mark.parametrize("body", [None, b"", b"  \n", b"[]", b"{}", b"null", b" [ ] "])
@pytest.mark.parametrize("content_type", ["application/json", FORM, None])
async def test_an_empty_body_has_no_fields(
    client: Client, body: bytes | None, content_type: str | None
) -> None:
    headers = {**REST_KEY, **({"Content-Type": content_type} if content_type else {})}
    path = "/users/superhero1/auth_tokens"

    data = await data_of(client.post(path, data=body, headers=headers))

    assert data["uid"] == "SUPERHERO1"


@pytest.mark.parametrize("body", [b"[]", b"{}", b"", b"not json", b'{"x": 1}'])
async def test_a_body_that_nobody_asked_for_is_not_read(client: Client, body: bytes) -> None:
    token = await issue_token(client, "superhero1")

    for path in ("/me", "/users/superhero2"):
        await data_of(client.get(path, data=body, headers=by_token(token)))
    await data_of(client.delete("/me", data=body, headers=by_token(token)))


async def test_a_logout_that_names_its_token_in_the_path_reads_no_body(client: Client) -> None:
    token = await issue_token(client, "superhero1")

    await data_of(client.delete(f"/admin/users/auth/{token}", data=b"not json"))


# --- forms ----------------------------------------------------------------------------------
@pytest.mark.parametrize("content_type", [FORM, f"{FORM}; charset=utf-8", FORM.upper()])
async def test_a_form_is_understood(client: Client, content_type: str) -> None:
    body = "uid=u1&name=U+One%21&withAuthToken=true&avatar="

    user = await data_of(create(client, body, content_type))

    assert (user["uid"], user["name"]) == ("u1", "U One!")
    assert "authToken" in user
    assert "avatar" not in user


async def test_a_form_s_brackets_are_lists_and_objects(client: Client) -> None:
    body = "uid=u1&name=x&tags[]=a&tags[]=b&metadata[k][n]=1&metadata[l][]=2"

    user = await data_of(create(client, body, FORM))

    assert user["tags"] == ["a", "b"]
    assert user["metadata"]["k"] == {"n": "1"}


async def test_a_form_s_encoded_brackets_are_brackets(client: Client) -> None:
    user = await data_of(create(client, "uid=u1&name=x&tags%5B0%5D=a&tags%5B1%5D=b", FORM))

    assert user["tags"] == ["a", "b"]


@pytest.mark.parametrize(
    ("form", "tags"),
    [
        ("tags[1]=x&tags[]=y", ["x", "y"]),
        ("tags[]=x&tags[7]=y&tags[0]=z&tags[]=a", ["z", "y", "a"]),
        (f"tags[{'9' * 5000}]=x&tags[]=y", ["x", "y"]),
    ],
    ids=["behind a number", "behind a gap", "behind a number that is too large"],
)
async def test_empty_brackets_of_a_form_append_as_in_php(
    client: Client, form: str, tags: list[str]
) -> None:
    user = await data_of(create(client, f"uid=u1&name=x&{form}", FORM))

    assert user["tags"] == tags


async def test_json_in_a_form_s_field_is_understood(client: Client) -> None:
    body = "uid=u1&name=x&metadata=%7B%22a%22%3A1%7D&tags=%5B%22t%22%5D"

    user = await data_of(create(client, body, FORM))

    assert user["metadata"] == {"a": 1}
    assert user["tags"] == ["t"]


async def test_a_form_deactivates_users(client: Client) -> None:
    headers = {**REST_KEY, "Content-Type": FORM}

    data = await data_of(
        client.delete("/users", data="uidsToDeactivate[]=superhero1", headers=headers)
    )

    assert data == {"deactivatedUids": ["SUPERHERO1"]}


# --- size -----------------------------------------------------------------------------------
def filled(size: int) -> bytes:
    """A body of so many bytes that creates a user."""
    head, tail = b'{"uid":"u1","name":"x","x":"', b'"}'
    return head + b"a" * (size - len(head) - len(tail)) + tail


async def test_a_body_of_ten_kilobytes_is_fine(client: Client) -> None:
    assert (await data_of(create(client, filled(LIMIT))))["uid"] == "u1"


async def test_a_larger_body_is_refused_clearly(client: Client) -> None:
    details = await details_of(create(client, filled(LIMIT + 1)))

    assert details == {"body": ["The body may not be greater than 10240 bytes."]}


async def test_a_larger_body_is_refused_in_chunks_too(client: Client) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 1024

    details = await details_of(client.post("/users", data=chunks(), headers=REST_KEY))

    assert list(details) == ["body"]


async def test_a_body_may_come_in_chunks(client: Client) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for part in (b'{"uid":"u1",', b'"name":', b'"x"}'):
            yield part

    user = await data_of(client.post("/users", data=chunks(), headers=REST_KEY))

    assert user["uid"] == "u1"


async def test_a_body_may_be_compressed(client: Client) -> None:
    body = gzip.compress(b'{"uid":"u1","name":"x"}')
    headers = {**REST_KEY, "Content-Encoding": "gzip", "Content-Type": "application/json"}

    user = await data_of(client.post("/users", data=body, headers=headers))

    assert user["uid"] == "u1"


@pytest.mark.parametrize("operation", TAKING_BODIES, ids=lambda row: f"{row.id}-{row.path}")
async def test_every_operation_with_a_body_refuses_a_broken_one(
    client: Client, operation: Operation
) -> None:
    for body in (b"x" * (LIMIT + 1), b"not json", b"[1]", b"5"):
        assert list(await details_of(perform(client, operation, data=body))) == ["body"]

"""Bodies as SDKs and back ends send them: JSON, forms, `[]`, empty, missing, too large."""

import gzip
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, FormData

from mockchat import Config, MockChat
from mockchat.api import OPERATIONS
from mockchat.api.access import Access
from tests.answers import data_of, details_of
from tests.helpers import create_user, perform
from tests.rows import each_row, telling
from tests.sessions import by_token, issue_token
from tests.values import REST_KEY, Client

LIMIT = 10 * 1024
FORM = "application/x-www-form-urlencoded"
ANYBODY = (Access.PUBLIC, Access.LOGIN)
TAKING_BODIES = [row for row in OPERATIONS if row.body and row.access not in ANYBODY]


def create(client: Client, body: bytes | str, content_type: str | None = None) -> Any:
    headers = {**REST_KEY, **({"Content-Type": content_type} if content_type else {})}
    skip = [] if content_type else ["Content-Type"]
    return client.post("/users", data=body, headers=headers, skip_auto_headers=skip)


# --- JSON -----------------------------------------------------------------------------------
TYPES = ("application/json; charset=utf-8", "APPLICATION/JSON", "text/plain", None)


@each_row("content_type", ["application/json", *TYPES, "application/octet-stream", FORM])
async def test_json_is_json_of_any_content_type(client: Client, content_type: str | None) -> None:
    user = await data_of(create(client, b' {"uid": "u1", "name": "x"}\n', content_type))

    assert user["uid"] == "u1"


async def test_a_body_that_is_no_json_or_no_object_says_so(client: Client) -> None:
    broken = ("{", "nope", '{"uid": }', "{'uid': 1}", "[1", '"', "{} {}", "\x00", '{"uid":NaN}')
    for body in broken:
        details = await details_of(create(client, body, "application/json"))
        assert list(details) == ["body"], body
        assert details["body"][0].startswith("The body is not valid JSON: "), body
    for body in ("1", '"text"', "true", "[1]", '[{"uid": "u1", "name": "x"}]'):
        details = await details_of(create(client, body, "application/json"))
        assert details == {"body": ["The body must be a JSON object."]}, body


@each_row(("number", "read"), [("7.0", "7"), ("-3.0", "-3"), ("1e3", "1000")])
async def test_a_whole_number_may_have_a_point(client: Client, number: str, read: str) -> None:
    body = f'{{"uid":{number},"name":{number},"tags":[{number}],"withAuthToken":1.0}}'

    user = await data_of(create(client, body))

    assert (user["uid"], user["name"], user["tags"]) == (read, read, [read])
    assert "authToken" in user


async def test_unknown_keys_are_ignored_and_the_last_of_equal_ones_counts(client: Client) -> None:
    user = await create_user(client, "u2", whatever={"deep": [1]}, **{"": 1, "a.b": 2})
    assert list(user) == ["uid", "name", "status", "role", "createdAt"]

    user = await data_of(create(client, '{"uid":"u1","name":"x","name":18446744073709551616}'))
    assert user["name"] == "1.8446744073709552e+19"  # which is beyond JSON's integers


# --- nothing --------------------------------------------------------------------------------
async def test_an_empty_body_has_no_fields(client: Client) -> None:
    for content_type in ("application/json", FORM, None):
        headers = {**REST_KEY, **({"Content-Type": content_type} if content_type else {})}
        for body in (None, b"", b'""', b"  \n", b"[]", b"{}", b"null", b" [ ] "):
            request = client.post("/users/superhero1/auth_tokens", data=body, headers=headers)
            assert (await data_of(request))["uid"] == "SUPERHERO1", (content_type, body)


async def test_a_body_that_nobody_asked_for_is_not_read(client: Client) -> None:
    for body in (b"[]", b"{}", b"", b"not json", b'{"x": 1}'):
        token = await issue_token(client, "superhero1")
        for path in ("/me", "/users/superhero2"):
            await data_of(client.get(path, data=body, headers=by_token(token)))
        await data_of(client.delete("/me", data=body, headers=by_token(token)))
        token = await issue_token(client, "superhero1")
        await data_of(client.delete(f"/admin/users/auth/{token}", data=body))


# --- forms ----------------------------------------------------------------------------------
async def test_a_form_is_understood(client: Client) -> None:
    for number, content_type in enumerate((FORM, f"{FORM}; charset=utf-8", FORM.upper())):
        body = f"uid=u{number}&name=U+One%21&withAuthToken=true&avatar="
        user = await data_of(create(client, body, content_type))
        assert (user["uid"], user["name"]) == (f"u{number}", "U One!")
        assert "authToken" in user
        assert "avatar" not in user
    headers = {**REST_KEY, "Content-Type": FORM}
    request = client.delete("/users", data="uidsToDeactivate[]=superhero1", headers=headers)
    assert await data_of(request) == {"deactivatedUids": ["superhero1"]}


@each_row(
    ("form", "expected"),
    [
        ("tags[]=a&tags[]=b&metadata[k][n]=1", {"tags": ["a", "b"], "metadata": {"k": {"n": "1"}}}),
        ("tags%5B0%5D=a&tags%5B1%5D=b", {"tags": ["a", "b"]}),
        ("tags[1]=x&tags[]=y", {"tags": ["x", "y"]}),  # empty brackets append as in PHP
        ("tags[]=x&tags[7]=y&tags[0]=z&tags[]=a", {"tags": ["z", "y", "a"]}),
        (f"tags[{'9' * 5000}]=x&tags[]=y", {"tags": ["x", "y"]}),
        ("metadata[l][]=2", {}),
        ("metadata=%7B%22a%22%3A1%7D&tags=%5B%22t%22%5D", {"metadata": {"a": 1}, "tags": ["t"]}),
    ],
)
async def test_a_form_s_brackets_are_lists_and_objects_and_its_fields_may_be_json(
    client: Client, form: str, expected: Any
) -> None:
    user = await data_of(create(client, f"uid=u1&name=x&{form}", FORM))

    assert {name: user[name] for name in expected} == expected


async def test_a_multipart_form_is_understood_and_its_files_are_refused_by_name(
    client: Client,
) -> None:
    # As PHP's cURL sends an array, and aiohttp a form with a file.
    body = "".join(
        f'--------x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in (("uid", "u1"), ("name", "Zoë\r\n--"), ("tags[]", "a"), ("tags[]", "b"))
    )
    for kind in ("multipart/form-data; boundary=------x", 'Multipart/Form-Data;boundary="------x"'):
        await client.post("/_mock/reset")
        user = await data_of(create(client, f"{body}--------x--\r\n".encode(), kind))
        assert (user["uid"], user["name"], user["tags"]) == ("u1", "Zoë\r\n--", ["a", "b"]), kind
    form = FormData({"uid": "u2", "name": "x"})
    form.add_field("avatar", b"GIF89a", filename="me.gif")
    request = client.post("/users", data=form, headers=REST_KEY)
    assert await details_of(request) == {"avatar": ["The avatar may not be a file."]}


async def test_a_field_of_the_body_may_stand_in_the_query(client: Client) -> None:
    await create_user(client, "u1")

    gone = client.delete("/users/u1?permanent=true", headers=REST_KEY)

    assert (await data_of(gone))["success"] is True
    await create_user(client, "u1")


# --- size -----------------------------------------------------------------------------------
def filled(size: int) -> bytes:
    """A body of so many bytes that creates a user."""
    head, tail = b'{"uid":"u1","name":"x","x":"', b'"}'
    return head + b"a" * (size - len(head) - len(tail)) + tail


async def in_chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_a_body_larger_than_ten_kilobytes_is_refused_clearly(client: Client) -> None:
    assert (await data_of(create(client, filled(LIMIT))))["uid"] == "u1"

    details = await details_of(create(client, filled(LIMIT + 1)))
    assert details == {"body": ["The body may not be greater than 10240 bytes."]}
    chunks = in_chunks(*[b" " * 1024] * 20)
    details = await details_of(client.post("/users", data=chunks, headers=REST_KEY))
    assert list(details) == ["body"]


async def test_a_body_may_come_in_chunks_or_compressed(client: Client) -> None:
    chunks = in_chunks(b'{"uid":"u1",', b'"name":', b'"x"}')
    user = await data_of(client.post("/users", data=chunks, headers=REST_KEY))
    assert user["uid"] == "u1"

    body = gzip.compress(b'{"uid":"u2","name":"x"}')
    headers = {**REST_KEY, "Content-Encoding": "gzip", "Content-Type": "application/json"}
    user = await data_of(client.post("/users", data=body, headers=headers))
    assert user["uid"] == "u2"


async def test_a_body_that_does_not_fit_its_encoding_is_refused_and_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with MockChat(Config(port=0, https_port=None)) as mock, ClientSession() as session:
        for coding in ("gzip", "deflate"):
            for path, status in (("/users", 400), ("/_mock/reset", 400), ("/nope", 404)):
                headers = {**REST_KEY, "Content-Encoding": coding, "Expect": "100-continue"}
                body = in_chunks(b'{"uid":', b'"u1"}')
                async with session.post(
                    f"{mock.url}{path}", data=body, headers=headers
                ) as response:
                    error = (await response.json())["error"]
                assert response.status == status, error
                if status == 400:
                    assert f"says, {coding}." in error["details"]["body"][0]
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_a_server_unpacks_what_it_knows_and_refuses_the_rest_by_name() -> None:
    text = b'{"uid": "%s", "name": "x"}'
    packed = gzip.compress(text % b"cut")
    bodies = [
        ("gzip", gzip.compress(text % b"u1"), ""),
        ("x-gzip", gzip.compress(text % b"u2"), ""),
        ("deflate", zlib.compress(text % b"u3"), ""),
        ("deflate", zlib.compress(text % b"u4")[2:-4], ""),
        ("identity", text % b"u5", ""),
        ("gzip", packed[:-4], "is not encoded as its Content-Encoding says, gzip"),
        ("gzip", packed + b"x", "is not encoded as its Content-Encoding says, gzip"),
        ("br", text % b"br", "its Content-Encoding, br, is none of gzip, x-gzip, deflate"),
        ("gzip, gzip", gzip.compress(packed), "its Content-Encoding, gzip, gzip, is none of"),
    ]
    async with MockChat(Config(port=0, https_port=None)) as mock, ClientSession() as session:
        for coding, body, refusal in bodies:
            headers = {**REST_KEY, "Content-Encoding": coding}
            async with session.post(f"{mock.url}/users", data=body, headers=headers) as response:
                answer = await response.text()
            assert (response.status, refusal in answer) == (400 if refusal else 200, True), answer


async def test_every_operation_with_a_body_refuses_a_broken_one(client: Client) -> None:
    for operation in TAKING_BODIES:
        for body in (b"x" * (LIMIT + 1), b"not json", b"[1]", b"5"):
            with telling(operation=operation.id, body=body[:9]):
                details = await details_of(perform(client, operation, data=body))
                assert list(details) == ["body"]

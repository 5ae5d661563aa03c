"""Hostile bodies: whatever they hold, they are taken or refused, and what is stored prints."""

import gzip
import json
import zlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientError
from hypothesis import given
from hypothesis import strategies as st

from mockchat.api import OPERATIONS
from mockchat.api.validation import TEXTS
from tests.answers import body_of, data_of, error_of
from tests.helpers import perform
from tests.raw import assert_alive, raw_request, send_raw
from tests.strategies import bodies_for, hostile
from tests.values import CHUNKED, FORM, REST_KEY, SEED_UIDS, Client

_POST = b"POST /users HTTP/1.1"
_SENTENCES = [text.text.partition("{field}")[2].partition("{")[0] for text in TEXTS.values()]


# --- bodies ---------------------------------------------------------------------------------
def nested(levels: int) -> bytes:
    metadata = b"[" * levels + b"]" * levels
    return b'{"uid": "deep", "name": "x", "metadata": {"a": ' + metadata + b"}}"


_TYPES = (b"application/json", FORM.encode(), b"text/plain; charset=utf-16", b"\xff")
_BODIES: dict[str, bytes] = {
    "half a surrogate pair": b'{"uid": "u\\ud800", "name": "\\udfff"}',
    "bytes that are no UTF-8": b'{"uid": "\xff\xfe", "name": "\xed\xa0\x80"}',
    "a byte order mark": b'\xef\xbb\xbf{"uid": "bom", "name": "x"}',
    "UTF-16": '{"uid": "u16", "name": "x"}'.encode("utf-16"),
    "NUL": b'{"uid": "u\\u0000", "name": "\\u0000"}',
    "a raw NUL": b'{"uid": "u\x00", "name": "x"}',
    "a huge integer": b'{"uid": ' + b"9" * 5000 + b', "name": 1}',
    "a huge integer inside": b'{"uid": "big", "name": "x", "metadata": {"n": ' + b"9" * 999 + b"}}",
    "1e400": b'{"uid": "exp", "name": 1e400, "metadata": {"n": 1e400, "m": -1e400}}',
    "1e400 as uid": b'{"uid": 1e400, "name": "x"}',
    "NaN": b'{"uid": "u", "name": NaN}',
    "Infinity": b'{"uid": "u", "name": "x", "metadata": {"a": Infinity}}',
    "deep lists": nested(4000),
    "two hundred levels": nested(200),
    "deep objects": b'{"a":' * 2000 + b"1" + b"}" * 2000,
    "nothing but brackets": b"[" * 10_000,
    "deep metadata as text": b'{"uid": "dt", "name": "x", "metadata": "' + b"[" * 5000 + b'"}',
    "fifty levels": nested(50),
    "the same key again": b'{"uid": "a", "uid": {"b": 1}, "uid": "c", "name": "x"}',
    "many keys": b"{" + b",".join(b'"k%d":1' % place for place in range(1000)) + b"}",
    "a key without text": b'{"": 1, "uid": "empty", "name": "x"}',
    "a prototype": b'{"__proto__": {"a": 1}, "constructor": 1, "uid": "proto", "name": "x"}',
    "an emoji": '{"uid": "emoji", "name": "👩‍👩‍👧"}'.encode(),
    "markup": b'{"uid": "markup", "name": "</script><b>{0}{uid}%s"}',
    "a template": b'{"uid": "{uid}", "name": "{field}"}',
    "a template in a tag": b'{"uid": "tag", "name": "x", "tags": ["{field}", " "]}',
    "a comment": b'{"uid": "u" /* no */, "name": "x"}',
    "two objects": b'{"uid": "a", "name": "x"}{"uid": "b", "name": "x"}',
}


async def test_odd_bodies_are_refused_or_stored_and_printed(client: Client) -> None:
    for case, content in _BODIES.items():
        for content_type in _TYPES:
            raw = raw_request(_POST, b"Content-Type: " + content_type, body=content)
            status, body = await send_raw(client, raw)
            assert status in (200, 400), (case, body)
            json.loads(body)

    listed = await data_of(client.get("/users", headers=REST_KEY))
    assert len(listed) > len(SEED_UIDS)
    for user in listed:
        shown = await data_of(client.get(f"/users/{user['uid']}", headers=REST_KEY))
        assert shown["uid"] == user["uid"]


_FORMS = [
    b"uid=%",
    b"uid=%FF%FE&name=%00",
    b"uid[]=a&uid[b]=c&name=x",
    b"uid=a&uid[]=b&name=x",
    b"tags[[[[=1&name=x",
    b"tags[" + b"[" * 900,
    b"a" + b"[b]" * 2000 + b"=1",
    b"&".join(b"k%d=1" % place for place in range(1200)),
    b"metadata[a]=1&metadata=2&metadata[b]=3&uid=m&name=x",
    b"tags[999999999999999999]=a&uid=t&name=x",
    b"=&=&=",
    b"\xff=\xff",
]


async def test_odd_forms_are_refused_or_taken(client: Client) -> None:
    for form in _FORMS:
        raw = raw_request(_POST, b"Content-Type: " + FORM.encode(), body=form)
        status, answer = await send_raw(client, raw)
        assert status in (200, 400), (form, answer)
    part = b'--b\r\nContent-Disposition: form-data; name="uid"\r\n\r\nu1\r\n'
    for kind, body in (
        ("multipart/form-data", part + b"--b--"),  # without a boundary
        ("multipart/form-data; boundary=c", part + b"--b--"),
        ("multipart/form-data; boundary=b", part),
        ("multipart/form-data; boundary=b", part * 150 + b"--b--"),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nu1\r\n--b--"),
        ("multipart/form-data; boundary=b", b"--b\r\n" * 1200 + b"--b--"),
        ("multipart/form-data; boundary=b", b"--b--"),
        ("multipart/form-data; boundary=\xff", b"--\xff--"),
    ):
        headers = {**REST_KEY, "Content-Type": kind}
        error = await error_of(client.post("/users", data=body, headers=headers), 400)
        assert list(error["details"]) in (["body"], ["uid", "name"], ["name"]), (kind, body)
    await assert_alive(client)


_GZIP = b"Content-Encoding: gzip"
_BOMB = gzip.compress(b" " * 5_000_000)
_BROKEN: dict[str, tuple[tuple[bytes, ...], bytes]] = {
    "a chunk size that is none": ((CHUNKED,), b"zz\r\n{}\r\n0\r\n\r\n"),
    "a negative chunk size": ((CHUNKED,), b"-1\r\n{}\r\n0\r\n\r\n"),
    "a huge chunk size": ((CHUNKED,), b"FFFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n"),
    "a chunk without an end": ((CHUNKED,), b"2\r\n{}xx\r\n0\r\n\r\n"),
    "trailers": ((CHUNKED,), b"2\r\n{}\r\n0\r\nX: y\r\n\r\n"),
    "gzip that is none": ((_GZIP,), b"this is no gzip"),
    "half a gzip": ((_GZIP,), gzip.compress(b'{"uid": "u1", "name": "x"}')[:20]),
    "a gzip bomb": ((_GZIP,), _BOMB),
    "a deflate bomb": ((b"Content-Encoding: deflate",), zlib.compress(b"[" * 5_000_000)),
    "an unknown coding": ((b"Content-Encoding: secret",), b"{}"),
    "two codings": ((b"Content-Encoding: gzip, gzip",), gzip.compress(gzip.compress(b"{}"))),
    "brotli that is none": ((b"Content-Encoding: br",), b"nope"),
}


async def test_broken_encodings_stop_nothing(client: Client) -> None:
    for case, (lines, body) in _BROKEN.items():
        for head in ("POST /users HTTP/1.1", "GET /users HTTP/1.1"):
            status, answer = await send_raw(client, raw_request(head, *lines, body=body))
            assert status == 0 or 200 <= status < 500, (case, answer)
    await assert_alive(client)


async def test_a_body_that_breaks_off_is_no_crash(client: Client) -> None:
    async def half() -> AsyncIterator[bytes]:
        yield b'{"uid":'
        raise ConnectionResetError

    for path in ("/users", "/login", "/nope"):
        with pytest.raises((ClientError, ConnectionError)):
            await client.post(path, data=half(), headers=REST_KEY)

    await assert_alive(client)


# --- every field, any JSON ------------------------------------------------------------------
@given(data=st.data())
@hostile
async def test_any_json_in_any_field_is_answered(client: Client, data: st.DataObject) -> None:
    for operation in [row for row in OPERATIONS if row.body]:
        assert operation.body
        await body_of(client.post("/_mock/reset"))  # the last one may have deleted the caller
        body = data.draw(bodies_for(operation.body))

        response = await perform(client, operation, json=body)
        answer = await response.json()

        assert response.status < 500, (operation.id, answer)
        details = answer.get("error", {}).get("details", {})
        for sentence in (one for sentences in details.values() for one in sentences):
            assert any(known in sentence for known in _SENTENCES), sentence


async def test_a_refusal_names_so_many_unknown_fields_at_most(client: Client) -> None:
    body = {f"field{number}": number for number in range(5000)}

    details = (await error_of(client.post("/_mock/seed", json=body), 400))["details"]

    assert list(details) == list(body)[:100]

"""Bodies and queries: JSON or forms, as clients send them, read into one plain dict."""

import asyncio
import re
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

from mockchat.api import json_text
from mockchat.api.validation import refuse
from mockchat.core.errors import ApiError
from mockchat.wire.head import Head

_LONG = 2**18  # bytes of a body that is parsed in a thread
_CODINGS = {"gzip": 31, "x-gzip": 31, "deflate": 15}  # with the window bits of zlib
_HEADLESS = -15  # window bits of a deflate without a header, as some clients send it
_MAX_FIELDS = 1000
_MAX_NESTING = 8
_INDEX = re.compile(r"[0-9]{1,18}")
_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_BOUNDARY = re.compile(r"""(?i)boundary="?([^\s",;]+)""")
_PART_NAME = re.compile(r"""(?i)\r\ncontent-disposition:[^\r\n]*;\s*name="?([^";\r\n]*)""")
_FILE = re.compile(rb"""(?i);\s*filename\*?=""")
_NOTHING: Mapping[str, Any] = {}
# Reading a request raises these where the client is to blame.
CLIENT_FAULTS = (web.HTTPException, web.RequestPayloadError, HttpProcessingError, ConnectionError)


class Body:
    """A body as it came, read whole; a long one is not parsed before `load_long`.

    `known` has its fields, or nothing where it has none. `error` says why it has none.
    """

    __slots__ = ("_depth", "error", "is_long", "known", "raw")

    def __init__(
        self, raw: bytes = b"", kind: str = "", depth: int = 0, error: ApiError | None = None
    ) -> None:
        self.raw = raw
        self.error = error
        self.known: Mapping[str, Any] = _NOTHING
        self._depth = depth
        self.is_long = len(raw) > _LONG  # it would keep other requests waiting to parse it
        if raw and not self.is_long:
            try:
                self.known = parse_body(raw, kind, depth)
            except ApiError as refusal:
                self.error = refusal

    def fields(self) -> Mapping[str, Any]:
        """Return the body's fields; raise BAD_REQUEST where it has none."""
        if self.error is not None:
            raise self.error
        return self.known

    async def load_long(
        self, load: Callable[[Mapping[str, Any]], Mapping[str, Any]], given: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return the values that `load` makes, in a thread, of the fields and those `given`.

        Raises BAD_REQUEST.
        """
        try:
            value = await asyncio.to_thread(json_text.parse_long, self.raw, self._depth)
        except ValueError as error:
            raise refuse("body", "json", reason=str(error)) from None
        self.known = _object(value)
        return await asyncio.to_thread(load, {**given, **self.known})


NO_BODY = Body()


async def answer_expectation(request: web.BaseRequest) -> ApiError | None:
    """Send the 100 that a client waits for; return the refusal of any other expectation."""
    if request.headers[hdrs.EXPECT].lower() != "100-continue":
        return refuse("Expect", "in", choices="100-continue")
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0
    return None


async def receive(request: web.BaseRequest, head: Head, patience: float) -> Body:
    """Return the body of a request, which has `patience` seconds to come, or why there is none.

    The live service reads a body before it looks at it, too.
    """
    content, limit = request.content, head.max_body  # aiohttp's own limit is one for all
    try:
        came_with_head = content.is_eof()
        raw = content.read_nowait() if came_with_head else await _read(request, limit, patience)
        if len(raw) > limit:
            raise refuse("body", "size", limit=limit)
        if head.coding and content.total_compressed_bytes is None:
            raw = await asyncio.to_thread(_unpacked, raw, head.coding, limit)
        return Body(raw, head.content_type, head.max_depth)
    except ApiError as error:
        return Body(error=error)
    except TimeoutError:
        reason = f"it did not come within {patience:g} seconds"
    except ConnectionError:  # the answer reaches the journal only
        reason = "the client left"
    except CLIENT_FAULTS as error:
        reason = " ".join(str(error).split())
        if head.coding:  # a server of aiohttp unpacked it
            reason = f"it is not encoded as its Content-Encoding says, {head.coding}"
    return Body(error=refuse("body", "broken", reason=reason))


async def _read(request: web.BaseRequest, limit: int, patience: float) -> bytes:
    """Return the whole body, or as much of it as is longer than `limit` bytes."""
    if (request.content_length or 0) > limit:
        raise refuse("body", "size", limit=limit)
    if request.transport is None:  # aiohttp would raise an error of its caller
        raise ConnectionResetError
    chunks, size, content = [], 0, request.content
    async with asyncio.timeout(patience):
        while size <= limit and not content.at_eof():
            chunk = await content.readany()
            chunks.append(chunk)
            size += len(chunk)
    return b"".join(chunks)


def _unpacked(packed: bytes, coding: str, limit: int) -> bytes:
    """Return a body without its encoding; raise BAD_REQUEST where that fails.

    It unpacks `limit` bytes at most. aiohttp itself would unpack the rest of a refused body, too,
    and keep all other requests waiting meanwhile.
    """
    if coding not in _CODINGS:
        reason = f"its Content-Encoding, {coding}, is none of {', '.join(_CODINGS)}"
        raise refuse("body", "broken", reason=reason)
    is_headless = coding == "deflate" and packed[:1] and packed[0] & 0xF != zlib.DEFLATED
    unpacker = zlib.decompressobj(_HEADLESS if is_headless else _CODINGS[coding])
    wrong = f"it is not encoded as its Content-Encoding says, {coding}"
    try:
        raw = unpacker.decompress(packed, limit + 1)
    except zlib.error:
        raise refuse("body", "broken", reason=wrong) from None
    if len(raw) > limit:
        raise refuse("body", "size", limit=limit)
    if not unpacker.eof or unpacker.unused_data:
        raise refuse("body", "broken", reason=wrong)
    return raw


def parse_body(raw: bytes, content_type: str, depth: int = json_text.MAX_DEPTH) -> dict[str, Any]:
    """Return a body's fields; empty, `""`, `[]` and `null` bodies have none.

    A body that starts like JSON is JSON under every content type: curl sends it as a form.
    Raises BAD_REQUEST for anything else that is no object.
    """
    text = raw.strip()
    if text in (b"", b'""'):  # axios sends the latter for `post(url, "")`
        return {}
    kind = content_type.lower()
    if text[:1] not in (b"{", b"[") and "form-urlencoded" in kind:
        return parse_form(text.decode(errors="replace"), "body")
    if text[:2] == b"--" and "multipart/form-data" in kind:
        return _parse_multipart(raw, content_type)
    try:
        value = json_text.parse(text, depth)
    except ValueError as error:
        raise refuse("body", "json", reason=str(error)) from None
    return _object(value)


def _object(value: Any) -> dict[str, Any]:
    if value is None or value == []:
        return {}
    if not isinstance(value, dict):
        raise refuse("body", "object")
    return value


def parse_form(text: str, source: str) -> dict[str, Any]:
    """Return the fields of a form or query, with PHP's brackets (`tags[]=a`) as containers."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise refuse(source, "items", limit=_MAX_FIELDS) from None
    return _fields_of(pairs)


def _parse_multipart(raw: bytes, content_type: str) -> dict[str, Any]:
    """Return the text fields of a multipart form, as PHP's cURL sends an array.

    Raises BAD_REQUEST, by the name of the field for a file.
    """
    boundary = _BOUNDARY.search(content_type)
    mark = b"\r\n--" + (boundary[1] if boundary else "").encode("latin-1", "replace")
    parts = (b"\r\n" + raw).split(mark, _MAX_FIELDS + 2)[1:]
    if not boundary or not parts or not parts.pop().startswith(b"--") or len(parts) > _MAX_FIELDS:
        raise refuse("body", "broken", reason="it is no multipart form of its boundary")
    pairs = []
    for part in parts:
        head, _, value = part.partition(b"\r\n\r\n")
        named = _PART_NAME.search(head.decode(errors="replace"))
        if named is None:
            raise refuse("body", "broken", reason="a part of the form has no name")
        if _FILE.search(head):
            raise refuse(named[1], "file")
        pairs.append((named[1], value.decode(errors="replace")))
    return _fields_of(pairs)


def _fields_of(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the fields of a form, those with PHP's brackets as containers."""
    fields: dict[str, Any] = {}
    next_of: dict[int, int] = {}
    for key, value in pairs:
        match = _KEY.fullmatch(key)
        path = re.findall(r"\[([^\[\]]*)\]", match[2]) if match else []
        if match is None or len(path) > _MAX_NESTING:
            fields[key] = value
        else:
            _put(fields, [match[1], *path], value, next_of)
    return fields


def _put(fields: dict[str, Any], path: list[str], value: str, next_of: dict[int, int]) -> None:
    container = fields
    for name in path[:-1]:
        key = _key(container, name, next_of)
        inner = container.get(key)
        if not isinstance(inner, dict):
            inner = container[key] = {}
        container = inner
    container[_key(container, path[-1], next_of)] = value


def _key(container: dict[str, Any], name: str, next_of: dict[int, int]) -> str:
    """Return the key that a pair of brackets means; empty ones append, as in PHP.

    `next_of` holds each container's next index by the container's id.
    """
    index = next_of.get(id(container), 0)
    if _INDEX.fullmatch(name):
        next_of[id(container)] = max(index, int(name) + 1)
    if name:
        return name
    next_of[id(container)] = index + 1
    return str(index)

"""Bodies and queries: what clients send, JSON or form-encoded, as one plain dict."""

import re
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from mockchat.api import json_text
from mockchat.api.validation import refuse

MAX_CONTROL_BODY = 16 * 2**20  # bytes: a seed or a snapshot of 100,000 users
MAX_CONTROL_DEPTH = 2 * json_text.MAX_DEPTH  # what clients may send, and a snapshot around it
_MAX_FIELDS = 1000
_MAX_NESTING = 8
_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")


def parse_body(raw: bytes, content_type: str, depth: int = json_text.MAX_DEPTH) -> dict[str, Any]:
    """Return a body's fields; empty, `[]` and `null` bodies have none.

    What starts like JSON is JSON whatever its content type says: that is how curl sends it.
    Raises BAD_REQUEST for anything else that is no object.
    """
    text = raw.strip()
    if not text:
        return {}
    if text[:1] not in (b"{", b"[") and "form-urlencoded" in content_type.lower():
        return parse_form(text.decode(errors="replace"), "body")
    try:
        value = json_text.parse(text, depth)
    except ValueError as error:
        raise refuse("body", "json", reason=str(error)) from None
    if value is None or value == []:
        return {}
    if not isinstance(value, dict):
        raise refuse("body", "object")
    return value


async def read_up_to(request: web.BaseRequest, limit: int) -> bytes:
    """Return the whole body; raise BAD_REQUEST for one of more than `limit` bytes.

    aiohttp's own limit is that of the emulated API.
    """
    chunks, size = [], 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size > limit:
            raise refuse("body", "size", limit=limit)
        chunks.append(chunk)
    return b"".join(chunks)


def parse_form(text: str, source: str) -> dict[str, Any]:
    """Return the fields of a form or query, with PHP's brackets (`tags[]=a`) as containers."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise refuse(source, "items", limit=_MAX_FIELDS) from None
    fields: dict[str, Any] = {}
    for key, value in pairs:
        match = _KEY.fullmatch(key)
        path = re.findall(r"\[([^\[\]]*)\]", match[2]) if match else []
        if match is None or len(path) > _MAX_NESTING:
            fields[key] = value
        else:
            _put(fields, [match[1], *path], value)
    return fields


def _put(fields: dict[str, Any], path: list[str], value: str) -> None:
    container = fields
    for name in path[:-1]:
        inner = container.get(name or str(len(container)))
        if not isinstance(inner, dict):
            inner = container[name or str(len(container))] = {}
        container = inner
    container[path[-1] or str(len(container))] = value

"""What answers must be: successes, refusals and their details."""

from typing import Any

from mockchat.core.errors import ErrorDef, Face
from tests.values import Json, Request


async def data_of(request: Request) -> Json:
    """The `data` of an answer that must be a success: 200, never 201 or 204."""
    return (await body_of(request))["data"]


async def body_of(request: Request) -> Json:
    response = await request
    assert response.status == 200, f"{response.status}: {await response.text()}"
    return await response.json()


async def error_of(request: Request, status: int) -> dict[str, Any]:
    """The envelope of a refusal, whose form is the same for all (sdk-wire 1.4)."""
    response = await request
    assert response.status == status, f"{response.status}: {await response.text()}"
    error: dict[str, Any] = (await response.json())["error"]
    texts = {name: text for name, text in error.items() if name not in ("details", "more")}
    more = error.get("more") or response.headers.get("X-Mock-Docs")
    assert str(more).startswith("docs/"), error
    assert list(texts) == ["message", "devMessage", "source", "code"], error
    assert all(isinstance(text, str) and text for text in texts.values()), error
    assert texts["source"] == "chat-api", error
    return error


async def assert_error(
    request: Request, row: ErrorDef, dialect: str = "documented", **values: object
) -> None:
    """The answer is this row of the catalogue, its message filled with `values`."""
    face = face_of(row, dialect)
    error = await error_of(request, face.status)
    assert error["code"] == face.code, error
    if values or "{" not in face.message:
        assert error["message"] == face.message.format(**values), error


async def details_of(request: Request) -> Json:
    """The `details` of a refused body or query."""
    error = await error_of(request, 400)
    assert error["code"] == "ERR_BAD_REQUEST", error
    return error["details"]


def face_of(row: ErrorDef, dialect: str) -> Face:
    return row.live if dialect == "live" else row.documented

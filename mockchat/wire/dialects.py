"""Dialects: how a catalogue error is printed."""

from collections.abc import Mapping
from typing import Any

from mockchat.core.errors import ApiError, Face

DIALECTS = ("documented", "live")
SOURCE = "chat-api"


def choose(setting: str, headers: Mapping[str, str]) -> str:
    """Return the dialect for a request; `X-Mock-Errors` wins over the setting.

    A chat SDK says who it is in its `sdk` header and was written against the live service.
    """
    wish = headers.get("x-mock-errors", "").strip().lower()
    wanted = wish if wish in ("auto", *DIALECTS) else setting
    if wanted in DIALECTS:
        return wanted
    return "live" if "sdk" in headers else "documented"


def face(error: ApiError, dialect: str) -> Face:
    """Return the error as the dialect shows it, its template still open."""
    row = error.definition
    return row.live if dialect == "live" else row.documented


def body(error: ApiError, dialect: str) -> dict[str, Any]:
    """Return the error's envelope: four texts, on 400 `details` before the code.

    Where the dialects' codes differ and the live text of `devMessage` is not known, it names the
    other one. (Key order and shape: reference section 2.2, sdk-wire 1.4.)
    """
    shown = face(error, dialect)
    row = error.definition
    message = shown.message.format_map(error.values)
    developer = message
    if shown.dev_message is not None:
        developer = shown.dev_message.format_map(error.values)
    elif row.differs:
        other, where = (
            (row.documented, "the SDK pages")
            if dialect == "live"
            else (row.live, "the REST service")
        )
        developer = f"{message} (In the words of {where}: {other.code}.)"
    envelope: dict[str, Any] = {"message": message, "devMessage": developer, "source": SOURCE}
    if error.details and shown.status == 400:  # noqa: PLR2004
        envelope["details"] = error.details
    envelope["code"] = shown.code
    return {"error": envelope}

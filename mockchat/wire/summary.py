"""Summaries: the facts of a request that faults, the journal and hints look at."""

from collections.abc import Mapping
from typing import Any

from mockchat.api.session_jwt import subject_in
from mockchat.core.matching import RequestSummary
from mockchat.core.state import App
from mockchat.wire.head import Head

_CREDENTIAL_IN_BODY = ("login", "logout")
_BY_JWT = "count_online_members"  # the operation that takes the session JWT
_CREDENTIAL_FIELDS = {"authKey": "key", "apiKey": "key", "authToken": "token"}


def summary_of(head: Head, fields: Mapping[str, Any], app: App) -> tuple[RequestSummary, str]:
    """Return the summary of a request whose body has these fields, and its credential."""
    operation, uid = head.operation, head.path.get("uid")
    kind, credential = _credential(operation, head.headers, fields)
    if not uid and (named := fields.get("uid")):
        uid = str(named).lower()
    elif not uid and kind == "token":
        uid = _owner(operation, credential, app)
    may_log_in = head.endpoint and head.endpoint.operation.logs_in
    logs_in = bool(may_log_in and may_log_in(fields))
    return RequestSummary(head.method, head.target.path, operation, uid, kind, logs_in), credential


def _credential(
    operation: str | None, headers: Mapping[str, str], fields: Mapping[str, Any]
) -> tuple[str | None, str]:
    """Return the kind of the credential, `key` or `token`, and the credential itself."""
    if operation in _CREDENTIAL_IN_BODY:
        for field, kind in _CREDENTIAL_FIELDS.items():
            if fields.get(field):
                return kind, str(fields[field])
    elif operation == _BY_JWT and (jwt := headers.get("Authorization", "").strip()):
        return "token", jwt
    if token := headers.get("authToken"):
        return "token", token
    key = headers.get("apiKey")
    return ("key", key) if key else (None, "")


def _owner(operation: str | None, credential: str, app: App) -> str | None:
    """Return the uid of the user to whom an auth token or session JWT belongs."""
    found = app.tokens.get(credential)
    if found is None and operation == _BY_JWT and (subject := subject_in(credential)):
        return subject[1]
    return found.uid if found else None

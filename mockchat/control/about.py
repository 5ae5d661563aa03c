"""Control actions: health, the CA, the error catalogue and the OpenAPI document."""

from pathlib import Path
from typing import Any

from mockchat.api.access import Access
from mockchat.api.operation import CONTROL_PREFIX, Call, File, OperationTable
from mockchat.api.plain import DocumentSchema
from mockchat.control.answers import ErrorRowSchema, HealthSchema, KeySetSchema
from mockchat.control.requests import AppQuery
from mockchat.core import errors
from mockchat.core.errors import CATALOGUE, Evidence, Face
from mockchat.version import __version__

table = OperationTable(access=Access.PUBLIC, evidence=Evidence.ASSUMED)

_PEM = "application/x-pem-file"


@table.get(f"{CONTROL_PREFIX}/health", returns=HealthSchema)
def get_health(call: Call) -> dict[str, Any]:
    """Get the status of the server, and whether its state file has every change."""
    health: dict[str, Any] = {"status": "ok", "version": __version__, "app": call.app.id}
    if file := call.server.state_file:
        health["state"] = {"saved": file.is_saved, "error": file.error or None}
    return health


@table.get(f"{CONTROL_PREFIX}/ca.pem", errors=(errors.NO_CA,), produces=_PEM)
def get_ca(call: Call) -> File:
    """Get the certificate of the CA that clients have to trust."""
    if call.server.ca_path is None:
        raise errors.NO_CA()
    return File(Path(call.server.ca_path).read_bytes(), _PEM, "ca.pem")


@table.get(f"{CONTROL_PREFIX}/jwks.json", returns=KeySetSchema)
def get_public_keys(call: Call) -> dict[str, Any]:
    """Get the public key of the session JWTs, as a JSON Web Key Set."""
    return call.server.jwts.public_keys()


def _shown(face: Face) -> dict[str, Any]:
    return {
        "code": face.code,
        "status": face.status,
        "message": face.message,
        "evidence": face.evidence.value,
    }


@table.get(
    f"{CONTROL_PREFIX}/errors", access=Access.CONTROL, query=AppQuery, returns=ErrorRowSchema
)
def list_errors(_call: Call) -> list[dict[str, Any]]:
    """List the error catalogue in both dialects."""
    return [
        {
            "name": row.name,
            "when": row.when,
            "documented": _shown(row.documented),
            "live": _shown(row.live),
        }
        for row in CATALOGUE.values()
    ]


@table.get(f"{CONTROL_PREFIX}/openapi.json", returns=DocumentSchema)
def get_openapi(call: Call) -> dict[str, Any]:
    """Get the OpenAPI document of all operations, these among them."""
    return call.server.openapi()

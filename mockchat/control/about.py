"""Control actions on the server itself: health, CA, errors, OpenAPI document, dashboard."""

from pathlib import Path
from typing import Any

from mockchat.api.access import Access
from mockchat.api.operation import CONTROL_PREFIX, Call, File, OperationTable
from mockchat.api.plain import DocumentSchema
from mockchat.control import answers, requests
from mockchat.core import errors
from mockchat.core.errors import CATALOGUE, Evidence
from mockchat.version import __version__

table = OperationTable(CONTROL_PREFIX, access=Access.PUBLIC, evidence=Evidence.ASSUMED)

_PEM = "application/x-pem-file"
DASHBOARD = f"{CONTROL_PREFIX}/dashboard"
FOLDER = Path(__file__).parent.parent / "dashboard"
_OF_PAGE: dict[str, Any] = {"errors": (errors.MOCK_NOT_FOUND,), "produces": "text/html"}
_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".html": "text/html",
    ".svg": "image/svg+xml",
}
_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",  # no script can turn a text into HTML
    "trusted-types 'none'",
)
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "; ".join(_POLICY),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@table.get("/health", returns=answers.HealthSchema)
def get_health(call: Call) -> dict[str, Any]:
    """Get the status of the server, and whether its state file has every change."""
    health: dict[str, Any] = {"status": "ok", "version": __version__, "app": call.app.id}
    if file := call.server.state_file:
        health["state"] = {"saved": file.is_saved, "error": file.error or None}
    return health


@table.get("/ca.pem", errors=(errors.NO_CA,), produces=_PEM)
def get_ca(call: Call) -> File:
    """Get the certificate of the CA that clients have to trust."""
    if call.server.ca_path is None:
        raise errors.NO_CA()
    return File(Path(call.server.ca_path).read_bytes(), _PEM, "ca.pem")


@table.get("/jwks.json", returns=answers.KeySetSchema)
def get_public_keys(call: Call) -> dict[str, Any]:
    """Get the public key of the session JWTs, as a JSON Web Key Set."""
    return call.server.jwts.public_keys()


@table.get(
    "/errors", access=Access.CONTROL, query=requests.AppQuery, returns=answers.ErrorRowSchema
)
def list_errors(_call: Call) -> list[dict[str, Any]]:
    """List the error catalogue in both dialects."""
    return [row.plain for row in CATALOGUE.values()]


@table.get("/openapi.json", returns=DocumentSchema)
def get_openapi(call: Call) -> dict[str, Any]:
    """Get the OpenAPI document of all operations, these among them."""
    return call.server.openapi()


# --- the dashboard: a page that is a client of the control API only ---------------------------
@table.get("/dashboard", **_OF_PAGE)
def get_dashboard(call: Call) -> File:
    """Get the dashboard; browsers get it at `/`, too."""
    return _file(call, "index.html")


@table.get("/dashboard/{file}", **_OF_PAGE)
def get_dashboard_file(call: Call) -> File:
    """Get a style sheet, script or picture of the dashboard."""
    return _file(call, call.path["file"])


def _file(call: Call, name: str) -> File:
    """Return a file, read now: a start of the server reads none."""
    there = {path.name: path for path in FOLDER.iterdir()} if call.server.dashboard else {}
    if name not in there:
        raise requests.not_found("page of the dashboard", name, there)
    kind = _TYPES[there[name].suffix]
    return File(there[name].read_bytes(), f"{kind}; charset=utf-8", headers=_HEADERS)

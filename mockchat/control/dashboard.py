"""The dashboard: the files of a page that is a client of the control API only."""

from pathlib import Path

from mockchat.api.access import Access
from mockchat.api.operation import CONTROL_PREFIX, Call, File, OperationTable
from mockchat.core import errors
from mockchat.core.errors import Evidence

table = OperationTable(
    access=Access.PUBLIC,  # the page holds nothing; what it shows, it asks for with the token
    evidence=Evidence.ASSUMED,
    errors=(errors.MOCK_NOT_FOUND,),
    produces="text/html",
)

DASHBOARD = f"{CONTROL_PREFIX}/dashboard"
FOLDER = Path(__file__).parent.parent / "dashboard"
_PAGE = "index.html"
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


@table.get(DASHBOARD)
def get_dashboard(call: Call) -> File:
    """Get the dashboard; browsers get it at `/`, too."""
    return _file(call, _PAGE)


@table.get(f"{DASHBOARD}/{{file}}")
def get_dashboard_file(call: Call) -> File:
    """Get a style sheet, script or picture of the dashboard."""
    return _file(call, call.path["file"])


def _file(call: Call, name: str) -> File:
    """Return a file, read now: a start of the server reads none."""
    there = {path.name: path for path in FOLDER.iterdir()} if call.server.dashboard else {}
    if name not in there:
        raise errors.MOCK_NOT_FOUND(what="page of the dashboard", name=name)
    kind = _TYPES[there[name].suffix]
    return File(there[name].read_bytes(), f"{kind}; charset=utf-8", headers=_HEADERS)

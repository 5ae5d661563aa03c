"""Pictures over HTTP: files beside the API, which no journal records and no fault strikes."""

from mimetypes import guess_type

from aiohttp import hdrs, web

from mockchat.core import pictures
from mockchat.wire.answers import OPEN

_HEADERS = {
    **OPEN,
    "Cache-Control": "public, max-age=3600",
    "Cross-Origin-Resource-Policy": "cross-origin",  # for pages that isolate themselves
}


def find(request: web.BaseRequest) -> web.Response | None:
    """Return the picture that a request asks for by the path of its live URL, if it is one."""
    path = request.rel_url.raw_path
    content = pictures.contents().get(path)
    if content is None or request.method not in (hdrs.METH_GET, hdrs.METH_HEAD):
        return None
    return web.Response(body=content, content_type=guess_type(path)[0], headers=_HEADERS)

"""Pictures over HTTP: files beside the API, which no journal notes and no fault strikes."""

from functools import partial
from mimetypes import guess_type

from aiohttp import web

from mockchat.core import pictures
from mockchat.wire import cors

_HEADERS = {
    **cors.OPEN,
    "Cache-Control": "public, max-age=3600",
    "Cross-Origin-Resource-Policy": "cross-origin",  # for pages that isolate themselves
}


def add_routes(router: web.UrlDispatcher) -> None:
    """Serve the pictures at the paths of their live URLs, whatever the host name."""
    for path, content in pictures.contents().items():
        router.add_get(path, partial(_answer, content, guess_type(path)[0]))


async def _answer(content: bytes, kind: str | None, _request: web.Request) -> web.Response:
    return web.Response(body=content, content_type=kind, headers=_HEADERS)

"""Pages: the one that a browser sees at `/`, and pictures, which no journal records."""

from mimetypes import guess_type

from aiohttp import hdrs, web

from mockchat.core import pictures
from mockchat.version import __version__
from mockchat.wire.answers import OPEN

WELCOME = f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>mockchat</title>
<style>body {{ font: 1rem/1.6 system-ui; max-width: 40rem; margin: 4rem auto }}</style>
<h1>mockchat {__version__}</h1>
<p>A local stand-in for CometChat's user and authentication service. It is up.</p>
<ul>
<li><a href="/_mock/health">health</a></li>
<li><a href="/_mock/errors">the error catalogue</a></li>
<li><a href="/_mock/ca.pem">the CA</a> that clients are to trust for HTTPS</li>
</ul>
<p>CometChat SDKs open their WebSocket at this address.</p>
</html>
"""

_HEADERS = {
    **OPEN,
    "Cache-Control": "public, max-age=3600",
    "Cross-Origin-Resource-Policy": "cross-origin",  # for pages that isolate themselves
}


def picture(request: web.BaseRequest) -> web.Response | None:
    """Return the picture that a request asks for by the path of its live URL, if it is one."""
    path = request.rel_url.raw_path
    content = pictures.contents().get(path)
    if content is None or request.method not in (hdrs.METH_GET, hdrs.METH_HEAD):
        return None
    return web.Response(body=content, content_type=guess_type(path)[0], headers=_HEADERS)

"""The yardstick: a bare aiohttp application that parses JSON and answers a small object.

It has no state, no checks, no errors and no headers of its own.
"""

import sys

from aiohttp import web

_ANSWER = {"uid": "cometchat-uid-1", "authToken": "x" * 56, "createdAt": 1700000000}


async def answer(request: web.Request) -> web.Response:
    """Read the body and answer a small object."""
    if request.can_read_body:
        await request.json()
    return web.json_response({"data": _ANSWER})


def main() -> None:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)


if __name__ == "__main__":
    main()

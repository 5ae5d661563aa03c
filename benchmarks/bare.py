"""The yardstick: the least an aiohttp application can do for the same requests."""

import sys

from aiohttp import web

_ANSWER = {"data": {"uid": "cometchat-uid-1", "authToken": "x" * 56, "createdAt": 1700000000}}


async def answer(request: web.Request) -> web.Response:
    """Read the body, answer an object."""
    await request.read()
    return web.json_response(_ANSWER)


def main() -> None:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)


if __name__ == "__main__":
    main()

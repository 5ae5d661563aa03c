"""The yardstick: a bare aiohttp application that reads the same bodies and answers the same data.

It has no state, no checks, no errors and no headers of its own.
"""

import sys

from aiohttp import web

_TOKEN = {"uid": "cometchat-uid-1", "authToken": "x" * 56, "createdAt": 1700000000}
_ME = {
    **_TOKEN,
    "name": "Andrew Joseph",
    "avatar": "https://assets.cometchat.io/sampleapp/v2/users/cometchat-uid-1.webp",
    "jwt": "x" * 300,
    "wsChannel": {"identity": "[APP_ID]cometchat-uid-1", "secret": "x" * 40},
    "settings": {f"SETTING_{number}": "127.0.0.1:8080" for number in range(38)},
}


async def answer(request: web.Request) -> web.Response:
    """Read the body, answer what the path asks for."""
    if request.can_read_body:
        await request.json()
    return web.json_response({"data": _ME if request.path.endswith("/me") else _TOKEN})


def main() -> None:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)


if __name__ == "__main__":
    main()

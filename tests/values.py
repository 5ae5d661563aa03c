"""What all tests know: the keys and users of the seed, the time, and the types of fixtures."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import ClientResponse, ClientTimeout, web
from aiohttp.test_utils import TestClient

Client = TestClient[web.Request, web.Application]
Serve = Callable[..., Awaitable[Client]]
Request = Awaitable[ClientResponse]
Json = Any
NOW = 1_700_000_000  # when the tests' frozen clock stands
PATIENCE = 15  # seconds until a test that waits for an event gives up, on the busiest machine
LONG = ClientTimeout(total=PATIENCE)  # far less than what the tests ask the server to wait
AUTH_KEY = {"apikey": "AUTH_KEY"}
FORM = "application/x-www-form-urlencoded"
CHUNKED = b"Transfer-Encoding: chunked"
REST_KEY = {"apikey": "REST_API_KEY"}
SEED_UIDS = [
    *(f"cometchat-uid-{number}" for number in range(1, 6)),
    *(f"SUPERHERO{number}" for number in range(1, 6)),
]

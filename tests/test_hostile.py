"""Hostile requests: odd heads, paths and queries never give a 500 or stop the server."""

import json
from itertools import cycle, product

from tests.answers import data_of, error_of
from tests.raw import assert_alive, raw_request, send_raw
from tests.values import REST_KEY, Client

# --- heads ----------------------------------------------------------------------------------
_GET, _POST = b"GET /users HTTP/1.1", b"POST /users HTTP/1.1"
_OTHERS = [b"GET /me HTTP/1.1", b"GET /call_tokens HTTP/1.1", b"OPTIONS / HTTP/1.1"]
_OTHERS += [b"GET /api/v3.0/online-members HTTP/1.1"]
_ODD = [b"\xff\xfe", b"\xed\xa0\x80", "ünï".encode(), b"\xc3(", b"a\tb", b"%00", b"x" * 8000]
_NAMES = ["apikey", "appId", "authToken", "sdk", "resource", "X-Mock-Errors", "Origin", "Host"]
_NAMES += ["onBehalfOf", "callToken", "Content-Type", "Cookie", "Accept", "Authorization"]
_ODD += [b"error=\xff", b"error=a;status=418;message=\xe9"]
_NAMES += ["X-Mock-Fault", "Access-Control-Request-Headers", "X-Forwarded-Host", "If-None-Match"]


async def test_odd_bytes_in_a_header_are_answered_in_valid_json(client: Client) -> None:
    heads = cycle((_GET, *_OTHERS))  # so that each name and each value meets each of them
    for name, value in product(_NAMES, _ODD):
        line = name.encode() + b": " + value
        for head in (_POST, next(heads)):
            status, _ = await send_raw(client, raw_request(head, line))
            assert 200 <= status < 500, (head, line)
    lines = (b"authToken: \xff\xfe\xed\xa0\x80", b"appId: APP_ID")

    status, body = await send_raw(client, raw_request(b"GET /me HTTP/1.1", *lines))

    assert status == 401
    assert json.loads(body)["error"]["code"] == "AUTH_ERR_AUTH_TOKEN_NOT_FOUND"


_PATHS = [
    *("/users/%", "/users/%zz", "/users/%00", "/users/%FF%FE", "/users/%ED%A0%80", "/%"),
    *("/users/%2e%2e/%2e%2e", "/../../etc/passwd", "/users/..", "/users/%252e", "/users?%"),
    *("/users?page=%FF", "/users?%00=%00", "/users?=", "/users?&&&", "/users?a=b=c", "/users#x"),
    *("/apps/%FF/users", "/apps/%00/users", "/apps//users", "/apps/%20/users", "/apps", "/apps/"),
    *("/users/" + "a" * 7000, "/users" * 1000, "/" * 7000, "/_mock/%00", "/%5f%6d%6f%63%6b/x"),
    *("/users/a;b=c", "/users/a,b", "/users/|", "/users/a\\b", '/users/"', "/users/<script>"),
    *("/users/superhero1/auth_tokens/%00", "/users/superhero1/auth_tokens/%FF", "*", "http://a/b"),
    *("http://[::1/users", "//[::1/users", "/users?per_page[]=1", "/users?createdAt[from]=%FF"),
    *("/users?" + "a[" * 500, "/users?" + "[]=1&" * 900, "users", "?", "/users:80", "@/users"),
]


_HEADS = [
    *("TRACE /users HTTP/1.1", "CONNECT a.example:443 HTTP/1.1", "FOO /users HTTP/1.1"),
    *("PATCH /users HTTP/1.1", "QUERY /users HTTP/1.1", "get /users HTTP/1.1"),
    *("GET /users HTTP/1.0", "GET /users HTTP/2.0", "GET /users HTTP/9.9", "GET /users"),
    *("", "GET", "\x16\x03\x01\x02", "OPTIONS * HTTP/1.1", "GET  /users  HTTP/1.1"),
    *("PRI * HTTP/2.0", "GET http://evil.example/users HTTP/1.1", "{}", "\x00" * 20),
]


async def test_odd_paths_and_request_lines_are_refused_or_answered(client: Client) -> None:
    methods = ("GET", "POST", "OPTIONS", "HEAD", "DELETE")
    for head in (*_HEADS, *(f"{method} {path} HTTP/1.1" for path in _PATHS for method in methods)):
        status, _ = await send_raw(client, raw_request(head))
        assert status == 0 or 200 <= status < 500, head
    await assert_alive(client)


_LINES: list[tuple[bytes, ...]] = [
    (b"Expect: 100-continue",),
    (b"Expect: the-impossible",),
    (b"Expect: \xff",),
    (b"Upgrade: websocket",),
    (b"Upgrade: websocket", b"Connection: Upgrade"),
    (b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Key: short"),
    (b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Version: 99"),
    (b"Upgrade: \xff", b"Connection: Upgrade"),
    (b"Upgrade: h2c", b"Connection: Upgrade, HTTP2-Settings", b"HTTP2-Settings: AAMAAABk"),
    (b"Host: a", b"Host: b"),
    (b"apikey: wrong", b"apikey: REST_API_KEY"),
    (b"no colon at all",),
    (b": no name",),
    (b"X: " + b"x" * 100_000,),
    tuple(b"X-%d: y" % number for number in range(500)),
    (b"Range: bytes=0-1",),
    (b"If-Modified-Since: yesterday",),
    (b"Connection: \xff",),
    (b"Transfer-Encoding: gzip",),
    (b"Transfer-Encoding: chunked", b"Content-Length: 5"),
    (b"Content-Length: -1",),
    (b"Content-Length: 1e3",),
    (b"Content-Length: 99999999999999999999",),
    (b"Content-Length: 5", b"Content-Length: 6"),
    (b"Content-Encoding: gzip",),
]


async def test_odd_headers_stop_nothing(client: Client) -> None:
    for lines in _LINES:
        for path in ("/", "/users", "/_mock/health"):
            status, body = await send_raw(client, raw_request(f"GET {path} HTTP/1.1", *lines))
            assert status == 0 or 100 <= status < 500, (lines, body)
    await assert_alive(client)


async def test_a_client_may_expect_to_go_on_and_nothing_else(client: Client) -> None:
    body = {"uid": "u1", "name": "x"}

    user = await data_of(client.post("/users", json=body, headers=REST_KEY, expect100=True))
    error = await error_of(client.get("/users", headers={**REST_KEY, "Expect": "miracles"}), 400)

    assert user["uid"] == "u1"
    assert list(error["details"]) == ["Expect"]


# --- queries --------------------------------------------------------------------------------
async def test_thousands_of_query_parameters_stop_nothing(client: Client) -> None:
    for count in (999, 5000):
        query = "&".join(["a"] * count)
        status, _ = await send_raw(client, raw_request(f"GET /users?{query} HTTP/1.1"))
        assert status in (200, 400), count
    await assert_alive(client)

"""Rough input by a fixed seed: raw requests and WebSocket frames, and the laws that they keep.

`python -m tests.fuzz --requests 50000 --frames 20000` is `make fuzz`; the suite runs fewer.
"""

import argparse
import asyncio
import json
import logging
import random
import struct
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from mockchat import Config, MockChat
from mockchat.api import OPERATIONS
from mockchat.control import CONTROL_OPERATIONS
from tests.tunnels import port_of

_SLOW = 1.0  # seconds of work, which a busy machine does not stretch
_PATIENCE = 15.0  # seconds until an answer is late, whatever the machine does
_END = b"\r\n\r\n"
_PER_SOCKET = 20  # frames
_OUTWARD = "webhooks"  # mockchat would call the addresses that a webhook names
_ROWS = [row for row in (*OPERATIONS, *CONTROL_OPERATIONS) if _OUTWARD not in row.path]
_LINES = """Host: evil.example|Host: a b|Transfer-Encoding: chunked|Expect: x|Content-Length: 5|
Content-Encoding: gzip|Content-Encoding: br|Connection: close|Upgrade: websocket|Origin: null|
Connection: Upgrade|appId: another|appId: ü|sdk: javascript@4|X-Mock-Fault: error=500|
X-Mock-Fault: ?|Content-Type: multipart/form-data; boundary=b"""
_PIECES = rb"""%00 % %zz ../ // ? # & = [] [a][b] {} null true -1 1e400 " ' <script> {0} %s
\u0000 \ud800 HTTP/2.0 /_mock/ /apps/x/ ?wait=1s"""
_NASTY = [line.strip().encode() + b"\r\n" for line in _LINES.split("|")] + _PIECES.split()
_NASTY += [b"\x00", b"\xff\xfe", b"\r\n", b"\n", b"\r", b" ", b"[" * 300, b"a" * 9000, b"9" * 400]
_WORDS: list[Any] = ["superhero1", "SUPERHERO2", "new", "ünï", "APP_ID", "AUTH_KEY", "2020-01-01"]
_WORDS += ["", " ", "a b", "\x00", "x" * 300, 0, -1, 1.5, 10**30, True, None, [], {}, ["a"]]
_FIELDS = [
    "uid",
    "name",
    "authKey",
    "authToken",
    "metadata",
    "tags",
    "role",
    "force",
    "users",
    "at",
]
_FIELDS += ["fixture", "apps", "advance", "kind", "code", "times", "avatar", "link", "unset"]


class Findings:
    """What broke a law, and how often each status was answered."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        self.statuses: Counter[int] = Counter()
        self.records = _Errors(self.broken)

    def note(self, law: str, given: bytes, answer: object = b"") -> None:
        """Add a broken law."""
        self.broken.append(f"{law}: {given[:600]!r} -> {answer!r:.300}")


class _Errors(logging.Handler):
    """Takes down what is logged as an error."""

    def __init__(self, broken: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._broken = broken

    def emit(self, record: logging.LogRecord) -> None:
        self._broken.append(f"logged: {self.format(record)}")


# --- requests -------------------------------------------------------------------------------
def request(chance: random.Random) -> bytes:
    """Return the bytes of a request: a right one, or one with some damage."""
    row = chance.choice(_ROWS)
    path = row.path
    while "{" in path:
        before, _, rest = path.partition("{")
        path = before + chance.choice(("superhero1", "superhero2", "none", "1"))
        path += rest.partition("}")[2]
    if chance.random() < 0.2:
        path += "?" + "&".join(
            f"{chance.choice(_FIELDS)}={chance.choice(_WORDS)}" for _ in range(3)
        )
    lines = [
        f"{row.method} {path} HTTP/1.1",
        f"Host: {chance.choice(('localhost', '127.0.0.1:80'))}",
    ]
    lines.append(
        chance.choice(("apikey: REST_API_KEY", "apikey: AUTH_KEY", "apikey: wrong", "authToken: x"))
    )
    body = _body(chance) if row.method != "GET" or chance.random() < 0.1 else b""
    if body:
        kinds = ("application/json", "application/x-www-form-urlencoded", "text/plain")
        lines += [f"Content-Type: {chance.choice(kinds)}", f"Content-Length: {len(body)}"]
    made = "\r\n".join((*lines, "", "")).encode(errors="replace") + body
    for _ in range(chance.choice((0, 0, 1, 1, 2, 4))):
        made = _damaged(made, chance)
    return made


def _body(chance: random.Random) -> bytes:
    fields = {chance.choice(_FIELDS): chance.choice(_WORDS) for _ in range(chance.randrange(5))}
    return json.dumps(fields).encode()


def _damaged(given: bytes, chance: random.Random) -> bytes:
    at, kind = chance.randrange(len(given) + 1), chance.randrange(6)
    to = min(len(given), at + chance.randrange(1, 40))
    if kind == 0:
        return given[:at] + bytes([chance.randrange(256)]) + given[at + 1 :]
    if kind == 1:
        return given[:at] + given[to:]
    if kind == 2:
        return given[:to] + given[at:]
    if kind == 3:
        return given[:at]
    if kind == 4:
        line_end = given.find(b"\r\n", at)  # most of the nasty ones are whole lines
        at = at if chance.random() < 0.5 or line_end < 0 else line_end + 2
    return given[:at] + chance.choice(_NASTY) + given[at:]


async def _answer(port: int, sent: bytes, *, half_closes: bool = True) -> bytes:
    """Return all that a server says to a client that says no more than this."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        if half_closes:
            writer.write_eof()
        async with asyncio.timeout(_PATIENCE):
            return await reader.read()
    except (ConnectionError, TimeoutError) as error:
        return repr(error).encode() if isinstance(error, TimeoutError) else b""
    finally:
        writer.transport.abort()


def _answers(text: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield the status, head and body of each answer."""
    while text.startswith(b"HTTP/1."):
        head, _, text = text.partition(_END)
        status = int(head.split()[1])
        length = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
        size = int(length) if length and not text.startswith(b"HTTP/1.") else 0
        yield status, head, text[:size]
        text = text[size:]


async def fuzz_requests(count: int, seed: int, findings: Findings) -> None:
    """Send so many requests to a server of their own."""
    chance = random.Random(seed)
    async with MockChat(Config(port=0, https_port=None, login_latency=0, client_timeout=5)) as mock:
        before = _held_by(mock)
        for number in range(count):
            sent = request(chance)
            started = time.process_time()
            answered = await _answer(port_of(mock.url), sent)
            seconds = time.process_time() - started
            found = list(_answers(answered))
            _hold_to_laws(sent, answered, found, findings)
            if seconds > _SLOW:
                findings.note(f"{seconds:.1f} seconds of work", sent, answered)
            after = _held_by(mock)
            if before != after and all(status >= 400 for status, *_ in found):
                findings.note("a refused request changed the state", sent, answered)
            steered = b"/_mock" in sent and any(one[0] == 200 for one in found)
            if number % 300 == 0 or (steered and before == after):
                mock.reset()  # faults, holds and clocks are no state
                after = _held_by(mock)
            before = after
        mock.check()


def _held_by(mock: MockChat) -> tuple[int, str]:
    return len(list(mock.store.apps())), json.dumps(mock.app("APP_ID").state())


def _hold_to_laws(
    sent: bytes, answered: bytes, found: list[tuple[int, bytes, bytes]], findings: Findings
) -> None:
    if answered and not found:
        findings.note("no HTTP was answered", sent, answered)
    for status, head, body in found:
        findings.statuses[status] += 1
        if b"X-Mock-Fault: " in head:
            continue
        if status >= 500 and status != 501:
            findings.note(f"status {status}", sent, body)
        if status >= 400 and body:
            try:
                error = json.loads(body)["error"]
                assert {"message", "devMessage", "source", "code"} <= error.keys()
            except (ValueError, KeyError, TypeError, AssertionError):
                findings.note("a refusal outside of the envelope", sent, body)


# --- frames ---------------------------------------------------------------------------------
def frame(chance: random.Random, jwt: str) -> bytes:
    """Return the bytes of a WebSocket frame of a client: a right one, or a damaged one."""
    auth = {"appId": "APP_ID", "type": "auth", "deviceId": "d", "body": {"auth": jwt}}
    texts: list[Any] = [auth, {"action": "ping"}, {**auth, "body": chance.choice(_WORDS)}]
    texts += [{"type": chance.choice(_WORDS), "body": chance.choice(_WORDS)}, chance.choice(_WORDS)]
    payload = json.dumps(chance.choice(texts)).encode()
    if chance.random() < 0.2:
        payload = chance.randbytes(chance.randrange(200))
    if chance.random() < 0.3:
        payload = _damaged(payload, chance)
    opcode = chance.choice((1, 1, 1, 1, 2, 8, 9, 10, 0, 3, 15))
    first = opcode | chance.choice((0x80, 0x80, 0x80, 0, 0xC0))
    mask, length = chance.randbytes(4), len(payload)
    if chance.random() < 0.05:
        length = chance.choice((0, 2**16, 2**63 - 1, 2**64 - 1))
    masked = 0x80 if chance.random() < 0.95 else 0
    if length < 126:
        head = bytes([first, masked | length])
    elif length < 2**16:
        head = bytes([first, masked | 126]) + struct.pack("!H", length)
    else:
        head = bytes([first, masked | 127]) + struct.pack("!Q", length)
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


_HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


_GOODBYE = b"\x88\x82\0\0\0\0\x03\xe8"


async def fuzz_frames(count: int, seed: int, findings: Findings) -> None:
    """Send so many frames to a server of their own."""
    chance = random.Random(seed)
    async with MockChat(Config(port=0, https_port=None, login_latency=0)) as mock:
        jwt = mock.log_in("superhero1")["jwt"]
        for _ in range(0, count, _PER_SOCKET):
            frames = b"".join(frame(chance, jwt) for _ in range(_PER_SOCKET))
            started = time.process_time()
            sent = _HANDSHAKE + frames + _GOODBYE
            answered = await _answer(port_of(mock.url), sent, half_closes=False)
            if not answered.startswith(b"HTTP/1.1 101 "):
                findings.note("no handshake", frames, answered)
            if time.process_time() - started > _SLOW:
                findings.note("a second of work", frames, answered)
            findings.statuses[101] += 1
        mock.check()


async def fuzz(requests: int, frames: int, seed: int) -> Findings:
    """Return the findings of so many requests and frames."""
    findings = Findings()
    logging.root.addHandler(findings.records)
    try:
        await fuzz_requests(requests, seed, findings)
        await fuzz_frames(frames, seed, findings)
    finally:
        logging.root.removeHandler(findings.records)
    return findings


def main() -> int:
    """Fuzz as the command line says; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=50_000)
    parser.add_argument("--frames", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    findings = asyncio.run(fuzz(given.requests, given.frames, given.seed))
    told = ", ".join(f"{status}: {count}" for status, count in sorted(findings.statuses.items()))
    lines = findings.broken[:50]
    lines.append(f"{given.requests} requests, {given.frames} frames, seed {given.seed}: {told}")
    lines.append(f"{len(findings.broken)} broken laws")
    sys.stdout.write("\n".join((*lines, "")))
    return 1 if findings.broken else 0


if __name__ == "__main__":
    sys.exit(main())

"""A real nginx in front of two mockchat processes, as `examples/scale/run.sh` starts them."""

import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from tests.answers import data_of
from tests.sessions import auth_frame, by_token
from tests.values import AUTH_KEY, PATIENCE, Json, Request

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "scale"
CONF = (EXAMPLE / "nginx.conf").read_text(encoding="utf-8")
PORTS = ("8080", "8443", "8451", "8452", "9001", "9002")
START_LIMIT, END_LIMIT = 60, 20  # seconds; both come long before
_LOG_END = 4000


@dataclass
class Scale:
    """The running servers; a port is named by the number that the example gives it."""

    ports: dict[str, int]
    ca_path: Path
    pids: dict[str, int] = field(default_factory=dict)  # by a process's number

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['8080']}"

    @property
    def https_url(self) -> str:
        return f"https://localhost:{self.ports['8443']}"

    def of_process(self, process: str) -> str:
        """nginx's address that leads to one process, whatever the app."""
        return f"https://localhost:{self.ports[f'845{process}']}"

    def behind_nginx(self, process: str) -> str:
        """A process's own address."""
        return f"http://127.0.0.1:{self.ports[f'900{process}']}"


@contextmanager
def scaled(folder: Path) -> Iterator[Scale]:
    """Runs the example on free ports for as long as the block does."""
    if shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        pytest.skip("nginx is not installed (Debian: apt-get install nginx)")
    scale = Scale(dict(zip(PORTS, free_ports(), strict=False)), folder / "ca" / "ca.pem")
    conf = folder / "nginx.conf"
    conf.write_text(with_ports(CONF, scale.ports), encoding="utf-8")
    environment = {
        **os.environ,
        "MOCKCHAT": f"{sys.executable} -m mockchat",
        "MOCKCHAT_CA_DIR": str(scale.ca_path.parent),
    }
    with (
        (folder / "log").open("w+") as log,
        subprocess.Popen(
            [EXAMPLE / "run.sh", conf],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as script,
    ):
        alarm = Timer(START_LIMIT, script.terminate)
        alarm.start()
        try:
            scale.pids |= pids_told_by(script)
            alarm.cancel()
            if not scale.pids:
                raise RuntimeError((folder / "log").read_text()[-_LOG_END:])
            yield scale
        finally:
            alarm.cancel()
            script.terminate()
            script.wait(END_LIMIT)


def pids_told_by(script: subprocess.Popen[str]) -> dict[str, int]:
    """The processes, once everything is up; none where the script ended before."""
    pids = {}
    for line in script.stdout or ():
        if told := re.search(r"process (\d+), .*pid (\d+)$", line):
            pids[told[1]] = int(told[2])
        if line.startswith("nginx is up"):
            return pids
    return {}


def with_ports(conf: str, ports: dict[str, int]) -> str:
    """The example on other ports, all of which it has to name."""
    missing = [port for port in ports if not re.search(rf"\b{port}\b", conf)]
    assert not missing, f"nginx.conf has no ports {missing}"
    return re.sub(rf"\b({'|'.join(ports)})\b", lambda match: str(ports[match[0]]), conf)


def free_ports() -> Iterator[int]:
    """Ports below those that the system hands out, so that no other test is given one of them."""
    start = 20_000 + os.getpid() * 17 % 10_000
    for port in range(start, start + 1000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        yield port


# --- its clients ----------------------------------------------------------------------------
class ThisMachine(AbstractResolver):
    """Leads every host name here."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        del family
        return [
            ResolveResult(
                hostname=host,
                host="127.0.0.1",
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        pass


def session_for(scale: Scale) -> ClientSession:
    """A client that trusts the CA and finds every host name on this machine."""
    trust = ssl.create_default_context(cafile=scale.ca_path)
    return ClientSession(connector=TCPConnector(ssl=trust, resolver=ThisMachine()))


async def process_of(web: ClientSession, url: str, **headers: str) -> str:
    """The number of the process that answers, as nginx tells it."""
    async with web.get(URL(url, encoded=True), headers=headers) as response:
        return response.headers["X-Mock-Process"]


async def status_of(request: Request) -> int:
    """The status of an answer that is read to its end."""
    response = await request
    await response.read()
    return response.status


async def apps_of_both(web: ClientSession, scale: Scale, name: str) -> dict[str, str]:
    """An app on each process."""
    apps: dict[str, str] = {}
    for number in range(50):
        app = f"{name}-{number}"
        apps.setdefault(await process_of(web, f"{scale.url}/apps/{app}/"), app)
    assert set(apps) == {"1", "2"}
    return apps


async def log_in(web: ClientSession, api: str, **headers: str) -> Json:
    """Log in as SDKs do, at the base URL that they would."""
    url = f"{api}/v3.0/users/superhero1/auth_tokens"
    token = (await data_of(web.post(url, headers={**AUTH_KEY, **headers})))["authToken"]
    return await data_of(web.put(f"{api}/v3.0/me", headers={**by_token(token), **headers}))


async def connect(web: ClientSession, url: str, me: Json, app: str) -> ClientWebSocketResponse:
    socket = await web.ws_connect(url)
    await socket.send_json(auth_frame(me["jwt"], app))
    assert (await socket.receive_json(timeout=PATIENCE))["body"]["code"] == "200"
    return socket


def socket_url(me: Json) -> str:
    return f"wss://{me['settings']['CHAT_HOST']}:{me['settings']['CHAT_WSS_PORT']}/"

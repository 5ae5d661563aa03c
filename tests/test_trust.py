"""`examples/ci/trust-ca`: what each client trusts then, against a real server by TLS."""

import http.client
import json
import os
import re
import runpy
import shutil
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mockchat import Config, MockChat
from tests.processes import run

EXAMPLES = Path(__file__).parent.parent / "examples"
CLIENTS = EXAMPLES / "clients"
TRUST_CA = EXAMPLES / "ci" / "trust-ca"
COMMANDS: dict[str, list[str | Path]] = {
    "requests": [sys.executable, CLIENTS / "with_requests.py"],
    "httpx": [sys.executable, CLIENTS / "with_httpx.py"],
    "aiohttp": [sys.executable, CLIENTS / "with_aiohttp.py"],
    "Node": ["node", CLIENTS / "with_node.mjs"],
    "curl": ["sh", CLIENTS / "with-curl.sh"],
    "Java": ["java", CLIENTS / "WithJava.java"],
}
NEEDED = {"Node": ["node"], "curl": ["curl"], "Java": ["java", "keytool"]}


class Trusting(NamedTuple):
    """A running server and the environment of whoever trusts it."""

    mock: MockChat
    folder: Path
    environment: dict[str, str]


def plain_environment(home: Path) -> dict[str, str]:
    """The environment of somebody who trusts whom the system trusts."""
    own = {"HOME": str(home), "LANG": "C.UTF-8", "no_proxy": "*", "NO_PROXY": "*"}
    quick = {"JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}  # Java's start is slow
    return {"PATH": os.environ["PATH"], **own, **quick}


@pytest.fixture(scope="module")
def trusting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trusting]:
    folder = tmp_path_factory.mktemp("trust")
    environment = plain_environment(folder)
    with MockChat(Config(port=0, https_port=0, ca_dir=str(folder / "ca"))).in_thread() as mock:
        command = ["sh", str(TRUST_CA), str(mock.url), str(folder / "made")]
        # What it prints is for a shell, so a shell reads it.
        script = f'eval "$({" ".join(command)})" && env -0'
        done = run("sh", "-c", script, env=environment)
        assert done.returncode == 0, done.stderr
        told = dict(line.split("=", 1) for line in done.stdout.split("\0") if line)
        yield Trusting(mock, folder / "made", told)


def need(*tools: str) -> None:
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"not here: {', '.join(missing)}")


# --- clients --------------------------------------------------------------------------------
@pytest.mark.parametrize("client", COMMANDS)
def test_a_client_trusts_the_server_by_it(trusting: Trusting, client: str, tmp_path: Path) -> None:
    need(*NEEDED.get(client, []))
    address = {"CHAT_URL": f"{trusting.mock.https_url}/v3"}

    done = run(*COMMANDS[client], env=trusting.environment | address)
    refused = run(*COMMANDS[client], env=plain_environment(tmp_path) | address)

    assert done.stdout.strip() == "cometchat-uid-1", done.stderr
    assert refused.returncode != 0
    assert re.search(r"certificat|CERT", refused.stderr)


def test_chromium_trusts_the_server_by_a_live_name(trusting: Trusting) -> None:
    need("chromium", "certutil", "node")
    port = str(trusting.mock.https_url).rpartition(":")[2]
    quiet = ("--disable-background-networking", "--disable-component-update", "--disable-sync")
    own = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run")

    done = run(
        *("chromium", *own, *quiet, *playwright_arguments(port)),
        *(f"--user-data-dir={trusting.folder / 'profile'}", "--dump-dom"),
        "https://testapp.api-us.cometchat.io/v3/me",
        env=trusting.environment,
    )

    assert "ERROR_BLANK_AUTHTOKEN" in done.stdout, done.stderr


def playwright_arguments(port: str) -> list[str]:
    """What Playwright's example starts Chromium with."""
    scripts = Path(sys.executable).parent  # where `mockchat` is
    code = "console.log(JSON.stringify((await import(process.argv[1])).default))"
    config = EXAMPLES / "browsers" / "playwright.config.mjs"
    done = run(
        *("node", "--input-type=module", "--eval", code, config),
        env={
            **os.environ,
            "MOCKCHAT_HTTPS_PORT": port,
            "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        },
    )
    found: list[str] = json.loads(done.stdout)["use"]["launchOptions"]["args"]
    return found


# --- what it makes --------------------------------------------------------------------------
def test_whom_the_system_trusts_stays_trusted(trusting: Trusting, tmp_path: Path) -> None:
    again = run(
        *("sh", TRUST_CA, str(trusting.mock.url), trusting.folder), env=trusting.environment
    )
    without_address = run("sh", TRUST_CA, env=plain_environment(tmp_path))

    assert again.returncode == 0, again.stderr
    bundle, ca = [(trusting.folder / name).read_text() for name in ("bundle.pem", "ca.pem")]
    assert bundle.count(ca) == 1
    assert bundle.endswith(ca)
    assert trusting.environment["SSL_CERT_FILE"] == str(trusting.folder / "bundle.pem")
    system = Path("/etc/ssl/certs/ca-certificates.crt")  # other systems keep them elsewhere
    assert not system.exists() or bundle.startswith(system.read_text())
    assert without_address.returncode != 0
    assert "usage: trust-ca URL [FOLDER]" in without_address.stderr


def test_the_action_starts_a_server_that_later_steps_know_and_trust(tmp_path: Path) -> None:
    facts = {name: tmp_path / name for name in ("GITHUB_ENV", "GITHUB_OUTPUT")}
    own = {"SETTINGS": 'port = 0\nhttps-port = 0\napp-id = "action"'}
    own |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    environment = plain_environment(tmp_path) | {name: str(it) for name, it in facts.items()} | own
    start = EXAMPLES.parent / ".ci" / "start"

    done = run("bash", start, tmp_path / "made", env=environment)
    try:
        assert done.returncode == 0, done.stderr
        later, outputs = [dict(re.findall("(.*?)=(.*)", it.read_text())) for it in facts.values()]
        url = f"{outputs['https-url']}/_mock/health"
        health = run("curl", "--silent", "--noproxy", "*", url, env=later)
        assert json.loads(health.stdout)["app"] == "action", health.stderr
    finally:
        os.kill(int((tmp_path / "made" / "pid").read_text()), signal.SIGTERM)
    assert outputs["ws-url"] == outputs["https-url"].replace("https", "wss")
    told = [later[name] for name in ("MOCKCHAT_URL", "MOCKCHAT_HTTPS_URL", "MOCKCHAT_CA")]
    assert told == [outputs[name] for name in ("url", "https-url", "ca")]
    assert later["NODE_EXTRA_CA_CERTS"] == str(tmp_path / "made" / "trust" / "ca.pem")

    environment["SETTINGS"] = "prot = 1"
    refused = run("bash", start, tmp_path / "made", env=environment)
    assert refused.returncode == 1
    assert "prot" in refused.stderr


# --- the app of the compose file ------------------------------------------------------------
def test_the_compose_app_logs_in_by_the_live_names(
    trusting: Trusting, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    port = int(str(trusting.mock.https_url).rpartition(":")[2])
    connect = socket.create_connection

    def lead_home(address: tuple[str, int], *arguments: Any) -> socket.socket:
        assert address[1] == http.client.HTTPS_PORT
        return connect(("127.0.0.1", port), *arguments)

    monkeypatch.setattr(socket, "create_connection", lead_home)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusting.folder / "ca.pem"))

    runpy.run_path(str(EXAMPLES / "compose" / "app" / "login.py"), run_name="__main__")

    assert capsys.readouterr().out.splitlines() == [
        "Andrew Joseph is logged in to testapp",
        "It goes on with testapp.websocket-us.cometchat.io",
        "The WebSocket's handshake is answered by 101",
        "The calls' host gave token",
    ]

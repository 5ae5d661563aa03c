"""`hosts` and `ca`: how clients reach mockchat by the live host names, and trust it."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from mockchat import Config, MockChat
from mockchat.core import pictures
from mockchat.wire.hosts import DOMAINS, SERVICES, UNBUILT_SERVICES, Address, is_live
from tests.command_line import Command, check_refusals
from tests.processes import run

COMMON_HOSTS = [
    f"{service}.{domain}"
    for domain in DOMAINS
    for service in (*(f"{one}-us" for one in (*SERVICES, *UNBUILT_SERVICES)), "apimgmt")
]
APP_HOSTS = [f"app_id.{service}-us.cometchat.io" for service in SERVICES]
HOSTS = [*(f"app_id.{name}" for name in COMMON_HOSTS), *COMMON_HOSTS, "assets.cometchat.io"]
NOTE = "# clients use HTTPS port 443: serve it there (--https-port 443)"


# --- hosts ----------------------------------------------------------------------------------
def test_the_hosts_file_sends_every_live_name_here(command: Command) -> None:
    lines = [f"127.0.0.1 {name}" for name in HOSTS]

    assert command("hosts").lines == [NOTE, *lines]
    assert command("hosts", "--https-port", "443").lines == lines


def test_app_region_and_port_come_from_flags_and_the_server_s_variables(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = command("hosts", "--app-id", "MyApp", "--region", "eu", "--json").json["names"]
    assert set(pictures.HOSTS) < set(names)
    assert {Address(name, 443, secure=True).app_id for name in names} == {"myapp", None}
    assert [name for name in names if "-eu." not in name and "apimgmt." not in name] == [
        *pictures.HOSTS
    ]
    assert all(map(is_live, names))

    for name, value in (("APP_ID", "abc"), ("REGION", "in"), ("HTTPS_PORT", "9443")):
        monkeypatch.setenv(f"MOCKCHAT_{name}", value)
    plan = command("hosts", "--json").json
    assert plan["names"][0] == "abc.api-in.cometchat.io"
    assert (plan["address"], plan["port"]) == ("127.0.0.1", 9443)


def test_every_other_format_has_all_names(command: Command) -> None:
    def printed(name: str, *words: str) -> str:
        return command("hosts", "--format", name, *words).out

    assert yaml.safe_load(printed("compose")) == {
        "services": {"mockchat": {"networks": {"default": {"aliases": HOSTS}}}}
    }
    assert yaml.safe_load(printed("kubernetes", "--address", "10.1.2.3")) == {
        "hostAliases": [{"ip": "10.1.2.3", "hostnames": HOSTS}]
    }
    docker = printed("docker", "--address", "172.17.0.1").splitlines()
    assert docker == [f"--add-host={name}:172.17.0.1" for name in HOSTS]
    flag, rules = printed("chromium", "--https-port", "9443").rstrip("\n").split("=")
    assert flag == "--host-resolver-rules"
    assert rules.split(",") == [f"MAP {name}:443 127.0.0.1:9443" for name in HOSTS]
    for name in ("chromium", "curl"):
        assert "[::1]:8443" in printed(name, "--address", "::1")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockChat]:
    config = Config(port=0, https_port=0, ca_dir=str(tmp_path_factory.mktemp("ca")))
    with MockChat(config).in_thread() as mock:
        yield mock


def test_curl_reaches_the_app_by_every_live_name(
    command: Command, served: MockChat, tmp_path: Path
) -> None:
    port = str(served.https_url).rpartition(":")[2]
    done = command("hosts", "--format", "curl", "--https-port", port)
    (tmp_path / "curlrc").write_text(done.out)
    line = f"curl --config {tmp_path}/curlrc --cacert {served.ca_path} --noproxy * -sS"
    for name in APP_HOSTS:
        url = f"https://{name}/v3/users/superhero1"

        answer = run(*shlex.split(line), url, "-H", "apikey: REST_API_KEY", check=True)

        assert json.loads(answer.stdout)["data"]["name"] == "Iron Man", name


def test_wrong_hosts_are_refused(command: Command) -> None:
    rows = {
        "hosts --format bind": "invalid choice: 'bind'",
        "hosts --region mars": "--region must be one of us, eu, in",
        "hosts --app-id 'a b'": "--app-id must be 1 to 64 letters",
    }
    check_refusals(command, 2, rows)
    check_refusals(command, 1, {"hosts --https-port off": "clients use the live host names with"})


# --- ca -------------------------------------------------------------------------------------
def test_a_missing_ca_is_created_and_stays_the_server_s(command: Command, tmp_path: Path) -> None:
    (path,) = command("ca").lines
    assert path == str(tmp_path / "cache" / "mockchat" / "ca.pem")
    assert Path(path).read_text().startswith("-----BEGIN CERTIFICATE-----")

    words = ("ca", "--ca-dir", tmp_path, "--pem")
    first = command(*words).out
    with MockChat(Config(port=0, https_port=0, ca_dir=str(tmp_path))).in_thread() as mock:
        fetched = command("ca", "--url", mock.url).out
    assert first == fetched == command(*words).out


def test_a_missing_or_unusable_ca_is_a_failure(
    command: Command, command_server: MockChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = {
        f"ca --url {command_server.url}": "(MOCK_NO_CA)",
        "ca --ca-dir /dev/null/ca": "/dev/null/ca: cannot keep the CA here",
    }
    check_refusals(command, 1, rows)

    for name in ("CERT", "KEY"):
        monkeypatch.setenv(f"MOCKCHAT_TLS_{name}", f"{name}.pem")
    check_refusals(command, 1, {"ca": "MOCKCHAT_TLS_CERT names your own certificate"})

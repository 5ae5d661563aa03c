"""`hosts` and `ca`: what leads SDKs to mockchat, and whom they trust there."""

import json
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from mockchat import Config, MockChat
from mockchat.core import pictures
from mockchat.wire.hosts import SERVICES, app_in
from tests.command_line import Command

APP_HOSTS = [f"app_id.{service}-us.cometchat.io" for service in SERVICES]
COMMON_HOSTS = [f"{service}-us.cometchat.io" for service in SERVICES]
HOSTS = [*APP_HOSTS, *COMMON_HOSTS, *pictures.HOSTS]
NOTE = "# HTTPS is asked for at port 443: serve it there (--https-port 443)"


# --- hosts ----------------------------------------------------------------------------------
def test_the_hosts_file_leads_every_live_name_here(command: Command) -> None:
    note, *lines = command("hosts").lines

    assert note == NOTE
    assert lines == [f"127.0.0.1 {name}" for name in HOSTS]


def test_the_names_are_those_that_mean_the_app_and_those_of_pictures(command: Command) -> None:
    names = command("hosts", "--app-id", "MyApp", "--region", "eu", "--json").json["names"]

    assert names[-2:] == [*pictures.HOSTS]
    del names[-2:]
    assert {app_in(name) for name in names} == {"myapp", None}
    assert all("-eu." in name for name in names)


def test_on_the_port_that_sdks_use_there_is_nothing_to_note(command: Command) -> None:
    assert NOTE not in command("hosts", "--https-port", "443").lines


def test_app_region_and_port_come_by_the_server_s_variables(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("APP_ID", "abc"), ("REGION", "in"), ("HTTPS_PORT", "9443")):
        monkeypatch.setenv(f"MOCKCHAT_{name}", value)

    plan = command("hosts", "--json").json

    assert plan["names"][0] == "abc.api-in.cometchat.io"
    assert plan["port"] == 9443


def test_compose_gives_the_service_the_names_as_aliases(command: Command) -> None:
    done = command("hosts", "--format", "compose", "--https-port", "443")

    service = yaml.safe_load(done.out)["services"]["mockchat"]
    assert service == {"networks": {"default": {"aliases": HOSTS}}}


def test_kubernetes_gives_a_pod_the_names(command: Command) -> None:
    done = command("hosts", "--format", "kubernetes", "--address", "10.1.2.3")

    assert yaml.safe_load(done.out) == {"hostAliases": [{"ip": "10.1.2.3", "hostnames": HOSTS}]}


def test_docker_gives_a_container_the_names(command: Command) -> None:
    flags = command("hosts", "--format", "docker", "--address", "172.17.0.1").lines

    assert flags == [f"--add-host={name}:172.17.0.1" for name in HOSTS]


def test_chromium_takes_one_flag(command: Command) -> None:
    (flag,) = command("hosts", "--format", "chromium", "--https-port", "9443").lines

    rules = flag.removeprefix("--host-resolver-rules=").split(",")
    assert rules == [f"MAP {name}:443 127.0.0.1:9443" for name in HOSTS]


@pytest.mark.parametrize("name", ["chromium", "curl"])
def test_an_ipv6_address_has_brackets_before_a_port(command: Command, name: str) -> None:
    done = command("hosts", "--format", name, "--address", "::1")

    assert "[::1]:8443" in done.out


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockChat]:
    config = Config(port=0, https_port=0, ca_dir=str(tmp_path_factory.mktemp("ca")))
    with MockChat(config).in_thread() as mock:
        yield mock


@pytest.mark.parametrize("name", APP_HOSTS)
def test_curl_gets_to_the_app_by_every_live_name(
    command: Command, served: MockChat, tmp_path: Path, name: str
) -> None:
    port = str(served.https_url).rpartition(":")[2]
    done = command("hosts", "--format", "curl", "--https-port", port)
    (tmp_path / "curlrc").write_text(done.out)
    line = f"curl --config {tmp_path}/curlrc --cacert {served.ca_path} --noproxy * -sS"
    url = f"https://{name}/v3/users/superhero1"

    answer = subprocess.run(
        [*shlex.split(line), url, "-H", "apikey: REST_API_KEY"],
        check=True,
        capture_output=True,
        timeout=20,
    )

    assert json.loads(answer.stdout)["data"]["name"] == "Iron Man"


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (("--format", "bind"), 2, "invalid choice: 'bind'"),
        (("--region", "mars"), 2, "--region must be one of us, eu, in"),
        (("--app-id", "a b"), 2, "--app-id must be 1 to 64 letters"),
        (("--https-port", "off"), 1, "the live names are asked for by HTTPS"),
    ],
)
def test_hosts_that_cannot_be_are_refused(
    command: Command, words: tuple[str, ...], status: int, sentence: str
) -> None:
    done = command("hosts", *words)

    assert done.status == status
    assert sentence in done.complaint


# --- ca -------------------------------------------------------------------------------------
def test_the_ca_is_made_where_there_is_none_and_its_path_told(
    command: Command, tmp_path: Path
) -> None:
    (path,) = command("ca").lines

    assert path == str(tmp_path / "cache" / "mockchat" / "ca.pem")
    assert Path(path).read_text().startswith("-----BEGIN CERTIFICATE-----")


def test_the_ca_stays_the_same_and_is_the_server_s(command: Command, tmp_path: Path) -> None:
    words = ("ca", "--ca-dir", tmp_path, "--pem")
    first = command(*words).out

    with MockChat(Config(port=0, https_port=0, ca_dir=str(tmp_path))).in_thread() as mock:
        fetched = command("ca", "--url", mock.url).out

    assert first == fetched == command(*words).out


def test_a_server_without_a_ca_is_told(command: Command, command_server: MockChat) -> None:
    done = command("ca", "--url", command_server.url)

    assert done.status == 1
    assert done.complaint.endswith("(MOCK_NO_CA)")


def test_a_certificate_of_one_s_own_has_a_ca_of_one_s_own(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOCKCHAT_TLS_CERT", "c.pem")
    monkeypatch.setenv("MOCKCHAT_TLS_KEY", "k.pem")

    done = command("ca")

    assert done.status == 1
    assert "its CA is yours" in done.complaint


def test_a_folder_that_cannot_hold_the_ca_is_named(command: Command) -> None:
    done = command("ca", "--ca-dir", "/dev/null/ca")

    assert done.status == 1
    assert done.complaint.startswith("/dev/null/ca: cannot keep the CA here")

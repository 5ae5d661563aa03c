"""Settings: the precedence of flags, variables and the file, and what a bad file is told."""

import re
import sys
from pathlib import Path

import pytest

from mockchat.cli import main
from mockchat.commands.remote import own_url
from mockchat.config import Config, ConfigError, load_config, service_links


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mockchat.toml"


def refusal(path: object) -> str:
    with pytest.raises(ConfigError) as refused:
        load_config({}, {}, str(path))
    return str(refused.value)


# --- precedence -----------------------------------------------------------------------------
def test_flags_win_over_variables_and_variables_over_the_file(file: Path) -> None:
    file.write_text("port = 1\nhttps-port = 1\nregion = 'in'")
    environ = {"MOCKCHAT_PORT": "2", "MOCKCHAT_HTTPS_PORT": "3"}

    config = load_config({"port": "4"}, environ, str(file))

    assert (config.port, config.https_port, config.region) == (4, 3, "in")


def test_a_repeated_flag_replaces_the_variable_and_does_not_add_to_it() -> None:
    environ = {"MOCKCHAT_FIXTURE": "empty,own.json"}

    config = load_config({"fixture": ["a.json", "b.json"]}, environ)

    assert config.fixture == ("a.json", "b.json")


def test_a_switch_is_turned_off_again_by_a_stronger_source() -> None:
    config = load_config({"any_key": "false"}, {"MOCKCHAT_ANY_KEY": "true"})

    assert config.any_key is False


def test_a_weaker_source_s_rubbish_is_told_even_where_a_flag_wins() -> None:
    with pytest.raises(ConfigError, match="MOCKCHAT_PORT"):
        load_config({"port": "1"}, {"MOCKCHAT_PORT": "rubbish"})


def test_ports_that_clash_across_sources_are_told() -> None:
    with pytest.raises(ConfigError, match="both 9000"):
        load_config({"port": "9000"}, {"MOCKCHAT_HTTPS_PORT": "9000"})


def test_variables_of_repeatable_settings_take_commas() -> None:
    config = load_config({}, {"MOCKCHAT_TLS_HOST": "a.test, b.test"})

    assert config.tls_host == ("a.test", "b.test")


def test_a_comma_in_a_flag_is_a_comma() -> None:
    config = load_config({"auth_key": ["a,b"]}, {})

    assert config.auth_key == ("a,b",)


def test_white_space_around_a_variable_is_no_part_of_it() -> None:
    config = load_config({}, {"MOCKCHAT_PORT": " 9000 \n"})

    assert config.port == 9000


def test_variables_of_no_setting_are_somebody_else_s() -> None:
    assert load_config({}, {"MOCKCHAT_URL": "x", "PORT": "1", "mockchat_port": "2"}) == Config()


# What Kubernetes sets beside the Services mockchat, mockchat-https and mockchat-proxy.
SERVICE_LINKS = {
    f"{service}_{name}": value
    for service in ("MOCKCHAT", "MOCKCHAT_HTTPS", "MOCKCHAT_PROXY")
    for name, value in {
        "SERVICE_HOST": "10.0.0.1",
        "SERVICE_PORT": "8080",
        "SERVICE_PORT_HTTP": "8080",
        "PORT": "tcp://10.0.0.1:8080",
        "PORT_8080_TCP": "tcp://10.0.0.1:8080",
        "PORT_8080_TCP_PROTO": "tcp",
        "PORT_8080_TCP_PORT": "8080",
        "PORT_8080_TCP_ADDR": "10.0.0.1",
    }.items()
}


def test_what_kubernetes_sets_beside_a_service_is_recognised(file: Path) -> None:
    file.write_text("port = 1000")

    assert load_config({}, SERVICE_LINKS) == Config()
    assert load_config({}, SERVICE_LINKS, str(file)).port == 1000
    assert service_links(SERVICE_LINKS) == [
        *("MOCKCHAT_PORT", "MOCKCHAT_HTTPS_PORT", "MOCKCHAT_PROXY_PORT")
    ]
    with pytest.raises(ConfigError, match="MOCKCHAT_PORT"):
        load_config({}, {"MOCKCHAT_PORT": "http://10.0.0.1:8080"})


def test_commands_tell_what_kubernetes_sets_and_go_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SERVICE_LINKS.items():
        monkeypatch.setenv(name, value)

    assert main(["config"]) == 0

    told = capsys.readouterr()
    assert re.search(r"--port +8080 +default", told.out)
    assert told.err.startswith("mockchat: MOCKCHAT_PORT=tcp://10.0.0.1:8080 is ignored")
    assert main(["exec", "--https-port", "off", "--", sys.executable, "-c", ""]) == 0
    assert own_url() == "http://127.0.0.1:8080"


# --- the file -------------------------------------------------------------------------------
def test_a_file_has_toml_s_own_types(file: Path) -> None:
    file.write_text(
        "port = 0\nany-key = true\ntrust-proxy = false\nrandom-seed = -3\n"
        'login-latency = 0.5\ntls-host = ["a.test", "b.test"]\nfixture = "empty"\n'
    )

    config = load_config({}, {}, str(file))

    assert config == Config(
        port=0,
        any_key=True,
        random_seed=-3,
        login_latency=0.5,
        tls_host=("a.test", "b.test"),
        fixture=("empty",),
    )


def test_a_file_s_keys_may_have_underscores(file: Path) -> None:
    file.write_text("https_port = 9443")

    assert load_config({}, {}, str(file)).https_port == 9443


def test_a_file_may_be_empty(file: Path) -> None:
    file.write_text("# nothing yet")

    assert load_config({}, {}, str(file)) == Config()


def test_a_file_is_utf_8(file: Path) -> None:
    file.write_bytes("ca-dir = '/tmp/žluťoučký'".encode())

    assert load_config({}, {}, str(file)).ca_dir == "/tmp/žluťoučký"


def test_a_missing_file_is_named(file: Path) -> None:
    assert refusal(file) == f"--config {file}: cannot be read: No such file or directory"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"--config {tmp_path}: cannot be read: Is a directory"


@pytest.mark.parametrize("content", [b"port", b"port = ", b"[", b"\xff", b"port = 1\nport = 2"])
def test_a_file_that_is_no_toml_is_refused_with_the_reason(file: Path, content: bytes) -> None:
    file.write_bytes(content)

    message = refusal(file)

    assert message.startswith(f"--config {file}: is not valid TOML: ")
    assert "\n" not in message


@pytest.mark.parametrize("key", ["ports", "server", "__class__", "config"])
def test_a_key_that_is_no_setting_is_named(file: Path, key: str) -> None:
    file.write_text(f"{key} = 1")

    assert refusal(file) == f"--config {file}: there is no setting '{key}'"


def test_a_table_is_no_setting(file: Path) -> None:
    file.write_text("[server]\nport = 1")

    assert refusal(file) == f"--config {file}: there is no setting 'server'"


@pytest.mark.parametrize(
    "line",
    ["port = [1, 2]", "port = []", "port = {a = 1}", "port = true", "region = 1", "any-key = 2"],
)
def test_a_value_of_the_wrong_type_is_refused_naming_its_key(file: Path, line: str) -> None:
    file.write_text(line)

    assert refusal(file).startswith(f"--config {file}: {line.partition(' ')[0]} ")


@pytest.mark.parametrize("line", ["host = 1", "ca-dir = true", "tls-host = [1]", "fixture = {}"])
def test_a_text_setting_takes_texts_only(file: Path, line: str) -> None:
    file.write_text(line)

    assert refusal(file).startswith(f"--config {file}: {line.partition(' ')[0]} ")


def test_the_same_setting_in_both_spellings_is_refused(file: Path) -> None:
    file.write_text("https-port = 1\nhttps_port = 2")

    assert "https" in refusal(file)

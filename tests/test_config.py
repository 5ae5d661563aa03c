"""Settings: every row, every source, and the precedence of sources."""

import re
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mockchat.commands.remote import default_url
from mockchat.config import ROWS, Config, ConfigError, flag, load_config, service_links, variable
from mockchat.core.setting_kinds import size, switch
from tests.command_line import Command

NAMES = list(ROWS)
# Settings whose default in the help is no value of the flag.
PROSE_DEFAULTS = (
    *("tls_cert", "tls_key", "tls_host", "ca_dir", "auth_key", "random_seed", "state"),
    *("public_url", "control_token", "allow_host", "proxy_allow", "webhook"),
)
# A value for each setting that is not its default, and its meaning.
GIVEN: dict[str, tuple[str, object]] = {
    "host": ("0.0.0.0", "0.0.0.0"),
    "port": ("65535", 65535),
    "https_port": ("off", None),
    "tls_cert": ("cert.pem", "cert.pem"),
    "tls_key": ("key.pem", "key.pem"),
    "tls_host": ("mock.test", ("mock.test",)),
    "ca_dir": ("/ca", "/ca"),
    "app_id": ("my-app_1", "my-app_1"),
    "auth_key": ("my-auth-key", ("my-auth-key",)),
    "rest_api_key": ("my-rest-key", ("my-rest-key",)),
    "any_key": ("yes", True),
    "strict_apps": ("1", True),
    "max_apps": ("5", 5),
    "region": ("eu", "eu"),
    "fixture": ("empty", ("empty",)),
    "random_seed": ("-7", -7),
    "errors": ("live", "live"),
    "tokens": ("single-use", "single-use"),
    "token_ttl": ("1h", 3600.0),
    "login_latency": ("1.5s", 1.5),
    "rate_limit": ("100", 100),
    "max_users": ("25", 25),
    "unbuilt": ("accept", "accept"),
    "webhook": ("http://h:1/p?q", ("http://h:1/p?q",)),
    "journal_size": ("50", 50),
    "journal_bytes": ("2GiB", 2**31),
    "client_timeout": ("5s", 5.0),
    "state": ("state.json", "state.json"),
    "public_url": ("https://mock.test:8443/", "https://mock.test:8443"),
    "trust_proxy": ("on", True),
    "proxy_port": ("3128", 3128),
    "proxy_only_live": ("on", True),
    "proxy_allow": ("*.Example.com.", ("*.example.com",)),
    "dashboard": ("off", False),
    "control_token": ("s3cret", "s3cret"),
    "allow_host": ("Mock.Example.com.", ("mock.example.com",)),
    "log_format": ("json", "json"),
    "log_level": ("debug", "debug"),
}
# Wrong values of settings, and a part of the reason.
RUBBISH: dict[str, tuple[list[str], str]] = {
    "port": (["-1", "65536", "http", "", "8080.0", "0x1F", "٣"], "port"),
    "https_port": (["-1", "65536", "none", " "], "port"),
    "app_id": (["", "a b", "a/b", "ä", "a" * 65, "a.b"], "letters"),
    "auth_key": (["", "a b", "a\nb", "a\x00b"], "spaces"),
    "rest_api_key": (["", " "], "spaces"),
    "proxy_port": (["-1", "65536", "none"], "port"),
    "proxy_only_live": (["2"], "true or false"),
    "control_token": (["", "a\tb"], "spaces"),
    "proxy_allow": (["", "a*", "https://a", "*.", "**"], "host name"),
    "allow_host": (["", "a b", "https://a", "a/b"], "host name"),
    "dashboard": (["maybe"], "true or false"),
    "any_key": (["maybe", "2", "True!"], "true or false"),
    "strict_apps": (["nein"], "true or false"),
    "max_apps": (["0", "-1"], "whole number"),
    "trust_proxy": (["2"], "true or false"),
    "region": (["US", "asia", ""], "us, eu, in"),
    "random_seed": (["", "1.5", "seven", "0x7"], "whole number"),
    "errors": (["both", ""], "auto, documented, live"),
    "tokens": (["once"], "reusable, single-use"),
    "token_ttl": (["0", "-1s", "1w", "soon", "", "1h30m", "nan"], ""),
    "client_timeout": (["0", "-1s", "none", "soon", ""], ""),
    "login_latency": (["-1ms", "fast", "1 s", "inf", "1e3"], "duration"),
    "rate_limit": (["0", "-5", "lots", "1.5"], "whole number"),
    "webhook": (
        ["h:1", "ftp://h", "http://", "http://h:x", f"http://h/{'x' * 2992}"],
        "http://host",
    ),
    "unbuilt": (["yes", ""], "refuse, accept"),
    "max_users": (["0", "-1", "all"], "whole number"),
    "journal_size": (["0", "-1", "many"], "whole number"),
    "journal_bytes": (["0", "1MB", "8 MiB", "-1", "1.5MiB", ""], "size"),
    "public_url": (["mock.test", "ftp://mock.test", "https://", "https://a/b"], "https://"),
    "log_format": (["xml"], "text, json"),
    "log_level": (["loud", "INFO"], "debug, info, warning, error"),
}


def with_partner(name: str, text: str) -> dict[str, str]:
    """A setting, and the setting that it needs."""
    return {
        name: text,
        **{"tls_cert": {"tls_key": "k"}, "tls_key": {"tls_cert": "c"}}.get(name, {}),
    }


def from_flags(name: str, text: str, _file: Path) -> Config:
    flags: dict[str, Any] = {
        key: [value] if ROWS[key].repeatable else value
        for key, value in with_partner(name, text).items()
    }
    return load_config(flags, {})


def from_variables(name: str, text: str, _file: Path) -> Config:
    environ = {variable(key): value for key, value in with_partner(name, text).items()}
    return load_config({}, environ)


def from_file(name: str, text: str, file: Path) -> Config:
    given = with_partner(name, text)
    lines = [f"{flag(key)[2:]} = {_toml(key, value)}" for key, value in given.items()]
    file.write_text("\n".join(lines), encoding="utf-8")
    return load_config({}, {}, str(file))


def _toml(name: str, text: str) -> str:
    """The text as a TOML string, or as a TOML boolean."""
    if isinstance(getattr(Config(), name), bool) and text in ("yes", "on", "1", "off"):
        return "false" if text == "off" else "true"
    escaped = "".join(
        char if char.isprintable() and char not in '"\\' else f"\\u{ord(char):04x}" for char in text
    )
    return f'"{escaped}"'


SOURCES: dict[str, Callable[[str, str, Path], Config]] = {
    "flag": from_flags,
    "variable": from_variables,
    "file": from_file,
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mockchat.toml"


def refusal(load: Callable[[], object]) -> str:
    """The message of a ConfigError, which is one line."""
    with pytest.raises(ConfigError) as refused:
        load()
    assert "\n" not in str(refused.value)
    return str(refused.value)


def refused_setting(name: str, value: object) -> str:
    """The message of the refusal of a setting in Python."""
    given: dict[str, Any] = {name: value}
    return refusal(lambda: Config(**given))


# --- every row ------------------------------------------------------------------------------
def test_every_row_is_complete_and_in_the_order_of_the_fields() -> None:
    assert [setting.name for setting in fields(Config)] == NAMES == list(GIVEN)
    for name, row in ROWS.items():
        assert re.fullmatch(r"[^\n]+[^.\n]", row.help), name
        assert row.shown, name
        assert flag(name) == f"--{name.replace('_', '-')}"
        assert variable(name) == f"MOCKCHAT_{name.upper()}"
        assert row.repeatable is isinstance(getattr(Config(), name), tuple), name


def test_every_setting_is_read_from_every_source_and_a_wrong_value_is_refused(file: Path) -> None:
    for source, load in SOURCES.items():
        for name, (text, meaning) in GIVEN.items():
            config = load(name, text, file)
            assert getattr(config, name) == meaning != getattr(Config(), name), (source, name)

        for name, (texts, reason) in RUBBISH.items():
            key = f"--config {file}: {flag(name)[2:]}"
            place = {"flag": flag(name), "variable": variable(name), "file": key}[source]
            for text in texts:
                message = refusal(partial(load, name, text, file))

                assert message.startswith((f"{place} must ", f"{place} cannot be ")), message
                assert reason in message or repr(text) in message, (source, name, text)


def test_every_default_is_the_value_that_the_help_shows(file: Path) -> None:
    assert load_config({}, {}) == Config()
    for name, row in ROWS.items():
        if name not in PROSE_DEFAULTS:
            assert from_flags(name, row.shown, file) == Config(), name


def test_a_config_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Config().port = 1  # type: ignore[misc]


# --- sizes and switches ---------------------------------------------------------------------
def test_a_size_has_a_binary_unit_or_none_and_a_switch_is_a_word() -> None:
    sizes = {"500KiB": 512_000, "8MiB": 8_388_608, "2GiB": 2_147_483_648, "100000": 100_000}
    words = {"1": True, "true": True, "Yes": True, "ON": True}
    words |= {"": False, "0": False, "false": False, "No": False, "OFF": False}

    assert {text: size(text) for text in sizes} == sizes
    assert {text: switch(text) for text in words} == words
    with pytest.raises(ValueError, match="must be a size like 500KiB, 8MiB or 100000"):
        size("1MB")


# --- settings that belong together ----------------------------------------------------------
def test_settings_that_exclude_each_other_are_refused() -> None:
    together = "--tls-cert and --tls-key belong together"
    cases: list[tuple[dict[str, Any], dict[str, str], str]] = [
        ({"tls_cert": "x.pem"}, {}, together),
        ({"tls_key": "x.pem"}, {}, together),
        ({"port": "off", "https_port": "off"}, {}, "both off"),
        ({"port": "9000", "https_port": "9000"}, {}, "both 9000: they must differ"),
        ({"port": "9000"}, {"MOCKCHAT_HTTPS_PORT": "9000"}, "both 9000"),
    ]
    for flags, environ, told in cases:
        assert told in refusal(partial(load_config, flags, environ))

    config = load_config({"port": "0", "https_port": "0"}, {})
    assert (config.port, config.https_port) == (0, 0)


def test_a_server_has_at_least_one_key_of_each_kind(file: Path) -> None:
    for name in ("auth_key", "rest_api_key"):
        file.write_text(f"{name} = []")

        assert f"{name} cannot be []" in refusal(lambda: load_config({}, {}, str(file)))
        assert flag(name) in refused_setting(name, ())
    told = "both an --auth-key and a --rest-api-key"
    assert told in refusal(lambda: Config(auth_key=("SAME",), rest_api_key=("SAME",)))


# --- precedence -----------------------------------------------------------------------------
def test_flags_win_over_variables_and_variables_over_the_file(file: Path) -> None:
    file.write_text("port = 1\nhttps-port = 1\nregion = 'in'")
    environ = {"MOCKCHAT_PORT": "2", "MOCKCHAT_HTTPS_PORT": "3"}

    config = load_config({"port": "4"}, environ, str(file))

    assert (config.port, config.https_port, config.region) == (4, 3, "in")
    off = load_config({"any_key": "false"}, {"MOCKCHAT_ANY_KEY": "true"})
    assert off.any_key is False


def test_a_flag_replaces_the_variable_which_is_refused_all_the_same_where_it_is_wrong() -> None:
    config = load_config({"fixture": ["a.json", "b.json"]}, {"MOCKCHAT_FIXTURE": "empty,own.json"})
    assert config.fixture == ("a.json", "b.json")

    rubbish = {"MOCKCHAT_PORT": "rubbish"}
    assert "MOCKCHAT_PORT" in refusal(lambda: load_config({"port": "1"}, rubbish))


def test_variables_are_stripped_and_split_at_commas_and_flags_are_not() -> None:
    config = load_config(
        {"auth_key": ["a,b"]}, {"MOCKCHAT_TLS_HOST": "a.test, b.test", "MOCKCHAT_PORT": " 9000 \n"}
    )

    assert (config.auth_key, config.tls_host) == (("a,b",), ("a.test", "b.test"))
    assert config.port == 9000


def test_other_variables_are_ignored() -> None:
    assert load_config({}, {"MOCKCHAT_URL": "x", "PORT": "1", "mockchat_port": "2"}) == Config()


# Variables that Kubernetes sets for the Services mockchat, mockchat-https and mockchat-proxy.
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


def test_variables_that_kubernetes_sets_are_recognised(file: Path) -> None:
    file.write_text("port = 1000")

    assert load_config({}, SERVICE_LINKS) == Config()
    assert load_config({}, SERVICE_LINKS, str(file)).port == 1000
    names = ["MOCKCHAT_PORT", "MOCKCHAT_HTTPS_PORT", "MOCKCHAT_PROXY_PORT"]
    assert service_links(SERVICE_LINKS) == names
    wrong = {"MOCKCHAT_PORT": "http://10.0.0.1:8080"}
    assert "MOCKCHAT_PORT" in refusal(lambda: load_config({}, wrong))


def test_commands_report_and_ignore_variables_that_kubernetes_sets(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SERVICE_LINKS.items():
        monkeypatch.setenv(name, value)

    done = command("config")

    assert re.search(r"--port +8080 +default", done.out)
    assert done.err.startswith("mockchat: MOCKCHAT_PORT=tcp://10.0.0.1:8080 is ignored")
    assert command("exec", "--https-port", "off", "--", sys.executable, "-c", "").status == 0
    assert default_url() == "http://127.0.0.1:8080"


# --- the file -------------------------------------------------------------------------------
def test_a_file_has_toml_s_own_types(file: Path) -> None:
    file.write_text(
        "port = 0\nany-key = true\ntrust-proxy = false\nrandom-seed = -3\nhttps_port = 9443\n"
        'login-latency = 0.5\ntls-host = ["a.test", "b.test"]\nfixture = "empty"\n'
        "ca-dir = '/tmp/žluťoučký'",
        encoding="utf-8",
    )

    assert load_config({}, {}, str(file)) == Config(
        port=0,
        https_port=9443,
        any_key=True,
        random_seed=-3,
        login_latency=0.5,
        tls_host=("a.test", "b.test"),
        fixture=("empty",),
        ca_dir="/tmp/žluťoučký",
    )
    file.write_text("# empty")
    assert load_config({}, {}, str(file)) == Config()


def test_a_missing_file_and_a_folder_are_named(file: Path) -> None:
    reasons = {file: "cannot be read: No such file or directory", file.parent: "is no file"}
    for path, reason in reasons.items():
        message = refusal(partial(load_config, {}, {}, str(path)))
        assert message == f"--config {path}: {reason}"


def test_a_wrong_file_is_refused_with_the_reason(file: Path) -> None:
    invalid = (b"port", b"port = ", b"[", b"\xff", b"port = 1\nport = 2")
    unknown = {b"[server]\nport = 1": "server"}
    unknown |= {f"{key} = 1".encode(): key for key in ("ports", "server", "__class__", "config")}
    of_wrong_type = (
        *("port = [1, 2]", "port = []", "port = {a = 1}", "port = true", "region = 1"),
        *("any-key = 2", "host = 1", "ca-dir = true", "tls-host = [1]", "fixture = {}"),
    )
    cases = dict.fromkeys(invalid, "is not valid TOML: ")
    cases |= {content: f"there is no setting '{key}'" for content, key in unknown.items()}
    cases |= {line.encode(): f"{line.partition(' ')[0]} " for line in of_wrong_type}
    cases[b"https-port = 1\nhttps_port = 2"] = "https_port occurs twice"
    for content, told in cases.items():
        file.write_bytes(content)

        message = refusal(lambda: load_config({}, {}, str(file)))

        assert message.startswith(f"--config {file}: {told}"), content


# --- Config in Python -----------------------------------------------------------------------
def test_python_values_may_be_texts_and_single_keys() -> None:
    config = Config(token_ttl="1h", login_latency="25ms", auth_key="MY", fixture="empty")  # type: ignore[arg-type]

    assert (config.token_ttl, config.login_latency) == (3600.0, 0.025)
    assert (config.auth_key, config.fixture) == (("MY",), ("empty",))


def test_wrong_python_values_are_refused_with_the_name_of_the_setting() -> None:
    cases: list[tuple[str, object]] = [
        *(("rate_limit", "many"), ("errors", "x"), ("port", 70000), ("token_ttl", float("inf"))),
        *(("login_latency", -1.0), ("auth_key", [1.5, None]), ("host", None), ("fixture", {})),
    ]
    for name, value in cases:
        assert name in refused_setting(name, value)
    assert "both off" in refusal(lambda: Config(port="off", https_port="off"))  # type: ignore[arg-type]

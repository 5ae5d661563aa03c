"""Settings: every row of the table, and which source wins."""

import re
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockchat.config import Config, ConfigError, Row, flag, load_config, rows, variable
from mockchat.core.clock import duration

NAMES = [name for name, _ in rows()]
# Defaults that no word can ask for: what they do is shown instead.
PROSE_DEFAULTS = {
    "tls_cert",
    "tls_key",
    "tls_host",
    "ca_dir",
    "auth_key",
    "random_seed",
    "state",
    "public_url",
    "control_token",
}
# A value for each setting that is not its default, and what it means.
GIVEN: dict[str, tuple[str, object]] = {
    "host": ("0.0.0.0", "0.0.0.0"),
    "port": ("9000", 9000),
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
    "region": ("eu", "eu"),
    "fixture": ("empty", ("empty",)),
    "random_seed": ("-7", -7),
    "errors": ("live", "live"),
    "tokens": ("single-use", "single-use"),
    "token_ttl": ("1h", 3600.0),
    "login_latency": ("1.5s", 1.5),
    "rate_limit": ("100", 100),
    "journal_size": ("50", 50),
    "journal_bytes": ("500KiB", 512_000),
    "state": ("state.json", "state.json"),
    "public_url": ("https://mock.test:8443/", "https://mock.test:8443"),
    "trust_proxy": ("on", True),
    "proxy_port": ("3128", 3128),
    "proxy_only_live": ("on", True),
    "control_token": ("s3cret", "s3cret"),
    "log_format": ("json", "json"),
    "log_level": ("debug", "debug"),
}
# What no setting of this kind takes, and a word of the reason.
RUBBISH: dict[str, tuple[list[str], str]] = {
    "port": (["-1", "65536", "http", "", "8080.0", "0x1F", "٣"], "port"),
    "https_port": (["-1", "65536", "none", " "], "port"),
    "app_id": (["", "a b", "a/b", "ä", "a" * 65, "a.b"], "letters"),
    "auth_key": (["", "a b", "a\nb", "a\x00b"], "spaces"),
    "rest_api_key": (["", " "], "spaces"),
    "proxy_port": (["-1", "65536", "none"], "port"),
    "proxy_only_live": (["2"], "true or false"),
    "control_token": (["", "a\tb"], "spaces"),
    "any_key": (["maybe", "2", "True!"], "true or false"),
    "strict_apps": (["nein"], "true or false"),
    "trust_proxy": (["2"], "true or false"),
    "region": (["US", "asia", ""], "us, eu, in"),
    "random_seed": (["", "1.5", "seven", "0x7"], "whole number"),
    "errors": (["both", ""], "auto, documented, live"),
    "tokens": (["once"], "reusable, single-use"),
    "token_ttl": (["0", "-1s", "1w", "soon", "", "1h30m", "nan"], ""),
    "login_latency": (["-1ms", "fast", "1 s", "inf", "1e3"], "duration"),
    "rate_limit": (["0", "-5", "lots", "1.5"], "whole number"),
    "journal_size": (["0", "-1", "many"], "whole number"),
    "journal_bytes": (["0", "1MB", "8 MiB", "-1", "1.5MiB", ""], "size"),
    "public_url": (["mock.test", "ftp://mock.test", "https://", "https://a/b"], "https://"),
    "log_format": (["xml"], "text, json"),
    "log_level": (["loud", "INFO"], "debug, info, warning, error"),
}
EACH_RUBBISH = [(name, text) for name, (texts, _) in RUBBISH.items() for text in texts]


def partner(name: str) -> dict[str, str]:
    """What has to be given with a setting."""
    return {"tls_cert": {"tls_key": "k"}, "tls_key": {"tls_cert": "c"}}.get(name, {})


def flags_for(name: str, text: str) -> dict[str, Any]:
    given: dict[str, Any] = {name: text, **partner(name)}
    return {key: [value] if dict(rows())[key].repeatable else value for key, value in given.items()}


def from_flags(name: str, text: str, _tmp_path: Path) -> Config:
    return load_config(flags_for(name, text), {})


def from_variables(name: str, text: str, _tmp_path: Path) -> Config:
    given = {name: text, **partner(name)}
    return load_config({}, {variable(key): value for key, value in given.items()})


def from_file(name: str, text: str, tmp_path: Path) -> Config:
    given = {name: text, **partner(name)}
    lines = [f"{flag(key)[2:]} = {_toml(key, value)}" for key, value in given.items()]
    path = tmp_path / "mockchat.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return load_config({}, {}, str(path))


def _toml(name: str, text: str) -> str:
    """The text as a TOML string, the words for yes as the TOML boolean that they stand for."""
    if isinstance(getattr(Config(), name), bool) and text in ("yes", "on", "1"):
        return "true"
    escaped = "".join(
        char if char.isprintable() and char not in '"\\' else f"\\u{ord(char):04x}" for char in text
    )
    return f'"{escaped}"'


Source = Callable[[str, str, Path], Config]
SOURCES: dict[str, Source] = {
    "flag": from_flags,
    "variable": from_variables,
    "file": from_file,
}
each_source = pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)


# --- every row ------------------------------------------------------------------------------
def test_this_file_knows_every_setting() -> None:
    assert GIVEN.keys() == set(NAMES)


def test_without_any_source_every_setting_has_its_default() -> None:
    assert load_config({}, {}) == Config()


@each_source
@pytest.mark.parametrize("name", NAMES)
def test_every_setting_is_read_from_every_source(source: Source, name: str, tmp_path: Path) -> None:
    text, meaning = GIVEN[name]

    config = source(name, text, tmp_path)

    assert getattr(config, name) == meaning
    assert getattr(Config(), name) != meaning


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(("name", "text"), EACH_RUBBISH)
def test_rubbish_is_refused_in_one_sentence_that_names_its_source(
    source: str, name: str, text: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as refused:
        SOURCES[source](name, text, tmp_path)

    message = str(refused.value)
    file = f"--config {tmp_path / 'mockchat.toml'}: {flag(name)[2:]}"
    place = {"flag": flag(name), "variable": variable(name), "file": file}[source]
    assert message.startswith((f"{place} must ", f"{place} cannot be "))
    assert RUBBISH[name][1] in message or repr(text) in message
    assert "\n" not in message


@pytest.mark.parametrize("name", [name for name in NAMES if name not in PROSE_DEFAULTS])
def test_every_shown_default_can_be_given_and_is_the_default(name: str) -> None:
    shown = dict(rows())[name].shown

    assert load_config(flags_for(name, shown), {}) == Config()


@pytest.mark.parametrize(("name", "row"), rows(), ids=NAMES)
def test_every_row_is_complete(name: str, row: Row) -> None:
    assert re.fullmatch(r"[^\n]+[^.\n]", row.help)
    assert row.shown
    assert flag(name) == f"--{name.replace('_', '-')}"
    assert variable(name) == f"MOCKCHAT_{name.upper()}"
    assert row.repeatable is isinstance(getattr(Config(), name), tuple)


def test_every_field_is_a_row_in_the_order_of_the_help() -> None:
    assert [setting.name for setting in fields(Config)] == NAMES


def test_a_config_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Config().port = 1  # type: ignore[misc]


# --- durations ------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "seconds"),
    [("25ms", 0.025), ("1.5s", 1.5), ("3", 3), ("10m", 600), ("2h", 7200), ("30d", 2_592_000)],
)
def test_a_duration_has_a_number_and_a_unit(text: str, seconds: float) -> None:
    assert duration(text) == pytest.approx(seconds)


@given(st.integers(0, 10**8), st.sampled_from(["ms", "s", "m", "h", "d", ""]))
def test_every_whole_number_of_every_unit_is_a_duration(number: int, unit: str) -> None:
    assert duration(f"{number}{unit}") >= 0


@given(st.text(max_size=6))
def test_any_other_text_is_refused_and_never_crashes(text: str) -> None:
    try:
        assert duration(text) >= 0
    except ValueError as error:
        assert "duration" in str(error)  # noqa: PT017


# --- settings that belong together ----------------------------------------------------------
@pytest.mark.parametrize("name", ["tls_cert", "tls_key"])
def test_a_certificate_and_its_key_come_together_or_not_at_all(name: str) -> None:
    with pytest.raises(ConfigError, match="--tls-cert and --tls-key belong together"):
        load_config({name: "x.pem"}, {})


def test_a_server_without_any_port_is_refused() -> None:
    with pytest.raises(ConfigError, match="both off"):
        load_config({"port": "off", "https_port": "off"}, {})


def test_one_port_for_both_listeners_is_refused() -> None:
    with pytest.raises(ConfigError, match="both 9000: they must differ"):
        load_config({"port": "9000", "https_port": "9000"}, {})


def test_two_free_ports_are_two_ports() -> None:
    config = load_config({"port": "0", "https_port": "0"}, {})

    assert (config.port, config.https_port) == (0, 0)


@pytest.mark.parametrize("name", ["auth_key", "rest_api_key"])
def test_a_server_has_at_least_one_key_of_each_kind(name: str, tmp_path: Path) -> None:
    path = tmp_path / "mockchat.toml"
    path.write_text(f"{name} = []")

    with pytest.raises(ConfigError) as refused:
        load_config({}, {}, str(path))

    assert flag(name)[2:] in str(refused.value).replace("_", "-")


@pytest.mark.parametrize("name", ["auth_key", "rest_api_key"])
def test_no_server_of_the_library_is_without_keys_either(name: str) -> None:
    with pytest.raises(ConfigError, match=flag(name)):
        Config(**{name: ()})  # type: ignore[arg-type]

"""Config given in Python is held to the rules of the flags."""

import pytest

from mockchat import Config
from mockchat.config import ConfigError


def test_durations_may_be_written_as_the_flags_take_them() -> None:
    config = Config(token_ttl="1h", login_latency="25ms")  # type: ignore[arg-type]

    assert (config.token_ttl, config.login_latency) == (3600.0, 0.025)


def test_one_key_is_one_key() -> None:
    config = Config(auth_key="MY", fixture="empty")  # type: ignore[arg-type]

    assert (config.auth_key, config.fixture) == (("MY",), ("empty",))


def test_off_is_no_listener_in_python_too() -> None:
    with pytest.raises(ConfigError, match="both off"):
        Config(port="off", https_port="off")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("rate_limit", "many"),
        ("errors", "x"),
        ("port", 70000),
        ("token_ttl", float("inf")),
        ("login_latency", -1.0),
        ("auth_key", [1.5, None]),
        ("host", None),
        ("fixture", {}),
    ],
)
def test_rubbish_is_refused_naming_the_setting(setting: str, value: object) -> None:
    with pytest.raises(ConfigError, match=setting):
        Config(**{setting: value})  # type: ignore[arg-type]


def test_a_key_has_one_scope() -> None:
    with pytest.raises(ConfigError, match="both an --auth-key and a --rest-api-key"):
        Config(auth_key=("SAME",), rest_api_key=("SAME",))

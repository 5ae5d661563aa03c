"""Mistyped names: they are refused where they are given, with the name that was meant."""

from pathlib import Path
from typing import Any

import pytest

from mockchat import Config, create_app
from mockchat.config import ConfigError, load_config
from mockchat.core.seed import FixtureError
from tests.answers import body_of, details_of, error_of
from tests.command_line import Command
from tests.faulty import add_fault
from tests.values import REST_KEY, Client


async def test_a_mistyped_name_over_http_is_refused_with_the_name_that_was_meant(
    client: Client,
) -> None:
    faults = [
        ({"kind": "hnag"}, "kind", "hang"),
        ({"kind": "WS-CLOSED"}, "kind", "ws_close"),
        ({"kind": "hang", "oparation": "login"}, "oparation", "operation"),
        ({"kind": "hang", "operation": "lgoin"}, "operation", "login"),
        ({"kind": "hang", "match": {"operation": "lgoin"}}, "match.operation", "login"),
        ({"kind": "hang", "method": "psot"}, "method", "POST"),
        ({"kind": "latency", "deley": 1}, "deley", "delay"),
        ({"kind": "ws_close", "close_cde": 1011}, "close_cde", "closeCode"),
        ({"kind": "error", "code": "ERR_UID_NOTFOUND"}, "code", "ERR_UID_NOT_FOUND"),
    ]
    for body, field, meant in faults:
        details = await details_of(client.post("/_mock/faults", json=body))
        assert f"Did you mean '{meant}'?" in details[field][0], body
        if field in ("kind", "method"):  # whose refusal lists all names
            assert details[field][0].startswith("Did you mean"), body
    queries = [
        ("journal?oparation=login", "operation"),
        ("journal?operation=logni", "login"),
        ("journal?method=GTE", "GET"),
        ("journal?code=ERR_UID_NOTFOUND", "ERR_UID_NOT_FOUND"),
        ("journal.har?userid=superhero1", "uid"),
        ("clock?ap=one", "app"),
    ]
    for path, meant in queries:
        ((said,),) = (await details_of(client.get(f"/_mock/{path}"))).values()
        assert f"Did you mean '{meant}'?" in said, path
    assert await body_of(client.get("/_mock/faults")) == []


async def test_a_name_that_resembles_none_is_refused_with_the_place_that_lists_them(
    client: Client,
) -> None:
    said = await details_of(client.get("/_mock/journal?operation=zzz"))
    assert said == {
        "operation": ["The selected operation is invalid. `mockchat routes` lists them."]
    }
    said = await details_of(client.get("/_mock/journal?code=zzz"))
    assert said == {"code": ["The code is of no error and no fault. `mockchat errors` lists them."]}


async def test_a_code_of_a_fault_or_of_a_header_may_be_looked_for(client: Client) -> None:
    await add_fault(client, "ws_close")
    await add_fault(client, "error", code="MY_OWN", status=418)
    headers = {**REST_KEY, "X-Mock-Fault": "error=MY_OTHER;status=418"}
    await error_of(client.get("/users", headers=headers), 418)

    for code, count in (
        ("ERR_UID_NOT_FOUND", 0),
        ("MY_OWN", 0),
        ("MY_OTHER", 1),
        ("MOCK_FAULT_500", 0),
    ):
        assert (await body_of(client.get(f"/_mock/journal?code={code}")))["count"] == count


@pytest.mark.parametrize(
    ("header", "value", "told"),
    [
        ("X-Mock-Fualt", "hang", "Did you mean 'X-Mock-Fault'?"),
        ("x-mock-error", "live", "Did you mean 'X-Mock-Errors'?"),
        ("X-Mock-Errors", "lvie", "It may be auto or documented or live."),
        ("X-Mock-Fault", "latncy=1s", "did you mean 'latency'?"),
        ("X-Mock-Fault", "zzz", "'zzz' is no fault; there are latency, error, "),
    ],
)
async def test_a_mistyped_header_for_one_request_is_refused(
    client: Client, header: str, value: str, told: str
) -> None:
    for path in ("/users", "/no/such/path"):
        ((said,),) = (
            await details_of(client.get(path, headers={**REST_KEY, header: value}))
        ).values()
        assert told in said


async def test_a_header_of_another_tool_is_left_alone(client: Client) -> None:
    headers = {**REST_KEY, "X-Mock-Response-Code": "503"}

    assert (await client.get("/users", headers=headers)).status == 200


# --- settings and the command line ----------------------------------------------------------
def test_a_mistyped_setting_is_refused_with_the_one_that_was_meant(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("https-prot = 1", encoding="utf-8")
    mistyped: Any = {"prot": 1}

    with pytest.raises(TypeError, match="no setting 'prot'; did you mean 'port'"):
        Config(**mistyped)
    with pytest.raises(ConfigError, match=r"errors must be .*, not 'lvie'; did you mean 'live'"):
        Config(errors="lvie")
    with pytest.raises(ConfigError, match="no setting 'https-prot'; did you mean 'https_port'"):
        load_config({}, {}, str(file))
    with pytest.raises(FixtureError, match=r"shipped are .*; did you mean 'default'"):
        create_app(Config(fixture=("defualt",)))


def test_a_mistyped_word_of_a_command_is_status_2_and_told(steer: Command) -> None:
    meant = {
        "jurnal": "'journal'",
        "serve --prot 1": "'--port'",
        "serve --errors lvie": "'live'",
        "exec --prot 1 -- true": "'--port'",
        "faults lst": "'list'",
        "faults add hang --operatoin login": "'--operation'",
        "faults add hang --operation lgoin": "'login'",
        "faults add hnag": "'hang'",
        "journal --code ERR_UID_NOTFOUND": "'ERR_UID_NOT_FOUND'",
    }
    for line, word in meant.items():
        status, _, said = steer(*line.split())
        assert (status, f"id you mean {word}?" in said) == (2, True), f"{line}: {said}"


def test_a_variable_that_nothing_reads_is_told_but_for_those_of_kubernetes(
    steer: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        *(("MOCKCHAT_HTTP_PORT", "1"), ("MOCKCHAT_NONSENSE", "1")),
        *(("MOCKCHAT_SERVICE_HOST", "10.0.0.1"), ("MOCKCHAT_SERVICE_PORT_HTTPS", "443")),
        *(("MOCKCHAT_PORT_8080_TCP_ADDR", "10.0.0.1"), ("MOCKCHAT_DB_PORT", "tcp://10.0.0.1:1")),
        *(("MOCKCHAT_CA", ""), ("MOCKCHAT_IMAGE", "mockchat")),
    ):
        monkeypatch.setenv(name, value)
    stranger = "mockchat: nothing reads the variable"
    told = [
        f"{stranger} MOCKCHAT_HTTP_PORT; did you mean MOCKCHAT_HTTPS_PORT?",
        f"{stranger} MOCKCHAT_NONSENSE; `mockchat config` lists them",
    ]

    for command in ("config", "users"):
        assert steer(command).err.splitlines() == told, command

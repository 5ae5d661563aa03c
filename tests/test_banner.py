"""The banner of `mockchat serve`: what it shows, and its command as pasted."""

import json
from pathlib import Path
from typing import Any

import pytest
import trustme

from mockchat import Config, MockChat, __version__
from mockchat.serve import banner
from tests.processes import facts_of, run_curl


def banner_of(folder: Path, **settings: Any) -> str:
    given = {"port": 0, "https_port": None, "ca_dir": str(folder), **settings}
    with MockChat(Config(**given)).in_thread() as mock:
        return banner(mock)


def test_the_banner_has_addresses_app_keys_users_and_the_ca(tmp_path: Path) -> None:
    config = Config(
        port=0, https_port=0, ca_dir=str(tmp_path), auth_key=("ONE", "TWO"), region="eu"
    )
    with MockChat(config).in_thread() as mock:
        text = banner(mock)

    facts = facts_of(text)
    assert text.startswith(f"mockchat {__version__} is up\n")
    assert (facts["HTTP"], facts["HTTPS"]) == (mock.url, mock.https_url)
    port = str(mock.https_url).rpartition(":")[2]
    for name in ("localhost", "10.0.2.2", "host.docker.internal"):
        assert f"https://{name}:{port}" in facts["Also as"]
    assert facts["App"] == "APP_ID (region eu); any other app id works too"
    assert facts["Auth key"].startswith("ONE or TWO ")
    assert facts["API key"].startswith("REST_API_KEY ")
    assert facts["Browser"] == f"{mock.url}/ (the dashboard)"
    assert facts["Users"].startswith("cometchat-uid-1, cometchat-uid-2")
    assert facts["Users"].endswith("SUPERHERO5")
    assert facts["CA"] == str(tmp_path / "ca.pem")


def test_the_banner_shows_what_is_off_and_no_more_than_twenty_users(tmp_path: Path) -> None:
    facts = facts_of(banner_of(tmp_path, fixture=("empty",), strict_apps=True, dashboard=False))
    assert (facts["HTTPS"], facts["Users"], facts["CA"]) == ("off", "none", "none")
    assert facts["App"] == "APP_ID (region us)"
    assert "Browser" not in facts

    users = [{"uid": f"u{number:02}", "name": "User"} for number in range(25)]
    (tmp_path / "many.json").write_text(json.dumps({"users": users}))
    shown = facts_of(banner_of(tmp_path, fixture=(str(tmp_path / "many.json"),)))["Users"]
    assert shown.startswith("u00, u01, ")
    assert shown.endswith(", u19 and 5 more")


def test_the_banner_tells_that_the_ca_is_new_where_another_one_was_trusted(tmp_path: Path) -> None:
    texts = [
        banner_of(tmp_path, https_port=0, tls_host=names)
        for names in ((), ("mock.test",), ("in.mock.test",))
    ]

    told = f"{tmp_path / 'ca.pem'} (new: the old one does not cover mock.test; trust it anew)"
    assert [facts_of(text)["CA"] == told for text in texts] == [False, True, False]


ODD_USERS = [{"uid": "it's-ünï😀", "name": "Odd"}]
SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    {"fixture": ("empty",)},
    {"strict_apps": True},
    {"strict_apps": True, "fixture": ("empty",)},
    {"auth_key": ("it's",), "rest_api_key": ('a"b$c',)},
    {"app_id": "mine"},
    {"port": None, "https_port": 0},
    {"port": None, "https_port": 0, "tls_cert": "own.pem", "tls_key": "own.pem"},
    {"https_port": 0},
    {"fixture": ("odd.json",)},
    {"errors": "live"},
)


def test_the_banner_s_command_works_as_pasted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "odd.json").write_text(json.dumps({"users": ODD_USERS}))
    leaf = trustme.CA().issue_cert("127.0.0.1")
    leaf.private_key_and_cert_chain_pem.write_to_path("own.pem")
    for settings in SETTINGS:
        config = Config(**{"port": 0, "https_port": None, "ca_dir": str(tmp_path), **settings})
        with MockChat(config).in_thread() as mock:
            status, answer = run_curl(banner(mock))

        assert (status, bool(answer.get("data", {}).get("uid"))) == (200, True), settings

"""Tokens and keys stand in no log line, HAR file or report."""

import contextlib
import json
import re
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from mockchat import MockApp
from mockchat.core.journal import Exchange, Filter
from mockchat.core.masking import Mask, masked
from mockchat.core.matching import RequestSummary
from mockchat.log import _json_line, _text_line
from mockchat.wire.app import STORE
from tests.answers import body_of, data_of
from tests.command_line import Command
from tests.helpers import journal_of
from tests.projects import Project
from tests.raw import raw_request, send_raw
from tests.sessions import by_token, connect, issue_token, log_in
from tests.values import PATIENCE, REST_KEY, Client

TARGETS = {
    "/v3/users/u1/auth_tokens/u1_1700000000abcdef": "/v3/users/u1/auth_tokens/u1_17*****",
    "/apikeys/short?a=1": "/apikeys/*****?a=1",
    "/admin/users/auth/u1_1700000000abcdef": "/admin/users/auth/u1_17*****",
    "/me?authToken=u1_1700000000abcdef&x=1": "/me?authToken=u1_17*****&x=1",
    "/login?a=1&authKey=AUTH_KEY&uid=u1": "/login?a=1&authKey=*****&uid=u1",
    "/users?apikey=REST_API_KEY": "/users?apikey=REST_*****",
    "/users?x-api-key=REST_API_KEY&a=b": "/users?x-api-key=REST_*****&a=b",
    "/users?a=b&password=short": "/users?a=b&password=*****",
    "/?user[authToken]=ann_1700000000": "/?user[authToken]=ann_1*****",
    "/?data%5BauthKey%5D=REST_API_KEY": "/?data%5BauthKey%5D=REST_*****",
    "/?a[b][token][]=x": "/?a[b][token][]=*****",
    "/?user[authTokens]=2&passwords=3&author=4": "/?user[authTokens]=2&passwords=3&author=4",
    "/users/authkey/auth_tokens?page=2": "/users/authkey/auth_tokens?page=2",
    "/me?API%4bEY=SECRET": "/me?API%4bEY=*****",
    "/me?auth%5Ftoken=SECRET": "/me?auth%5Ftoken=*****",
    "/me?fcm%44eviceToken=SECRET": "/me?fcm%44eviceToken=*****",
    "/%61pikeys/SECRET": "/%61pikeys/*****",
    "/me?apikey[]=SECRET&apikey%5B0%5D=SECRET": "/me?apikey[]=*****&apikey%5B0%5D=*****",
    "/me;authToken=0123456789": "/me;authToken=*****",
    "/me#authToken=SECRET": "/me#authToken=*****",
    "/me?q=Bearer%20SECRET": "/me?q=Bearer%20*****",
    "/Bearer+SECRET": "/Bearer+*****",
    "http://u:SECRET@127.0.0.1/me": "http://*****@127.0.0.1/me",
    "/users?search=a%20b+c@d": "/users?search=a%20b+c@d",
}
TEXTS = {
    '{"uid": "u1", "authKey": "AUTH_KEY"}': '{"uid": "u1", "authKey": "*****"}',
    r'{"authKey": "A\"SECRET", "a": 1}': '{"authKey": "*****", "a": 1}',
    '{"apiKey": ["SECRET"]}': '{"apiKey": ["*****"]}',
}


def test_a_path_or_query_names_no_token_and_no_key() -> None:
    assert {target: masked(target) for target in TARGETS} == TARGETS


def test_json_stays_json_where_a_token_or_key_is_masked() -> None:
    assert {text: masked(text) for text in TEXTS} == TEXTS


def test_every_name_of_a_secret_is_known_in_a_query_and_in_json() -> None:
    for name in (
        *("authToken", "call_token", "fcm-token", "deviceToken", "voipToken", "pushToken"),
        *("fcmDeviceToken", "x-api-key", "apiKey", "auth_key", "jwt", "auth", "token", "secret"),
        *("password", "Authorization", "cookie"),
    ):
        assert masked(f"/me?{name}=SECRET") == f"/me?{name}=*****"
        assert masked(f'{{"{name}": "SECRET"}}') == f'{{"{name}": "*****"}}'


def test_a_long_hostile_target_is_masked_in_linear_time() -> None:
    for piece in (
        "apikey[?",
        "apikey[",
        "?%61pikey",
        "//a",
        "bearer%20",
        '"apikey":"',
        "/%61pikeys/",
    ):
        assert masked("=?" + piece * 30_000)  # a pattern that looks back takes minutes


def test_what_a_request_names_as_secret_is_masked_in_all_its_exchange() -> None:
    target = "/me?authToken=odd%2Ftoken&jwt=12345678&auth=1234567"
    sent: tuple[dict[str, str], bytes] = ({"apikey": "my-odd/token", "cookie": ""}, b"")
    summary = RequestSummary("GET", "/me", "get_me", None)
    texts = {
        "of odd/token it was": "of ***** it was",
        "of odd%2Ftoken it was": "of odd%2***** it was",
        "of my-odd/token it was": "of my-od***** it was",
        "12345678 is long": "***** is long",
        "1234567 may be a number": "1234567 may be a number",
        "1234567": "*****",
        "": "",
    }

    mask = Mask(Exchange(1, "a", 0.0, summary, target, sent, ({}, b""), 200, 0.0, secure=False))

    assert mask.all({"texts": [*texts], "count": 6}) == {"texts": [*texts.values()], "count": 6}


async def test_no_token_and_no_key_is_in_an_archive_or_a_report(client: Client) -> None:
    token = await issue_token(client, "superhero2")
    await client.get(f"/users/superhero2/auth_tokens/{token}", headers=REST_KEY)
    await client.post("/login", json={"uid": "superhero3", "authKey": "AUTH_KEY"})
    await client.post("/login", data={"authToken": token})
    await client.get("/me", headers=by_token("wrong-token-of-nobody"))
    await client.get("/me?authToken=odd%2Ftoken-of-nobody")
    me = await log_in(client, "superhero4")
    await connect(client, me)
    rows = await data_of(client.get("/users/superhero4/auth_tokens", headers=REST_KEY))
    secrets = {token, me["authToken"], me["jwt"], "wrong-token-of-nobody", "AUTH_KEY"}
    secrets |= {"odd/token-of-nobody", "odd%2Ftoken-of-nobody"}
    secrets |= {"REST_API_KEY", *(row["authToken"] for row in rows)}
    archive = json.dumps(await body_of(client.get("/_mock/journal.har")))
    listed = json.dumps(await journal_of(client))

    assert [secret for secret in secrets if secret in archive] == []
    assert token in listed, "the journal itself has what was sent"
    assert "wrong*****" in archive


def ask(url: str, body: bytes | None = None) -> None:
    with contextlib.suppress(HTTPError):
        urlopen(url, body, timeout=PATIENCE).close()


def test_no_token_is_in_the_log_in_a_failed_assertion_or_in_printed_lines(
    steer: Command, app: MockApp
) -> None:
    token = app.issue_token("superhero1")
    ask(f"{app.url}/v3/me?authToken={token}")
    ask(f"{app.url}/v3/login", json.dumps({"authToken": token, "uid": 1}).encode())
    exchanges = app.journal.find()
    assert len(exchanges) == 2
    line = exchanges[0].target

    with pytest.raises(AssertionError) as failed:
        app.journal.assert_called(operation="login", status=418)
    printed = steer("journal").out
    told = (str(failed.value), printed, _text_line(exchanges[0], ""), _json_line(exchanges[0], ""))

    assert token in line
    assert [text for text in told if token in text] == []
    assert [text for text in told if "super*****" not in text] == []


async def test_no_password_before_the_host_of_a_connect_is_told(client: Client) -> None:
    await send_raw(client, raw_request("CONNECT u:SECRET@h:443 HTTP/1.1"))
    found = client.app[STORE].journals.search(Filter())

    archive = json.dumps(await body_of(client.get("/_mock/journal.har")))
    told = (str(found[0]), _text_line(found[0], ""), _json_line(found[0], ""), archive)
    assert [text for text in told if "SECRET" in text or "*****@h:443" not in text] == []


def test_no_token_is_in_the_report_of_a_failed_test(project: Project) -> None:
    project.write(
        test_it="""
        from calls import ask

        def test_fails(mockchat):
            token = mockchat.issue_token("superhero1")
            print("not", token[-9:])
            assert ask(f"{mockchat.url}/v3/users?authToken={token}")[0] == 0
        """
    )

    text = project.run().stdout.str()

    (end,) = re.findall(r"^not (\w+)$", text, re.MULTILINE)
    assert "/v3/users?authToken=super*****" in text
    assert text.count(end) == 1

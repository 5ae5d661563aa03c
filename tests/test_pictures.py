"""Avatars of the shipped users: pictures that the server has, at an address for each client."""

from pathlib import Path
from urllib.parse import urlsplit

from mockchat import Config, MockChat
from mockchat.core import pictures
from tests.answers import body_of, data_of
from tests.helpers import create_user
from tests.sessions import by_token, issue_token
from tests.values import REST_KEY, SEED_UIDS, Client, Serve

LIVE = "https://assets.cometchat.io/sampleapp/v2/users/cometchat-uid-1.webp"
PATH = LIVE.removeprefix("https://assets.cometchat.io")
BEGINNINGS = {".png": b"\x89PNG\r\n", ".webp": b"RIFF"}


async def test_every_shipped_user_has_a_picture_here(client: Client) -> None:
    for user in await data_of(client.get("/users", headers=REST_KEY)):
        avatar = urlsplit(user["avatar"])
        answer = await client.get(avatar.path, headers={"Origin": "https://app.example"})

        suffix = avatar.path[avatar.path.rindex(".") :]
        assert avatar.netloc == f"{client.host}:{client.port}", user
        assert answer.status == 200, user
        assert answer.content_type == f"image/{suffix[1:]}"
        assert (await answer.read()).startswith(BEGINNINGS[suffix])
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert len(pictures.contents()) == len(SEED_UIDS)


async def test_an_avatar_is_where_its_client_came_to(client: Client, serve: Serve) -> None:
    token = await issue_token(client, "cometchat-uid-1")
    hosts = {
        "localhost:8443": f"http://localhost:8443{PATH}",
        "[::1]:8443": f"http://[::1]:8443{PATH}",
        "chat.example": f"http://chat.example{PATH}",
    }
    live = ("apiclient-us.cometchat.io", "api-eu.cometchat.io:8443", "api.cometchat.com")
    for host, expected in {**hosts, **dict.fromkeys((*live, "assets.cometchat.io"), LIVE)}.items():
        here = {"Host": host, "appId": "APP_ID"}
        query = {"uids[]": "cometchat-uid-1"}

        listed = await data_of(client.get("/users", params=query, headers=REST_KEY | here))
        me = await data_of(client.put("/me", headers=by_token(token) | here, json={}))

        assert [user["avatar"] for user in (*listed, me)] == [expected] * 2, host

    client = await serve(public_url="https://chat.example")  # the address that clients see
    user = await data_of(client.get("/users/cometchat-uid-1", headers=REST_KEY))
    assert user["avatar"] == f"https://chat.example{PATH}"


async def test_any_other_avatar_stays_what_it_is(client: Client) -> None:
    for number, avatar in enumerate(
        (
            "https://assets.cometchat.io/sampleapp/v2/users/other.webp",
            f"http://assets.cometchat.io{PATH}",
            f"https://a.example{PATH}",
            "https://assets.cometchat.io",
        )
    ):
        assert (await create_user(client, f"u{number}", avatar=avatar))["avatar"] == avatar


async def test_a_picture_s_path_takes_the_reads_of_a_file_only_and_is_in_no_journal(
    client: Client,
) -> None:
    await client.get(PATH)
    head = await client.head(PATH)

    length = len(pictures.contents()[PATH])
    assert (head.status, int(head.headers["Content-Length"])) == (200, length)
    assert (await body_of(client.get("/_mock/journal")))["exchanges"] == []
    assert (await client.options(PATH)).status == 200
    assert (await client.post(PATH)).status == 404
    assert (await client.get(f"{PATH}x")).status == 404


def test_python_gets_an_address_of_its_server_and_keeps_the_documented_url(tmp_path: Path) -> None:
    config = Config(port=0, https_port=0, ca_dir=str(tmp_path))
    with MockChat(config).in_thread() as mock:
        assert mock.log_in("cometchat-uid-1")["avatar"] == f"{mock.url}{PATH}"
        kept = {user["uid"]: user["avatar"] for user in mock.state()["APP_ID"]["users"]}
        assert kept["cometchat-uid-1"] == LIVE

"""What newcomers and attackers met: a refusal changes nothing, and says what was wrong."""

from pathlib import Path

from mockchat.control.stored import load_seed
from mockchat.core import errors
from mockchat.core.relations import MAX_FRIENDS
from mockchat.wire.app import STORE
from tests.answers import assert_error, data_of, details_of
from tests.helpers import create_user
from tests.pages import blocks
from tests.values import REST_KEY, Client

FRIENDS = "/users/superhero1/friends"


async def test_a_refused_call_makes_no_friend_and_a_user_with_all_friends_refuses_alone(
    client: Client,
) -> None:
    app = client.app[STORE].default
    user, full = app.user("superhero1"), app.user("superhero2")
    body = {"accepted": ["superhero2", "superhero3"]}

    user.friends |= {f"friend-{number}" for number in range(MAX_FRIENDS - 1)}
    await assert_error(client.post(FRIENDS, json=body, headers=REST_KEY), errors.QUOTA_REACHED)
    assert not {"superhero2", "superhero3"} & user.friends

    user.friends.clear()
    full.friends |= {f"friend-{number}" for number in range(MAX_FRIENDS)}
    done = await data_of(client.post(FRIENDS, json=body, headers=REST_KEY))
    assert [one["success"] for one in done["accepted"].values()] == [False, True]


async def test_a_uid_named_twice_counts_once(client: Client) -> None:
    body = {"uidsToDeactivate": ["superhero1", "SUPERHERO1"]}

    done = await data_of(client.delete("/users", json=body, headers=REST_KEY))

    assert done == {"deactivatedUids": ["superhero1"]}


async def test_the_case_of_a_role_does_not_count(client: Client) -> None:
    await data_of(client.post("/roles", json={"role": "Mod", "name": "M"}, headers=REST_KEY))

    user = await create_user(client, "ann", role="MOD")

    assert user["role"] == "mod"


async def test_a_refusal_names_what_was_wrong(client: Client) -> None:
    await assert_error(client.get("/apps//v3/users", headers=REST_KEY), errors.APP_ID_MISSING)

    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    details = await details_of(client.get("/", headers=headers))
    assert "Sec-WebSocket-Key" in details["request"][0]

    details = await details_of(client.get("/users?createdAt[from]=abc", headers=REST_KEY))
    assert list(details) == ["createdAt.from"]


async def test_a_followed_link_gets_the_ca_and_health(client: Client) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}

    assert (await client.get("/_mock/health", headers=headers)).status == 200


def test_the_fixture_that_the_docs_show_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parent.parent / "docs" / "users.md").read_text()
    (shown,) = [block.code for block in blocks(page) if block.language == "json"]
    path = tmp_path / "own.json"
    path.write_text(shown)

    seed = load_seed([str(path)], [])

    assert [user["uid"] for user in seed.users] == ["alice", "bob"]

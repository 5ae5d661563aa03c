"""What apps ask for by themselves after a login (sdk-wire 14)."""

import calendar
from typing import Any

from mockchat.core import errors
from tests.answers import assert_error, body_of, data_of, details_of
from tests.faulty import add_fault
from tests.helpers import steer
from tests.sessions import by_token, connect, log_in
from tests.values import NOW, REST_KEY, Client, Json

ONLINE = "/api/v3.0/online-members"
PREFERENCES = "/notifications/v1/preferences"
KINDS = ("Messages", "Replies", "QuotedReplies", "Reactions")
EVENTS = ("Left", "Added", "Joined", "Kicked", "Banned", "Unbanned", "ScopeChanged")
ALL_DAY: Json = {"from": 0, "to": 2359, "dnd": False}
DEFAULTS: Json = {  # 1 is off and 2 is on
    "groupPreferences": {
        **{f"group{kind}": 2 for kind in KINDS},
        **{f"groupMember{event}": 1 for event in EVENTS},
    },
    "oneOnOnePreferences": {f"oneOnOne{kind}": 2 for kind in KINDS},
    "mutePreferences": {"dnd": 1, "schedule": {day.lower(): ALL_DAY for day in calendar.day_name}},
    "usePrivacyTemplate": True,
}
TOKENS = "/notifications/push/v1/tokens"


async def push_tokens_in_state(client: Client) -> list[Any]:
    state = await steer(client, "GET", "state", app="APP_ID")
    return [token.get("pushTokens") for token in state["apps"]["APP_ID"]["authTokens"]]


async def test_online_counts_follow_the_sockets(client: Client) -> None:
    me = await log_in(client, "superhero1")
    headers = {"Authorization": me["jwt"]}
    body = {"groups": ["a", "b"]}
    assert (await data_of(client.get(ONLINE, headers=headers)))["onlineUsersCount"] == 0

    await connect(client, me)
    await connect(client, await log_in(client, "superhero2", deviceId="d2"))

    counts = await data_of(client.post(ONLINE, json=body, headers=headers))
    assert counts == {"onlineUsersCount": 2, "groups": {"a": 0, "b": 0}}
    await assert_error(client.post(ONLINE), errors.AUTH_TOKEN_MISSING)
    refused = client.post(ONLINE, headers={"Authorization": "x.y.z"})
    await assert_error(refused, errors.AUTH_TOKEN_UNKNOWN, "live", token="x.y.z")


async def test_faults_and_the_journal_know_who_asks_for_online_counts(client: Client) -> None:
    ones = [await log_in(client, uid, deviceId=uid) for uid in ("superhero1", "superhero2")]
    await add_fault(client, "token_expired", uid="superhero1")

    answers = [await client.post(ONLINE, headers={"Authorization": one["jwt"]}) for one in ones]

    assert [one.status for one in answers] == [401, 200]
    operation = {"operation": "count_online_members"}
    found = await body_of(client.get("/_mock/journal", params={"uid": "superhero2", **operation}))
    assert [one["status"] for one in found["exchanges"]] == [200]


async def test_a_conversation_with_a_user_or_any_group_is_empty(client: Client) -> None:
    headers = by_token((await log_in(client, "superhero2"))["authToken"])
    behalf = {**REST_KEY, "onBehalfOf": "superhero1"}

    found = await data_of(client.get("/users/superhero1/conversation", headers=headers))
    group = await data_of(client.get("/groups/a-group/conversation", headers=behalf))

    assert found.pop("conversationWith")["uid"] == "superhero1"
    assert found == {
        "conversationId": "superhero1_user_superhero2",
        "conversationType": "user",
        "unreadMessageCount": 0,
        "createdAt": NOW,
        "updatedAt": NOW,
    }
    assert group["conversationId"] == "group_a-group"
    assert group["conversationWith"]["guid"] == "a-group"


async def test_conversations_can_be_marked_and_nothing_is_unread(client: Client) -> None:
    headers = by_token((await log_in(client, "superhero1"))["authToken"])

    for owner in ("users/superhero2", "groups/a-group"):
        for mark in ("read", "delivered"):
            path = f"/{owner}/conversation/{mark}"
            assert (await data_of(client.post(path, headers=headers)))["success"] is True
    unread = "/campaigns/notification-feed/unread-count"
    assert await data_of(client.get(unread, headers=headers)) == {"count": 0}


async def test_preferences_keep_what_is_set_and_their_form(client: Client) -> None:
    headers = by_token((await log_in(client, "superhero1"))["authToken"])
    body = {
        "groupPreferences": {"groupMessages": 1, "groupReplies": "often", "unheardOf": None},
        "mutePreferences": {"schedule": {"monday": {"dnd": True}, "tuesday": None}},
        "usePrivacyTemplate": False,
    }
    schedule = DEFAULTS["mutePreferences"]["schedule"]
    expected = {
        **DEFAULTS,
        "groupPreferences": {**DEFAULTS["groupPreferences"], "groupMessages": 1},
        "mutePreferences": {
            **DEFAULTS["mutePreferences"],
            "schedule": {**schedule, "monday": {**ALL_DAY, "dnd": True}},
        },
        "usePrivacyTemplate": False,
    }
    assert await data_of(client.get(PREFERENCES, headers=headers)) == DEFAULTS

    assert await data_of(client.patch(PREFERENCES, json=body, headers=headers)) == expected
    old = "/notifications/push/v1/preferences"
    assert await data_of(client.get(old, headers=headers)) == expected
    assert await data_of(client.delete(old, headers=headers)) == DEFAULTS


async def test_a_time_zone_is_kept_and_a_key_says_whose(client: Client) -> None:
    headers = by_token((await log_in(client, "superhero1"))["authToken"])
    path = f"{PREFERENCES}/timezone"
    assert (await data_of(client.get(path, headers=headers)))["timezone"] == "UTC"

    await data_of(client.patch(path, json={"timezone": "Asia/Tokyo"}, headers=headers))

    zone = await data_of(client.get(path, headers=headers))
    assert zone == {"success": True, "timezone": "Asia/Tokyo"}
    details = await details_of(client.get(PREFERENCES, headers=REST_KEY))
    assert details == {"onBehalfOf": ["The on behalf of field is required."]}


async def test_push_tokens_belong_to_a_login_and_end_with_it(client: Client) -> None:
    token = (await log_in(client, "superhero1"))["authToken"]
    info = {"pushNotification": {"fcmDeviceToken": "old-style"}}
    body = {"platform": "fcm_android", "fcmToken": "new-style"}

    await data_of(client.put("/me", json={"appInfo": info}, headers=by_token(token)))
    await data_of(client.post(TOKENS, json=body, headers=by_token(token)))

    both = {"fcm": "old-style", "fcm_android": "new-style"}
    assert await push_tokens_in_state(client) == [both]
    listed = (await data_of(client.get(TOKENS, headers=REST_KEY)))["pushTokens"]
    assert {one["pushToken"]: one["authToken"] for one in listed} == dict.fromkeys(
        both.values(), token
    )
    await data_of(client.delete("/me", headers=by_token(token)))
    assert await push_tokens_in_state(client) == []


async def test_push_tokens_are_forgotten_when_asked(client: Client) -> None:
    token = (await log_in(client, "superhero1"))["authToken"]
    body = {"platform": "apns", "voipToken": "v", "authToken": token}
    await data_of(client.post(TOKENS, json=body, headers=REST_KEY))

    await data_of(client.delete(TOKENS, headers=by_token(token)))

    assert (await data_of(client.get(TOKENS, headers=by_token(token)))) == {"pushTokens": []}
    without = {"platform": "fcm_web"}
    assert "fcmToken" in await details_of(client.post(TOKENS, json=without, headers=REST_KEY))

"""Users: create (reference section 5)."""

import json
import re
from typing import Any

from mockchat.core import errors
from tests.answers import assert_error, body_of, data_of, details_of, error_of
from tests.helpers import create_user, get_user
from tests.rows import each_row
from tests.values import AUTH_KEY, NOW, REST_KEY, Client, Json, Serve

AVATAR = "https://img.example/a.png"
NOES: list[Json] = [False, "false", "0", 0, ""]
FIELDS = ("avatar", "link", "metadata", "tags", "statusMessage", "role")


async def test_a_new_user_has_the_service_s_defaults_in_compact_json(client: Client) -> None:
    body = {"uid": "u1", "name": "Zoë", "avatar": "https://a.example/x.png"}

    response = await client.post("/users", json=body, headers=REST_KEY)

    assert await response.text() == (
        r'{"data":{"uid":"u1","name":"Zoë","avatar":"https:\/\/a.example\/x.png",'
        r'"status":"offline","role":"default","createdAt":1700000000}}'
    )
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "must-revalidate, no-cache, private"
    assert await create_user(client, "u2") == {
        "uid": "u2",
        "name": "User u2",
        "status": "offline",
        "role": "default",
        "createdAt": NOW,
    }


async def test_what_a_user_is_created_with_comes_back(client: Client) -> None:
    fields = {
        "avatar": AVATAR,
        "link": "http://u.example",
        "statusMessage": "busy",
        "metadata": {"@private": {"email": "a@b.c"}, "n": [1, None]},
        "tags": ["a", "b"],
        "role": "default",
    }

    created = await create_user(client, "u1", **fields, withAuthToken=True)
    by_text = await create_user(client, "u2", metadata=json.dumps({"a": {"b": 1}}))

    assert [name for name in created if name != "statusMessage"] == [  # the recorded order
        *("uid", "name", "link", "avatar", "metadata", "status", "role", "createdAt"),
        *("tags", "authToken"),
    ]
    assert created.items() >= fields.items()
    assert (await get_user(client, "u1")).items() >= fields.items()
    assert by_text["metadata"] == {"a": {"b": 1}}


async def test_nulls_and_the_whole_user_object_of_an_sdk_are_welcome(client: Client) -> None:
    sdk = {"hasBlockedMe": False, "blockedByMe": False, "deactivatedAt": 0}
    android = {"lastActiveAt": "0", "status": "online"}
    nulls: list[Json] = [{field: None} for field in (*FIELDS, "withAuthToken")]
    for number, fields in enumerate([*nulls, {**sdk, **android}]):
        user = await create_user(client, f"u{number}", **fields)

        assert list(user) == ["uid", "name", "status", "role", "createdAt"], fields
        assert user["status"] == "offline", fields


async def test_a_uid_is_lower_cased_on_creation_and_looked_up_in_any_case(client: Client) -> None:
    assert (await create_user(client, "Mixed-Case_1"))["uid"] == "mixed-case_1"
    assert (await create_user(client, "u" * 100, name="x"))["uid"] == "u" * 100
    assert (await create_user(client, 5))["uid"] == "5"  # type: ignore[arg-type]

    for uid in ("mixed-case_1", "MIXED-Case_1", "cometchat-UID-1", "superhero1"):
        assert (await get_user(client, uid))["uid"].lower() == uid.lower()
    assert (await get_user(client, "superHero1"))["uid"] == "SUPERHERO1"  # as the fixture has it


async def test_an_auth_token_comes_only_when_asked_for_and_logs_in(client: Client) -> None:
    for number, flag in enumerate((True, "true", "1", 1)):
        user = await create_user(client, f"u{number}", withAuthToken=flag)

        assert re.fullmatch(rf"u{number}_1700000000[0-9a-f]{{30}}", user["authToken"]), flag
        me = await data_of(client.put("/me", headers={"authToken": user["authToken"]}))
        assert me["uid"] == f"u{number}"
    for number, fields in enumerate([{}, *({"withAuthToken": no} for no in NOES)]):
        assert "authToken" not in await create_user(client, f"v{number}", **fields), fields


async def test_a_taken_uid_is_refused_even_if_its_user_is_deactivated(client: Client) -> None:
    await create_user(client, "u1")

    for uid in ("u1", "U1"):
        body = {"uid": uid, "name": "x"}
        error = await error_of(client.post("/users", json=body, headers=REST_KEY), 400)
        assert error == {
            "message": "The uid u1 already exists. Please use another uid or try after "
            "permanently deleting the user.",
            "devMessage": "The uid u1 already exists. Please use another uid or try recreating "
            "after permanently deleting the user.",
            "source": "chat-api",
            "code": "ERR_UID_ALREADY_EXISTS",
        }
    await data_of(client.delete("/users/u1", headers=REST_KEY))
    creation = client.post("/users", json={"uid": "u1", "name": "x"}, headers=REST_KEY)
    await assert_error(creation, errors.UID_ALREADY_EXISTS, uid="u1")


_UIDS = [
    ({}, errors.UID_INVALID, "The uid field is required."),
    ({"uid": None}, errors.UID_INVALID, "The uid field is required."),
    ({"uid": ""}, errors.UID_INVALID, "The uid field is required."),
    ({"uid": "  "}, errors.UID_INVALID, "The uid field is required."),
    ({"uid": "u" * 101}, errors.UID_INVALID, None),
    ({"uid": "ü"}, errors.UID_INVALID, None),
    ({"uid": "a/b"}, errors.UID_INVALID, None),
    ({"uid": ["u"]}, errors.UID_INVALID, None),
    ({"uid": True}, errors.UID_INVALID, None),
    ({"uid": "u 1"}, errors.UID_WITH_SPACE, None),
    ({"uid": "u\t1"}, errors.UID_WITH_SPACE, None),
    ({"uid": " u1"}, errors.UID_WITH_SPACE, None),
]


@each_row(("body", "row", "text"), _UIDS)
async def test_a_uid_against_the_rules_is_refused_in_both_dialects(
    client: Client, body: dict[str, Any], row: errors.ErrorDef, text: str | None
) -> None:
    def create(dialect: str) -> Any:
        headers = {**REST_KEY, "X-Mock-Errors": dialect}
        return client.post("/users", json={"name": "x", **body}, headers=headers)

    await assert_error(create("documented"), row)
    details = await details_of(create("live"))

    assert list(details) == ["uid"]
    assert details["uid"] == [text] if text else len(details["uid"]) == 1


async def test_a_new_user_needs_a_name_and_all_missing_fields_are_named(client: Client) -> None:
    for body in ({}, {"name": ""}, {"name": " "}, {"name": None}):
        creation = client.post("/users", json={"uid": "u1", **body}, headers=REST_KEY)
        error = await error_of(creation, 400)
        assert error["details"] == {"name": ["The name field is required."]}, body
        assert list(error) == ["message", "devMessage", "source", "details", "code"]
        assert error["message"] == "Failed to validate the data sent with the request."
        assert error["devMessage"] == error["message"]
    headers = {**REST_KEY, "X-Mock-Errors": "live"}

    details = await details_of(client.post("/users", json={}, headers=headers))

    assert details == {
        "uid": ["The uid field is required."],
        "name": ["The name field is required."],
    }


@each_row(
    ("field", "good", "bad"),
    [
        ("name", "n" * 100, "n" * 101),
        ("name", "😀" * 50, "😀" * 51),
        ("avatar", f"http://a/{'x' * 2991}", f"http://a/{'x' * 2992}"),
        ("link", f"http://a/{'x' * 2991}", f"http://a/{'x' * 2992}"),
        ("metadata", {"k": "x" * (5 * 1024 - 8)}, {"k": "x" * (5 * 1024 - 7)}),
        ("tags", ["t"] * 25, ["t"] * 26),
        ("role", "default", "nobody"),
        ("avatar", "HTTPS://A.example", "a.example"),
        ("link", "https://u.example?q=1", "no url"),
        ("metadata", {}, "text"),
        ("metadata", [], [1]),
        ("tags", [], "text"),
        ("withAuthToken", "true", "maybe"),
        ("statusMessage", 5, {"a": 1}),
    ],
)
async def test_each_field_has_limits(client: Client, field: str, good: object, bad: object) -> None:
    await create_user(client, "good", **{field: good})
    body = {"uid": "bad", "name": "x", field: bad}

    details = await details_of(client.post("/users", json=body, headers=REST_KEY))

    assert list(details) == [field]


async def test_a_refused_field_is_told_by_its_place_and_reason(client: Client) -> None:
    body = {"uid": "u1", "name": "x", "tags": [" ", "fine", "t" * 101], "avatar": "nope"}

    details = await details_of(client.post("/users", json=body, headers=REST_KEY))

    assert details["tags.0"] == ["The tags.0 field is required."]
    assert details["avatar"] == ["The avatar must be a valid URL."]
    assert details.keys() == {"tags.0", "tags.2", "avatar"}


async def test_an_auth_key_may_create_users_and_is_checked_before_the_body(client: Client) -> None:
    creation = client.post("/users", json={"uid": "u1", "name": "x"}, headers=AUTH_KEY)

    assert (await data_of(creation))["uid"] == "u1"
    refused = client.post("/users", json={}, headers={"apikey": "wrong"})
    await assert_error(refused, errors.KEY_UNKNOWN, key="wrong")


async def test_a_full_app_refuses_a_user_after_the_key_and_before_anything_in_the_body(
    serve: Serve,
) -> None:
    client = await serve(fixture="empty", max_users=2)
    await create_user(client, "first")
    await create_user(client, "second")
    await data_of(client.delete("/users/second", headers=REST_KEY))  # deactivated, still there

    bodies: list[Json] = [{"uid": "third", "name": "C"}, {"uid": "first", "name": "A"}, {}, [1]]
    for body in bodies:
        error = await error_of(client.post("/users", json=body, headers=AUTH_KEY), 402)
        assert error["code"] == "ERR_PLAN_QUOTA_RESTRICTION", body
        assert (
            error["devMessage"]
            == error["message"]
            == (
                "You've exhausted the quota. The allowed limit of the feature Create User for your "
                "current plan free-2023-01 is 2. Please upgrade the plan to increase the limit."
            )
        )
    await assert_error(client.post("/users", json={}), errors.KEY_MISSING)

    await data_of(client.delete("/users/second", json={"permanent": True}, headers=REST_KEY))
    await create_user(client, "third")


async def test_the_preset_of_a_full_app_says_what_the_recording_says(serve: Serve) -> None:
    wanted = errors.QUOTA_REACHED
    for settings, quota in ({}, 25), ({"max_users": 100}, 100):
        client = await serve(**settings)
        await body_of(client.post("/_mock/faults", json={"kind": "quota_reached"}))

        refused = client.post("/users", json={"uid": "u", "name": "U"}, headers=AUTH_KEY)
        await assert_error(refused, wanted, feature="Create User", quota=quota)

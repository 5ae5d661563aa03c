"""Api keys: create, list, get, update and delete (reference section 4)."""

import re
from itertools import product
from typing import Any

from mockchat.core import errors
from mockchat.core.clock import Clock
from tests.answers import assert_error, body_of, data_of, details_of
from tests.helpers import create_user
from tests.rows import each_row
from tests.values import NOW, REST_KEY, Client, Json


async def create_key(client: Client, name: str = "mine", **fields: Json) -> Json:
    body = {"name": name, **fields}
    return await data_of(client.post("/apikeys", json=body, headers=REST_KEY))


async def names(client: Client, query: str = "") -> list[str]:
    answer = await data_of(client.get(f"/apikeys{query}", headers=REST_KEY))
    return [key["name"] for key in answer]


# --- create ---------------------------------------------------------------------------------
async def test_a_new_key_has_forty_digits_and_opens_what_its_scope_tells(client: Client) -> None:
    key = await create_key(client)
    assert list(key) == ["apiKey", "name", "scope", "createdAt"]
    assert re.fullmatch(r"[0-9a-f]{40}", key["apiKey"])
    assert (key["name"], key["scope"], key["createdAt"]) == ("mine", "authOnly", NOW)

    full = {"apikey": (await create_key(client, "full", scope="fullAccess"))["apiKey"]}
    auth = {"apikey": (await create_key(client, "auth", scope="authOnly"))["apiKey"]}
    assert await data_of(client.get("/users", headers=full))
    await data_of(client.post("/users", json={"uid": "u1", "name": "x"}, headers=auth))
    await assert_error(client.get("/users", headers=auth), errors.NO_ACCESS)


@each_row(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": " "}, "name"),
        ({"name": "n" * 101}, "name"),
        ({"name": "x", "scope": ""}, "scope"),
        ({"name": "x", "scope": "everything"}, "scope"),
    ],
)
async def test_a_new_key_is_checked(client: Client, body: dict[str, Any], field: str) -> None:
    details = await details_of(client.post("/apikeys", json=body, headers=REST_KEY))

    assert list(details) == [field]


async def test_a_key_s_name_is_its_own_and_may_be_kept(client: Client) -> None:
    key = await create_key(client, "mine")

    details = await details_of(client.post("/apikeys", json={"name": "mine"}, headers=REST_KEY))
    changed = client.put(f"/apikeys/{key['apiKey']}", json={"name": "mine"}, headers=REST_KEY)

    assert details == {"name": ["The name has already been taken."]}
    assert (await data_of(changed))["name"] == "mine"


async def test_an_app_has_at_most_twenty_five_keys(client: Client) -> None:
    for number in range(25 - len(await names(client))):
        await create_key(client, f"key {number}")

    one_more = client.post("/apikeys", json={"name": "one more"}, headers=REST_KEY)

    await assert_error(one_more, errors.QUOTA_REACHED, feature="Create Api Key", quota=25)


# --- list -----------------------------------------------------------------------------------
async def test_a_new_app_has_the_dashboard_s_keys(client: Client) -> None:
    answer = await body_of(client.get("/apikeys", headers=REST_KEY))

    scopes = {key["apiKey"]: key["scope"] for key in answer["data"]}
    assert scopes == {"AUTH_KEY": "authOnly", "API_KEY": "authOnly", "REST_API_KEY": "fullAccess"}
    assert answer["meta"]["pagination"]["per_page"] == 100
    assert answer["meta"]["pagination"]["total"] == 3
    assert "cursor" not in answer["meta"]


@each_row(
    ("query", "expected"),
    [
        ("?scope=fullAccess", {"Rest API Key", "Backup"}),
        ("?scope=nonsense", set()),
        ("?searchKey=ack", {"Backup"}),
        ("?searchKey=backup&scope=authOnly", set()),
        ("?searchKey=nothing", set()),
    ],
)
async def test_keys_are_found_by_filters(client: Client, query: str, expected: set[str]) -> None:
    await create_key(client, "Backup", scope="fullAccess")

    assert set(await names(client, query)) == expected


# --- get, update, delete --------------------------------------------------------------------
async def test_a_key_is_shown_and_changed_in_part(client: Client, clock: Clock) -> None:
    key = await create_key(client)
    path = f"/apikeys/{key['apiKey']}"
    assert await data_of(client.get(path, headers=REST_KEY)) == key

    for change in ({"name": "other"}, {"scope": "fullAccess"}):
        clock.advance(5)
        key = {**key, **change, "updatedAt": int(clock.now())}
        assert await data_of(client.put(path, json=change, headers=REST_KEY)) == key
    for body in ({"name": ""}, {"scope": " "}, {"name": "Rest API Key"}):
        request = client.put(path, json=body, headers=REST_KEY)
        assert list(await details_of(request)) == list(body), body


async def test_a_deleted_key_opens_nothing(client: Client) -> None:
    value = (await create_key(client, scope="fullAccess"))["apiKey"]

    ack = await data_of(client.delete(f"/apikeys/{value}", headers=REST_KEY))

    assert ack == {
        "success": True,
        "message": f"The Api Key {value} has been deleted successfully.",
    }
    await assert_error(client.get("/users", headers={"apikey": value}), errors.KEY_UNKNOWN)
    await assert_error(
        client.delete(f"/apikeys/{value}", headers=REST_KEY), errors.APIKEY_NOT_FOUND, key=value
    )


async def test_an_unknown_key_is_not_found_and_a_key_does_nothing_to_itself(client: Client) -> None:
    for method, key in product(("GET", "PUT", "DELETE"), ("nope", "%20", "auth_key")):
        request = client.request(method, f"/apikeys/{key}", headers=REST_KEY)
        await assert_error(request, errors.APIKEY_NOT_FOUND)
    for method in ("PUT", "DELETE"):
        request = client.request(method, "/apikeys/REST_API_KEY", headers=REST_KEY)
        await assert_error(request, errors.APIKEY_SELF_ACTION)
    assert await create_user(client, "u1")

"""Roles: create, list, get, update and delete (reference section 7)."""

from itertools import product
from typing import Any

from mockchat.core import errors
from mockchat.core.clock import Clock
from tests.answers import assert_error, body_of, data_of, details_of
from tests.helpers import create_user, get_user
from tests.rows import each_row
from tests.values import NOW, REST_KEY, Client, Json

FULL: dict[str, Any] = {
    "description": "Looks after patients",
    "metadata": {"ward": 7},
    "settings": {"listUsers": "all", "sendMessagesTo": "friendsOnly"},
}


async def create_role(client: Client, role: str = "nurse", **fields: Json) -> Json:
    body = {"role": role, "name": role.title(), **fields}
    return await data_of(client.post("/roles", json=body, headers=REST_KEY))


async def test_a_role_comes_back_as_created(client: Client) -> None:
    role = await create_role(client, **FULL)

    assert role == {"role": "nurse", "name": "Nurse", **FULL, "createdAt": NOW}
    assert list(role) == ["role", "name", "description", "metadata", "settings", "createdAt"]
    assert await data_of(client.get("/roles/nurse", headers=REST_KEY)) == role
    assert (await create_role(client, "Head-Nurse"))["role"] == "head-nurse"
    assert await data_of(client.get("/roles/HEAD-nurse", headers=REST_KEY))


@each_row(
    ("body", "details"),
    [
        ({}, {"role": ["The role field is required."], "name": ["The name field is required."]}),
        ({"role": "default", "name": "x"}, {"role": ["The role has already been taken."]}),
        ({"role": "Default", "name": "x"}, {"role": ["The role has already been taken."]}),
    ],
)
async def test_a_refused_role_is_told_in_the_known_words(
    client: Client, body: dict[str, str], details: dict[str, list[str]]
) -> None:
    assert await details_of(client.post("/roles", json=body, headers=REST_KEY)) == details


@each_row(
    ("field", "bad"),
    [
        ("role", "r" * 101),
        ("role", "a b"),
        ("name", "n" * 101),
        ("description", "d" * 256),
        ("metadata", "text"),
        ("settings", [1]),
    ],
)
async def test_each_field_of_a_role_has_its_limits(client: Client, field: str, bad: object) -> None:
    body = {"role": "nurse", "name": "x", field: bad}

    details = await details_of(client.post("/roles", json=body, headers=REST_KEY))

    assert list(details) == [field]


async def test_an_app_has_at_most_twenty_five_roles(client: Client) -> None:
    for number in range(24):
        await create_role(client, f"role{number}")

    one_more = client.post("/roles", json={"role": "more", "name": "x"}, headers=REST_KEY)

    await assert_error(one_more, errors.QUOTA_REACHED, feature="Create Role", quota=25)


async def test_every_app_has_the_default_role_and_lists_its_roles_in_pages(client: Client) -> None:
    answer = await body_of(client.get("/roles", headers=REST_KEY))

    assert answer["data"] == [{"role": "default", "name": "Default Role", "createdAt": NOW}]
    assert answer["meta"] == {
        "pagination": {"total": 1, "count": 1, "per_page": 100, "current_page": 1, "total_pages": 1}
    }
    await create_role(client)
    answer = await body_of(client.get("/roles?perPage=1&page=2", headers=REST_KEY))
    assert len(answer["data"]) == 1
    assert answer["meta"]["pagination"]["total_pages"] == 2


async def test_a_role_is_changed_in_part(client: Client, clock: Clock) -> None:
    role = await create_role(client, **FULL)
    clock.advance(5)

    body = {"name": "Carer", "description": ""}
    changed = await data_of(client.put("/roles/nurse", json=body, headers=REST_KEY))

    del role["description"]
    assert changed == {**role, "name": "Carer", "updatedAt": NOW + 5}
    for number, field in enumerate(("settings", "description", "metadata")):
        role = await create_role(client, f"r{number}", **FULL)
        request = client.put(f"/roles/r{number}", json={"unset": [field]}, headers=REST_KEY)
        assert role.keys() - (await data_of(request)).keys() == {field}


async def test_a_role_keeps_a_name_and_the_default_one_stays(client: Client) -> None:
    for name in ("", " ", None):
        request = client.put("/roles/default", json={"name": name}, headers=REST_KEY)
        assert await details_of(request) == {"name": ["The name field must have a value."]}, name
    request = client.delete("/roles/Default", headers=REST_KEY)
    await assert_error(request, errors.ROLE_DELETE_DENIED, role="default")


async def test_a_deleted_role_is_gone_and_its_users_have_the_default_one(client: Client) -> None:
    await create_role(client)
    await create_user(client, "ann", role="nurse")
    assert (await get_user(client, "ann"))["role"] == "nurse"

    ack = await data_of(client.delete("/roles/nurse", headers=REST_KEY))

    assert ack == {"success": True, "message": "Role nurse has been deleted successfully."}
    assert (await get_user(client, "ann"))["role"] == "default"
    request = client.get("/roles/nurse", headers=REST_KEY)
    await assert_error(request, errors.ROLE_NOT_FOUND, role="nurse")
    for method, role in product(("GET", "PUT", "DELETE"), ("nope", "%20")):
        request = client.request(method, f"/roles/{role}", headers=REST_KEY)
        await assert_error(request, errors.ROLE_NOT_FOUND)

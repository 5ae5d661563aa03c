"""Verbs of the tests: what a back end and a tester do."""

import asyncio
from collections import defaultdict
from typing import Any

from aiohttp import ClientResponse

from mockchat.api.access import Access
from mockchat.api.operation import Operation
from mockchat.wire.app import STORE
from tests.answers import body_of, data_of
from tests.sessions import by_token, issue_token
from tests.values import PATIENCE, REST_KEY, Client, Json


async def create_user(client: Client, uid: str, **fields: Json) -> Json:
    body = {"uid": uid, "name": f"User {uid}", **fields}
    return await data_of(client.post("/users", json=body, headers=REST_KEY))


async def get_user(client: Client, uid: str) -> Json:
    return await data_of(client.get(f"/users/{uid}", headers=REST_KEY))


async def perform(client: Client, operation: Operation, **options: Any) -> ClientResponse:
    """Call an operation with credentials and a path that it takes."""
    wanted = operation.access is Access.TOKEN or "{authToken}" in operation.path
    token = await issue_token(client, "superhero2") if wanted else ""
    known = {"uid": "superhero2", "authToken": token, "role": "default", "apiKey": "API_KEY"}
    values = defaultdict(lambda: "any", known)
    headers = by_token(token) if operation.access is Access.TOKEN else REST_KEY
    path = operation.path.format_map(values)
    return await client.request(operation.method, path, headers=headers, **options)


async def journal_of(client: Client, **query: Any) -> list[Json]:
    """The exchanges that the journal lists."""
    exchanges: list[Json] = (await body_of(client.get("/_mock/journal", params=query)))["exchanges"]
    return exchanges


async def steer(client: Client, method: str, path: str, **body: Json) -> Json:
    """Call the control API, which must do what it is told."""
    return await body_of(client.request(method, f"/_mock/{path}", json=body))


async def uids_of(client: Client, app: str = "APP_ID") -> list[str]:
    """The uids of an app's users, newest first."""
    found = await data_of(client.get(f"/apps/{app}/v3/users", headers=REST_KEY))
    return [user["uid"] for user in found]


async def state_of(client: Client) -> Json:
    """The contents of all apps by their ids."""
    return (await body_of(client.get("/_mock/state")))["apps"]


async def until_watched(client: Client) -> None:
    """Wait until a client waits for the journal."""
    async with asyncio.timeout(PATIENCE):
        while not client.app[STORE].journals.watchers.present:
            await body_of(client.get("/_mock/health"))

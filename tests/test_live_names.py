"""Live names in one process: requests, httpx and aiohttp reach the mock by the vendor's hosts."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import aiohttp
import httpx
import pytest
import requests

from mockchat import Config, MockApp, MockChat

_PATH = ".api-us.cometchat.io/v3/users/superhero1"
_KEY = {"apikey": "REST_API_KEY"}


def by_requests(url: str) -> Any:
    return requests.get(url, headers=_KEY, timeout=30).json()


def by_httpx(url: str) -> Any:
    return httpx.get(url, headers=_KEY, timeout=30).json()


def by_async_httpx(url: str) -> Any:
    async def ask() -> Any:
        async with httpx.AsyncClient(timeout=30) as client:
            return (await client.get(url, headers=_KEY)).json()

    return asyncio.run(ask())


def by_aiohttp(url: str) -> Any:
    async def ask() -> Any:
        async with aiohttp.ClientSession() as client, client.get(url, headers=_KEY) as answer:
            return await answer.json()

    return asyncio.run(ask())


CLIENTS: tuple[Callable[[str], Any], ...] = (by_requests, by_httpx, by_async_httpx, by_aiohttp)


def test_the_usual_clients_reach_the_app_of_a_live_name(mockchat: MockApp) -> None:
    with mockchat.live_names():
        for client in CLIENTS:
            for scheme in ("https", "http"):
                found = client(f"{scheme}://{mockchat.app_id}{_PATH}")
                assert found["data"]["name"] == "Iron Man", (client, scheme)
        assert mockchat.journal.count(operation="get_user") == 2 * len(CLIENTS)
        # Any other host stays what it is, the server itself among them.
        assert requests.get(f"{mockchat.url}/users/superhero1", headers=_KEY, timeout=30).ok
    assert "mockchat" not in socket.getaddrinfo.__module__


def test_a_port_that_the_mock_lacks_is_refused_and_never_asked_elsewhere() -> None:
    with (
        MockChat(Config(port=0, https_port=None)).in_thread() as mock,
        mock.live_names(),
        pytest.raises(requests.ConnectionError, match="mockchat serves no port 443 here"),
    ):
        by_requests(f"https://app{_PATH}")

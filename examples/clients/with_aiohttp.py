"""Issues an auth token by aiohttp, which trusts whom SSL_CERT_FILE names."""

import asyncio
import os

import aiohttp

CHAT = os.environ.get("CHAT_URL", "https://testapp.api-us.cometchat.io/v3")


async def main() -> None:
    """Print whose auth token it is."""
    path, key = f"{CHAT}/users/cometchat-uid-1/auth_tokens", {"apikey": "REST_API_KEY"}
    async with aiohttp.ClientSession() as session, session.post(path, headers=key) as answer:
        answer.raise_for_status()
        print((await answer.json())["data"]["uid"])


asyncio.run(main())

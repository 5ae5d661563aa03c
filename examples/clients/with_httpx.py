"""Issues an auth token by httpx, which trusts whom SSL_CERT_FILE names."""

import os

import httpx

CHAT = os.environ.get("CHAT_URL", "https://testapp.api-us.cometchat.io/v3")

answer = httpx.post(f"{CHAT}/users/cometchat-uid-1/auth_tokens", headers={"apikey": "REST_API_KEY"})
answer.raise_for_status()
print(answer.json()["data"]["uid"])

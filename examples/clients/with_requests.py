"""Issues an auth token by requests, which trusts whom REQUESTS_CA_BUNDLE names."""

import os

import requests

CHAT = os.environ.get("CHAT_URL", "https://testapp.api-us.cometchat.io/v3")

answer = requests.post(
    f"{CHAT}/users/cometchat-uid-1/auth_tokens", headers={"apikey": "REST_API_KEY"}, timeout=10
)
answer.raise_for_status()
print(answer.json()["data"]["uid"])

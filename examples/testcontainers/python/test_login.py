"""A suite with a mockchat of its own. It needs Docker, or Podman's socket in DOCKER_HOST."""

from collections.abc import Iterator

import httpx
import pytest
from mockchat_container import MockChatContainer

KEY = {"apikey": "REST_API_KEY"}


@pytest.fixture(scope="session")
def mockchat() -> Iterator[MockChatContainer]:
    """One server for the whole run: tests that change users take an app id each."""
    with MockChatContainer(random_seed="1") as server:
        yield server


def test_a_back_end_issues_an_auth_token(mockchat: MockChatContainer) -> None:
    path = f"{mockchat.url}/apps/backend/v3/users/cometchat-uid-1/auth_tokens"

    answer = httpx.post(path, headers=KEY)

    assert answer.json()["data"]["uid"] == "cometchat-uid-1"


def test_a_client_trusts_the_server(mockchat: MockChatContainer) -> None:
    path = f"{mockchat.https_url}/v3/users/cometchat-uid-2"

    answer = httpx.get(path, headers=KEY, verify=mockchat.trust())

    assert answer.json()["data"]["name"] == "George Alan"

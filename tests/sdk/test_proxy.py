"""The mock's proxy, used by those it is for: the SDK has no host option set, only the proxy."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from mockchat import Config, MockChat
from tests.sdk.harness import Facts, environment_for, facts_from
from tests.sdk.matrix import MILESTONES
from tests.sdk.test_sdk import step

PACKAGE = "chat-4.2.0"
LIMIT = 90
NODE, CHROMIUM = "Node", "Chromium"
USER = {"uid": "only-there", "name": "Only There"}
KEY = {"apikey": "REST_API_KEY"}


@pytest.fixture(scope="module")
def ca_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ca")


@pytest.fixture(scope="module")
def mock(ca_dir: Path) -> Iterator[MockChat]:
    config = Config(port=0, https_port=0, proxy_port=0, ca_dir=str(ca_dir))
    with MockChat(config).in_thread() as mock:
        yield mock


@pytest.fixture(scope="module")
def other(ca_dir: Path) -> Iterator[MockChat]:
    """Another host, with a user that the mock does not have."""
    with MockChat(Config(port=0, https_port=0, ca_dir=str(ca_dir))).in_thread() as other:
        other.create_user(USER["uid"], USER["name"])
        yield other


# --- the chat SDK ---------------------------------------------------------------------------
@pytest.fixture(scope="module")
def runs(mock: MockChat, other: MockChat, node_modules: None) -> Iterator[dict[str, Future[Facts]]]:
    environment = environment_for(mock) | {
        "MOCKCHAT_PROXY_URL": str(mock.proxy_url),
        "MOCKCHAT_OTHER_URL": str(other.https_url),
        "MOCKCHAT_APP_ID": "node-by-proxy",
        "HTTPS_PROXY": str(mock.proxy_url),
        "NO_PROXY": "",
    }
    node = ["node_runner.mjs", PACKAGE, "steps-by-proxy"]
    chromium = ["browser_runner.mjs", f"{PACKAGE}=chromium-by-proxy"]
    with ThreadPoolExecutor() as pool:
        yield {
            NODE: pool.submit(facts_from, node, environment, LIMIT),
            CHROMIUM: pool.submit(lambda: facts_from(chromium, environment, LIMIT)[0]),
        }


@pytest.fixture(params=[NODE, CHROMIUM])
def run(request: pytest.FixtureRequest, runs: dict[str, Future[Facts]]) -> Facts:
    return runs[request.param].result()


def test_by_the_proxy_the_sdk_does_what_it_does_without(run: Facts) -> None:
    run = {"consoleErrors": [], **run}  # Node has no such console
    for check in MILESTONES.values():
        check(run)


def test_the_sdk_knows_the_live_host_names_alone(run: Facts, other: MockChat) -> None:
    elsewhere = urlsplit(other.https_url).netloc
    asked = {one["host"] for one in (*run["fetches"], *run["sockets"])} - {elsewhere}

    (app,) = {host.partition(".")[0] for host in asked}
    assert app.endswith("-by-proxy")
    assert asked == {f"{app}.{name}-us.cometchat.io" for name in ("api", "apiclient", "websocket")}


def test_a_request_of_the_app_for_another_host_ends_there(run: Facts) -> None:
    assert step(run, "another_host")["data"]["uid"] == USER["uid"]


# --- a back end in Python -------------------------------------------------------------------
@pytest.fixture
def back_end(mock: MockChat, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a program that is told of the proxy and the CA, and of nothing else."""
    for name in ("no_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HTTPS_PROXY", str(mock.proxy_url))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(mock.ca_path))


def test_requests_finds_the_mock_under_a_live_host_name(mock: MockChat, back_end: None) -> None:
    tokens = "https://back-end.api-us.cometchat.io/v3/users/cometchat-uid-1/auth_tokens"

    answer = requests.post(tokens, headers=KEY, timeout=LIMIT)

    assert answer.json()["data"]["uid"] == "cometchat-uid-1"
    mock.app("back-end").journal.assert_called(
        count=1, method="POST", headers={"Host": "back-end.api-us.cometchat.io"}
    )


def test_a_request_for_another_host_ends_there(
    mock: MockChat, other: MockChat, back_end: None
) -> None:
    exchanges = mock.journal.count()
    url = f"{other.https_url}/v3/users/{USER['uid']}"

    answer = requests.get(url, headers={**KEY, "X-Told": "of the back end"}, timeout=LIMIT)

    assert answer.json()["data"]["name"] == USER["name"]
    other.journal.assert_called(
        headers={"X-Told": "of the back end", "Host": urlsplit(str(other.https_url)).netloc}
    )
    assert mock.journal.count() == exchanges


def test_with_only_live_requests_is_told_why_another_host_is_refused(
    other: MockChat, ca_dir: Path, back_end: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config(port=0, https_port=0, proxy_port=0, proxy_only_live=True, ca_dir=str(ca_dir))

    with MockChat(config).in_thread() as strict:
        monkeypatch.setenv("HTTPS_PROXY", str(strict.proxy_url))

        with pytest.raises(requests.exceptions.ProxyError, match="--proxy-allow"):
            requests.get(f"{other.https_url}/v3/users", timeout=LIMIT)

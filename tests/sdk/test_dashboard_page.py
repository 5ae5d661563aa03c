"""The dashboard in headless Chromium, point by point (`dashboard_runner.mjs`), and its types."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mockchat import Config, MockChat
from mockchat.control.about import FOLDER
from tests.sdk.conftest import ARTEFACTS, RUN_LIMIT
from tests.sdk.harness import HERE, Facts, environment_for, facts_from

PICTURES = ARTEFACTS / "dashboard"
EVIL = {"users": [{"uid": "evil", "name": "<img src=x onerror=window.pwned=1>"}]}
CHECK = "--noEmit --allowJs --checkJs --strict --target es2023 --lib es2023,dom,dom.iterable"
LONGEST_TASK = 1000  # milliseconds that the page may be busy at a time, on a machine that is, too


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockChat]:
    config = Config(port=0, https_port=0, ca_dir=str(tmp_path_factory.mktemp("ca")))
    with MockChat(config).in_thread() as mock:
        mock.seed(EVIL)
        yield mock


@pytest.fixture(scope="module")
def facts(server: MockChat, node_modules: None) -> Facts:
    PICTURES.mkdir(parents=True, exist_ok=True)
    guard = Config(port=0, https_port=None, control_token="s3cret")
    with MockChat(guard).in_thread() as guarded:
        environment = {**environment_for(server), "MOCKCHAT_GUARDED_URL": str(guarded.url)}
        found: Facts = facts_from(
            ["dashboard_runner.mjs", str(PICTURES)], environment, 3 * RUN_LIMIT
        )
    return found


def test_the_types_in_its_comments_hold(node_modules: None) -> None:
    command = [str(HERE / "node_modules" / ".bin" / "tsc"), *CHECK.split()]
    options = [
        "--module",
        "es2022",
        "--moduleResolution",
        "bundler",
        *map(str, FOLDER.glob("*.js")),
    ]

    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)

    assert done.stdout == ""
    assert done.returncode == 0


def test_a_newcomer_is_told_how_a_client_gets_here_by_what_works_as_printed(
    facts: Facts, server: MockChat
) -> None:
    start = facts["start"]
    command = [*shlex.split(start["curl"]), "--silent", "--noproxy", "*"]
    host = f"127.0.0.1:{str(server.https_url).rpartition(':')[2]}/v3.0"

    assert "login" in start["curl"]
    assert start["ca"] == "/_mock/ca.pem"
    assert len(start["codes"]) == 6
    for client, code in start["codes"].items():
        assert (
            host.replace("127.0.0.1", "10.0.2.2" if "Android" in client else "127.0.0.1") in code
            or "back end" in client
        )
    # The way that the page came by is cut by now.
    url = next(word for word in command if word.startswith("http://"))
    command[command.index(url)] = f"{server.url}/login"
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "authToken" in json.loads(answer.stdout)["data"]


def test_the_login_of_a_real_sdk_is_seen_as_it_happens(facts: Facts) -> None:
    assert facts["sdk"]["name"] == "Andrew Joseph"
    assert facts["sdk"]["frame"].startswith("→ client")
    assert "Andrew Joseph" in facts["sdk"]["login"]
    assert "WEB, " in facts["sdk"]["login"]  # its platform and device


def test_one_request_is_shown_in_full_and_copied_as_curl_and_as_an_assertion(
    facts: Facts, server: MockChat
) -> None:
    detail = facts["detail"]
    sent: Facts = {"uid": "alice", "name": 'Alice\'s "<b>" \\ ü'}
    sent |= {"metadata": {"beta": True, "none": None, "seats": 3}}
    words = shlex.split(detail["curl"])

    assert detail["coloured"] > 5
    assert words[:3] == ["curl", "-X", "POST"]
    assert json.loads(words[words.index("--data-raw") + 1]) == sent
    assert "apikey: REST_API_KEY" in words
    assert "Content-Type: application/json".lower() in [word.lower() for word in words]
    call = "mockchat.journal.assert_called("
    assert detail["pytest"].startswith(
        f'{call}operation="create_user", method="POST", path="/users"'
    )
    given = eval(f"dict({detail['pytest'].removeprefix(call)}")
    assert (given["json"], given["status"], given["uid"]) == (sent, 200, "alice")
    assert "/users/" in detail["hint"]
    assert "apikey" in detail["headers"].lower()


def test_the_list_is_filtered_paused_bounded_and_moved_in_by_keys(facts: Facts) -> None:
    counts = facts["filters"]["counts"]

    for name, word in {"Find": "alice", "UID": "cometchat", "Operation": "create_user"}.items():
        assert counts[name], name
        assert all(word in row.lower() for row in counts[name]), name
    assert all("404" in row for row in counts["Status"])
    assert [row.count("shop") for row in counts["App"]] == [1]
    assert facts["filters"]["again"] >= facts["filters"]["all"] > 5
    assert facts["pause"]["same"]
    assert (facts["keyboard"]["find"], facts["keyboard"]["back"]) == ("text", 2)
    assert facts["late"]["stays"] == [1, 1]  # an answer that comes late replaces no later one
    assert facts["flood"]["rows"] == 1000
    assert facts["flood"]["longest"] < LONGEST_TASK


def test_the_chart_counts_the_requests_by_minute_and_status(facts: Facts) -> None:
    chart = facts["flood"]["chart"]
    refused = re.search(r"(\d+) refused \(4xx\)", chart["told"])

    assert chart["told"].startswith("the last 30 minutes")
    assert refused
    assert 900 < int(refused[1]) <= 1000  # the flood asked for users that there are not
    assert len(chart["heights"]) == 30
    assert max(chart["heights"]) == 100


def test_it_connects_again_by_itself_and_misses_nothing(facts: Facts) -> None:
    assert facts["reconnect"]["text"].startswith("disconnected")


def test_users_are_made_changed_logged_out_and_deleted_without_a_trace(facts: Facts) -> None:
    users = facts["users"]

    assert (users["me"]["uid"], users["me"]["name"]) == ("bob", "Bobby")
    assert users["dead"] == 401
    assert "already" in users["refused"]
    assert users["journal"]["count"] == 0


def test_whatever_steers_the_mock_is_steered_and_a_banner_tells_what_is_in_force(
    facts: Facts,
) -> None:
    assert facts["faults"] == {"struck": 404, "then": 200}
    assert facts["clockAndLogins"]["login"] == 200
    assert facts["snapshots"]
    assert (facts["settings"]["rules"]["errors"], facts["settings"]["rules"]["rateLimit"]) == (
        "live",
        77,
    )
    assert "HTTPS port" in facts["settings"]["told"]


def test_every_view_is_accessible_in_both_themes_and_fits_a_narrow_window(facts: Facts) -> None:
    assert facts["views"]["found"] == {}
    assert facts["views"]["theme"] == "light"
    assert len(list(Path(PICTURES).glob("*-360-dark.png"))) == 8


def test_it_asks_for_the_control_token_which_is_in_no_address(facts: Facts) -> None:
    assert "s3cret" not in facts["token"]["address"]


def test_user_content_is_text_and_nothing_goes_wrong_on_the_way(facts: Facts) -> None:
    offline = ("net::ERR_CONNECTION", "net::ERR_INCOMPLETE", "net::ERR_EMPTY")
    errors = [one["text"] for one in facts["consoleErrors"]]

    assert (facts["dialogs"], facts["pwned"], facts["unhandled"]) == ([], None, [])
    assert set(facts["views"]["images"]) == {"/_mock/dashboard/icon.svg"}
    refused = "Failed to load resource: the server responded with a status of 4"  # acted out above
    assert [
        one
        for one in errors
        if not one.startswith(refused) and not any(word in one for word in offline)
    ] == []

"""The page of the testing kit's verbs: signatures and texts from the code, an example each."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from typing import Any, get_overloads

from mockchat.core.clock import Clock
from mockchat.core.journal import Exchange
from mockchat.kit import Kit
from mockchat.kit.handles import Fault, Hold
from mockchat.kit.journal import JournalView
from mockchat.server import MockApp, MockChat

_HEAD = """\
# The testing kit: every verb

Written by `make docs` from the code; the examples are tests that run. `mockchat` is the pytest
fixture, an app of the test's own; `MockChat`, a whole server, has the same verbs
([the apps that they act on](library.md#apps)).

* A time span is seconds, a `timedelta`, or a text like `250ms` or `1h`. A moment is unix seconds,
  a `datetime` or ISO text; without a time zone it is in UTC.
* A refused verb raises `ApiError`, with the `code`, `status` and `message` that a client would get.
* A mistyped name raises `TypeError` or `ValueError` and names the nearest one. mypy and pyright
  refuse it, too.
* `**wanted: Wanted` and the like are keyword arguments; `mockchat.kit.names` lists them.
* A failure ends in the line of your test: pytest hides the lines of the kit.
"""

# Title, class and members, example.
SECTIONS: tuple[tuple[str, tuple[tuple[type, tuple[str, ...]], ...], str], ...] = (
    (
        "Users and logins",
        ((Kit, ("users", "create_user", "delete_user", "issue_token", "log_in", "log_out")),),
        """
def test_users_and_logins(mockchat):
    mockchat.create_user("ann", "Ann", tags=["vip"], metadata={"plan": "pro"})
    assert mockchat.users["ann"]["tags"] == ["vip"]
    token = mockchat.issue_token("ann")
    me = mockchat.log_in("ann")
    assert me["authToken"] == token == mockchat.log_in(token=token)["authToken"]
    mockchat.log_out(token)
    mockchat.delete_user("ann", permanent=False)
    assert "ann" not in mockchat.users
""",
    ),
    (
        "Faults and held logins",
        (
            (Kit, ("fail", "slow", "fault", "hold_logins")),
            (Fault, ("struck", "assert_struck", "remove")),
            (Hold, ("wait", "wait_async")),
        ),
        """
import threading

import pytest
import requests


def log_in(mockchat):
    body = {"uid": "superhero1", "authKey": mockchat.auth_key}
    return requests.post(f"{mockchat.url}/login", json=body, timeout=10)


def test_faults(mockchat):
    with mockchat.fail("ERR_UID_NOT_FOUND", operation="login", times=1) as fault:
        assert log_in(mockchat).status_code == 404
        fault.assert_struck()
        assert fault.struck == 1
    broken = mockchat.fault("truncated", path="/login", arriving=10)
    with pytest.raises(requests.RequestException):
        log_in(mockchat)
    broken.remove()
    mockchat.slow("20ms", jitter="5ms", operation="login")
    assert log_in(mockchat).ok


def test_a_held_login(mockchat):
    with mockchat.hold_logins("superhero1") as hold:
        login = threading.Thread(target=log_in, args=(mockchat,))
        login.start()
        hold.wait(timeout="10s")  # in a test with an event loop: await hold.wait_async()
        assert log_in(mockchat).json()["error"]["code"] == "ERROR_LOGIN_IN_PROGRESS"
    login.join()
""",
    ),
    (
        "The journal",
        (
            (Kit, ("journal",)),
            (
                JournalView,
                (
                    *("find", "last", "count", "wait_for", "wait_for_async"),
                    *("assert_called", "assert_not_called", "clear", "har"),
                ),
            ),
            (
                Exchange,
                ("request", "response", "method", "path", "operation", "uid"),
            ),
        ),
        """
import requests


def test_the_journal(mockchat):
    key = {"apikey": mockchat.rest_api_key}
    requests.post(f"{mockchat.url}/users", json={"uid": "ann", "name": "Ann"}, headers=key)

    call = mockchat.journal.assert_called(1, operation="create_user", json={"name": "Ann"})
    assert (call.method, call.path, call.uid, call.status) == ("POST", "/users", "ann", 200)
    assert call.request.headers["APIKEY"] == mockchat.rest_api_key
    assert call.response.json["data"]["uid"] == "ann"
    assert mockchat.journal.wait_for(operation="create_user", timeout="10s") is call
    # In a test with an event loop: await mockchat.journal.wait_for_async(…)
    assert mockchat.journal.last(path="/users") is call
    assert mockchat.journal.find(status=200) == [call]
    assert mockchat.journal.har()["log"]["entries"][0]["response"]["status"] == 200
    mockchat.journal.clear()
    mockchat.journal.assert_not_called(operation="create_user")
    assert mockchat.journal.count() == 0
""",
    ),
    (
        "State and time",
        (
            (Kit, ("seed", "snapshot", "restore", "reset", "state", "add_webhook")),
            (MockApp, ("clock",)),
            (Clock, ("now", "freeze", "advance", "resume")),
        ),
        """
from datetime import datetime, timedelta


def test_state_and_time(mockchat):
    mockchat.seed(users=20)
    mockchat.seed({"users": [{"uid": "ann", "name": "Ann"}]})
    mockchat.snapshot("before")
    mockchat.delete_user("ann")
    mockchat.restore("before")
    assert "ann" in mockchat.users
    assert mockchat.app_id in mockchat.state()
    mockchat.clock.freeze(datetime(2030, 1, 1))
    mockchat.clock.advance(timedelta(hours=1))
    assert mockchat.clock.now() == 1_893_459_600
    mockchat.clock.resume()
    mockchat.add_webhook("http://localhost:3000/events")  # of your back end
    mockchat.reset()
    assert "ann" not in mockchat.users
""",
    ),
    (
        "How programs reach it",
        (
            (MockApp, ("url", "https_url", "ws_url", "ca_path", "auth_key", "rest_api_key")),
            (MockApp, ("env", "live_names")),
            (MockChat, ("app", "in_thread")),
        ),
        """
import os

import requests


def test_how_programs_reach_it(mockchat):
    assert mockchat.https_url.startswith("https://")
    assert mockchat.ws_url.startswith("wss://")
    assert mockchat.ca_path.exists()
    assert mockchat.auth_key != mockchat.rest_api_key
    with mockchat.env():  # also a fixture: mockchat_env
        assert os.environ["MOCKCHAT_URL"] == mockchat.url
    live = f"https://{mockchat.app_id}.api-us.cometchat.io/v3/users/superhero1"
    with mockchat.live_names():
        answer = requests.get(live, headers={"apikey": mockchat.rest_api_key}, timeout=10)
    assert answer.json()["data"]["name"] == "Iron Man"


def test_a_server_of_its_own():
    from mockchat import Config, MockChat

    with MockChat(Config(port=0, https_port=None)).in_thread() as server:
        app = server.app("own", errors="live", token_ttl="1h")
        assert "superhero1" in app.users
""",
    ),
)
_OF = {Kit: "", MockApp: "", JournalView: "journal.", Clock: "clock.", MockChat: "MockChat."}


def _members(owners: tuple[tuple[type, tuple[str, ...]], ...]) -> Iterator[str]:
    for owner, names in owners:
        prefix = _OF.get(owner, f"{owner.__name__}.")
        for name in names:
            member: Any = inspect.getattr_static(owner, name)
            text = inspect.getdoc(member) or ""
            yield f"#### `{prefix}{name}`\n\n{_signature(member, name)}{text}\n"


def _signature(member: Any, name: str) -> str:
    """Return the signatures as the code spells them, if the member is a function."""
    if not inspect.isfunction(member):
        return ""
    forms = [f"`{_form(one, name)}`" for one in get_overloads(member)]
    if forms:
        return "".join(f"* {form}\n" for form in forms) + "\n"
    return f"`{_form(inspect.unwrap(member), name)}`\n\n"


def _form(member: Any, name: str) -> str:
    source = textwrap.dedent(inspect.getsource(member))
    function: Any = ast.parse(source).body[0]
    arguments = ast.unparse(function.args).removeprefix("self, ").removeprefix("self")
    returned = ast.unparse(function.returns) if function.returns else "None"
    plain = re.sub(r"Unpack\[(\w+)\]", r"\1", f"{name}({arguments}) -> {returned}")
    spaced = re.sub(r"(?<=[\w\]])=", " = ", plain).replace("PATIENCE", "5.0")
    return spaced.replace("Json", "dict[str, Any]")


def page() -> str:
    """Return the page."""
    parts = [_HEAD]
    for title, owners, example in SECTIONS:
        parts += [f"## {title}\n", f"```python\n{example.strip()}\n```\n", *_members(owners)]
    return "\n".join(parts)

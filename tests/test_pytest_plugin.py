"""The pytest plugin in projects of users: the fixture, the marker, reports."""

import json

import pytest

from tests.projects import Project

SLOW_TO_LOAD = ("-p", "no:schemathesis", "-p", "no:faker", "-p", "no:pytest_httpserver")


# --- a fresh project ------------------------------------------------------------------------
def test_a_fresh_project_needs_no_configuration(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")  # the plugin is there by being installed
    project.write(
        test_fresh="""
        import ssl
        from urllib.request import urlopen
        from calls import log_in

        def test_a_login(mockchat):
            assert log_in(mockchat.url) == 200
            assert (mockchat.auth_key, mockchat.rest_api_key) == ("AUTH_KEY", "REST_API_KEY")
            assert "cometchat-uid-1" in mockchat.users

        def test_https(mockchat):
            trusting = ssl.create_default_context(cafile=mockchat.ca_path)
            assert urlopen(mockchat.https_url, context=trusting).status == 200
            assert mockchat.ws_url == mockchat.https_url.replace("https", "wss", 1)
            assert mockchat.url.endswith(f"/apps/{mockchat.app_id}")
        """
    )

    told = ("-o", "asyncio_default_fixture_loop_scope=function")  # else pytest-asyncio warns
    result = project.run_as_installed(*SLOW_TO_LOAD, *told, "--strict-markers")

    result.assert_outcomes(passed=2)


def test_the_marker_and_the_fixtures_are_told_by_pytest(project: Project) -> None:
    project.write(test_none="def test_nothing(): pass")

    project.run("--markers").stdout.fnmatch_lines(["@pytest.mark.mockchat(*settings*): *fixture*"])
    project.run("--fixtures").stdout.fnmatch_lines(
        ["mockchat_config *session scope*", "mockchat_server *session scope*", "mockchat -- *"]
    )


# --- faults that never struck ---------------------------------------------------------------
IDLE = """
from calls import log_in

def test_one_for_nothing(mockchat):
    mockchat.fail(503, operation="update_me", after=1)
    with mockchat.slow(0, method="PUT", path="/usres"):
        log_in(mockchat.url)

def test_one_that_strikes_and_one_that_chance_spares(mockchat):
    mockchat.fault("latency", delay=0, times=1)
    mockchat.fault("latency", delay=0, probability=0)
    assert log_in(mockchat.url) == 200

def test_none(mockchat):
    assert log_in(mockchat.url) == 200
"""


def test_a_fault_that_never_struck_is_a_warning_or_an_error_on_request(project: Project) -> None:
    project.write(test_idle=IDLE)
    told = "fault 1 (error, operation='update_me'), fault 2 (latency, method='PUT', path='/usres')"

    warned = project.run("-W", "default::mockchat.UnstruckFault")
    failed = project.run("-W", "error::mockchat.UnstruckFault")

    warned.assert_outcomes(passed=3, warnings=1)
    warned.stdout.fnmatch_lines([f"*test_idle.py:3: UnstruckFault: {told} never struck*"])
    failed.assert_outcomes(passed=3, errors=1)


# --- an app for each test -------------------------------------------------------------------
ALIKE = """
import pytest, time
from calls import log_in

SEEN = []

@pytest.mark.parametrize("number", [1, 2])
def test_alike(number, mockchat):
    assert mockchat.app_id not in SEEN
    assert log_in(mockchat.url) == 200
    assert len(mockchat.journal) == 1
    assert "ann" not in mockchat.users
    assert abs(mockchat.clock.now() - time.time()) < 60
    SEEN.append(mockchat.app_id)
    mockchat.create_user("ann")
    mockchat.fail(503)
    assert log_in(mockchat.url) == 503
    mockchat.clock.freeze(1_700_000_000)
    mockchat.hold_logins().__enter__()

def test_what_was_left_is_gone(mockchat):
    assert not mockchat.server.state().keys() & set(SEEN)
    assert not mockchat.server.store.faults.rules
"""
WAYS = """
from calls import ask

def test_the_app_is_named_by_url_header_or_sub_domain(mockchat):
    mockchat.create_user("ann")
    server, key = mockchat.server, mockchat.rest_api_key
    host = f"{mockchat.app_id}.api-us.cometchat.io"

    answers = [
        ask(f"{mockchat.url}/v3/users/ann", apikey=key),
        ask(f"{server.url}/v3/users/ann", apikey=key, appId=mockchat.app_id),
        ask(f"{server.url}/v3/users/ann", apikey=key, Host=host),
    ]
    assert [status for status, _ in answers] == [200, 200, 200]
    assert ask(f"{server.url}/v3/users/ann", apikey=key)[0] == 404
    assert len(mockchat.journal) == 3
"""
NAMES = """
import pytest

def test_ünïcode_und_ein_sehr_langer_name_der_gar_nicht_aufhört(mockchat):
    assert mockchat.users
    assert mockchat.app_id.startswith("test-n-code-und-ein-sehr-langer-name-der-")

class Test_Class:
    @pytest.mark.parametrize("uid", ["a b/c", "::"])
    def test_in_it(self, uid, mockchat):
        assert mockchat.users
        assert mockchat.app_id.startswith("test-in-it-")
"""


def test_nothing_of_a_test_is_left_for_the_next(project: Project) -> None:
    project.write(test_two=ALIKE, test_ways=WAYS, test_names=NAMES)

    project.run().assert_outcomes(passed=7)


def test_unittest_classes_and_shared_fixtures_have_apps(project: Project) -> None:
    project.write(
        test_classes="""
        import unittest
        import pytest

        @pytest.mark.mockchat(fixture="empty")
        class TestCase(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def serve(self, mockchat):
                self.mockchat = mockchat

            def test_one(self):
                self.assertEqual(self.mockchat.users, {})
                self.mockchat.create_user("ann")

            def test_other(self):
                self.assertEqual(self.mockchat.users, {})
        """,
        test_shared="""
        from contextlib import closing
        import pytest

        @pytest.fixture(scope="module")
        def shared(mockchat_server):
            with closing(mockchat_server.app("shared", fixture="empty")) as app:
                yield app

        def test_one(shared):
            shared.create_user("ann")

        def test_other(shared, mockchat):
            assert list(shared.users) == ["ann"]
            assert "ann" not in mockchat.users
        """,
    )

    project.run().assert_outcomes(passed=4)


# --- the marker -----------------------------------------------------------------------------
def test_the_marker_chooses_fixtures_dialect_and_token_policy(project: Project) -> None:
    (project.path / "tests").mkdir()
    (project.path / "tests" / "own.json").write_text(
        json.dumps({"users": [{"uid": "alice", "name": "Alice"}]})
    )
    project.write(
        **{
            "tests/test_marked": """
        import pathlib, sys
        import pytest
        sys.path.append(str(pathlib.Path(__file__).parent.parent))
        from calls import ask

        pytestmark = pytest.mark.mockchat(fixture="empty", errors="live")

        def refusal(mockchat):
            return ask(f"{mockchat.url}/login", {"uid": "two words", "authKey": "AUTH_KEY"})[1]

        def test_the_module_s(mockchat):
            assert mockchat.users == {}
            assert refusal(mockchat)["error"]["code"] == "ERR_BAD_REQUEST"

        @pytest.mark.mockchat(errors="documented")
        class TestNearer:
            def test_the_class_s(self, mockchat):
                assert mockchat.users == {}
                assert refusal(mockchat)["error"]["code"] == "ERROR_UID_WITH_SPACE"

            @pytest.mark.mockchat(fixture=["own.json"], tokens="single-use")
            def test_its_own(self, mockchat):
                assert list(mockchat.users) == ["alice"]
                assert mockchat.issue_token("alice") != mockchat.issue_token("alice")
        """
        }
    )

    project.run("tests").assert_outcomes(passed=3)


def test_a_marker_that_is_wrong_is_told_in_a_line(project: Project) -> None:
    project.write(
        test_wrong="""
        import pytest

        @pytest.mark.mockchat(port=1)
        def test_setting(mockchat): pass

        @pytest.mark.mockchat(errors="loud")
        def test_value(mockchat): pass

        @pytest.mark.mockchat(fixture="nowhere.json")
        def test_file(mockchat): pass

        @pytest.mark.mockchat(fixture={"users": []})
        def test_object(mockchat): pass

        @pytest.mark.mockchat("empty")
        def test_position(mockchat): pass
        """
    )

    result = project.run()

    result.assert_outcomes(errors=5)
    result.stdout.fnmatch_lines(
        [
            "@pytest.mark.mockchat: an app has no 'port' of its own; there are any_key, errors, *",
            "@pytest.mark.mockchat: errors must be one of auto, documented, live, not 'loud'",
            "@pytest.mark.mockchat: nowhere.json: no such fixture file; shipped are *",
            "@pytest.mark.mockchat: fixture cannot be {'users': []}",
            "@pytest.mark.mockchat takes settings by name, not 'empty'",
        ]
    )
    result.stdout.no_fnmatch_line("*pytest_plugin.py:*")
    result.stdout.no_fnmatch_line("*During handling of the above exception*")


# --- reports --------------------------------------------------------------------------------
FAILING = """
import pytest
from calls import ask, log_in

def test_fine(mockchat):
    log_in(mockchat.url)

def test_bad(mockchat):
    log_in(mockchat.url, "two words")
    ask(f"{mockchat.url}/v3/user", apikey="REST_API_KEY")
    assert False

def test_silent(mockchat):
    assert False

def test_without():
    assert False

@pytest.fixture
def before(mockchat):
    log_in(mockchat.url, "before")
    raise LookupError

@pytest.fixture
def after(mockchat):
    yield
    log_in(mockchat.url, "after")
    raise LookupError

def test_before(before): pass

def test_after(after): pass

def test_long(mockchat):
    for number in range(53):
        ask(f"{mockchat.url}/v3/users/u{number}", apikey="REST_API_KEY")
    assert False

@pytest.mark.mockchat(errors="none of them")
def test_not_set_up(mockchat): pass
"""


def test_a_failure_s_report_has_what_reached_the_app_and_no_other_has(project: Project) -> None:
    project.write(test_failing=FAILING)

    result = project.run()

    result.assert_outcomes(passed=2, failed=4, errors=3)
    out = result.stdout.str()
    result.stdout.fnmatch_lines_random(
        [
            "*mockchat, app test-bad-2*",
            '#2 POST /apps/test-bad-2/login -> 400 ERROR_UID_WITH_SPACE login uid="two words"',
            "    sent: *two words*",
            "    answered: *ERROR_UID_WITH_SPACE*",
            "#3 GET /apps/test-bad-2/v3/user -> 404 ERR_API_NOT_FOUND",
            "    hint: *users*",
            "*mockchat, app test-silent-3*",
            "no request reached this app",
            '    sent: *"uid": "before"*',
            '    sent: *"uid": "after"*',
            "… 3 before",
            "#* GET */users/u3 -> 404 *",
            "#* GET */users/u52 -> 404 *",
        ]
    )
    assert "/users/u2 ->" not in out
    assert out.count("mockchat, app") == 5


def test_what_mockchat_itself_failed_with_is_the_test_s_error(project: Project) -> None:
    project.write(
        test_crash="""
        import pytest
        from calls import log_in
        from mockchat.core.state import App

        def test_crash(mockchat, monkeypatch):
            monkeypatch.setattr(App, "issue_token", lambda *_, **__: 1 / 0)
            mockchat.clock.freeze()
            assert log_in(mockchat.url) == 500

        def test_after_it(mockchat):
            assert not mockchat.clock.frozen
            assert log_in(mockchat.url) == 200
        """
    )

    result = project.run()

    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_crash*",
            "*ZeroDivisionError: division by zero",
            "*while answering POST */login",
            "*mockchat, app test-crash-1*",
            "#1 POST */login -> 500 ERR_EXCEPTION login uid=*",
        ]
    )

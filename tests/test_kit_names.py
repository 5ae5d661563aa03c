"""Names in the testing kit: what a test mistypes is an error in its own line."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from inspect import Parameter, signature
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_overloads, get_type_hints

import pytest

from docs.kit_reference import SECTIONS
from mockchat import MockApp, MockChat, kit
from mockchat.control.faults import PARAMETERS
from mockchat.core.errors import ApiError
from mockchat.kit import Kit
from mockchat.kit import names as types
from mockchat.kit.handles import Fault, Hold
from mockchat.kit.journal import JournalView
from tests.clients import create, log_in
from tests.processes import run
from tests.projects import Project

WRONG = Path(__file__).parent / "typed" / "wrong_calls.py"


def _fault_of(mock: Any) -> Any:
    """Return a fault that is removed again."""
    with mock.slow(1) as fault:
        pass
    mock.take_unstruck_faults()
    return fault


def test_a_mistyped_name_is_refused_with_the_nearest_one(mockchat: MockApp) -> None:
    mock: Any = mockchat
    mistakes: list[tuple[Callable[[], Any], type[Exception], str]] = [
        (lambda: mock.create_user("ann", rolle="x"), TypeError, "'role'"),
        (lambda: mock.fail(503, tims=1), TypeError, "'times'"),
        (lambda: mock.fail("ERR_UID_NOT_FOUMD"), ValueError, "'ERR_UID_NOT_FOUND'"),
        (lambda: mock.fail("token_expird"), ValueError, "'token_expired'"),
        (lambda: mock.fault("latencie"), ValueError, "'latency'"),
        (lambda: mock.fault("latency", dealy=1), TypeError, "'delay'"),
        (lambda: mock.slow(1, oparation="login"), TypeError, "'operation'"),
        (lambda: mock.slow(1, operation="log_in"), ValueError, "'login'"),
        (lambda: mock.slow(1, method="PST"), ValueError, "'POST'"),
        (lambda: mock.journal.find(oparation="login"), TypeError, "'operation'"),
        (lambda: mock.journal.count(operation="creat_user"), ValueError, "'create_user'"),
        (lambda: mock.journal.assert_not_called(code="ERR_UID_NOTFOUND"), ValueError, "'ERR_UID_N"),
        (lambda: mock.journal.last(method="DELTE"), ValueError, "'DELETE'"),
        (lambda: mock.server.app("own", tokns="single-use"), TypeError, "'tokens'"),
        (lambda: mock.issue_token("superhero1", forse=True), TypeError, "'force'"),
        (lambda: mock.delete_user("superhero1", permanant=False), TypeError, "'permanent'"),
        (lambda: mock.hold_logins(uidd="superhero1"), TypeError, "'uid'"),
        (lambda: _fault_of(mock).assert_struck(time=1), TypeError, "'times'"),
    ]

    for act, kind, nearest in mistakes:
        with pytest.raises(kind, match=rf"[dD]id you mean {nearest}"):
            act()
    with pytest.raises(TypeError, match="there are operation, method, path, uid, status, code"):
        mock.journal.find(zzz=1)
    assert mockchat.server.store.faults.of(mockchat.app_id) == []


def test_a_mistyped_snapshot_is_refused_with_the_nearest_one(mockchat: MockApp) -> None:
    mockchat.snapshot("baseline")

    with pytest.raises(ApiError, match=r"no snapshot baselin\. Did you mean 'baseline'\?"):
        mockchat.restore("baselin")
    with pytest.raises(ApiError, match=r"no snapshot zzz\.$"):
        mockchat.restore("zzz")


def test_a_value_that_no_exchange_can_have_is_refused(mockchat: MockApp) -> None:
    journal: Any = mockchat.journal
    impossible: list[tuple[dict[str, Any], type[Exception], str]] = [
        ({"status": "gone"}, ValueError, "status: The status must be an integer"),
        ({"status": 4040}, ValueError, "status: The status must be between 0 and 599"),
        ({"uid": ["ann"]}, ValueError, "uid: The uid must be a string"),
        ({"headers": ["apikey"]}, TypeError, "headers must be a mapping"),
    ]

    for wanted, kind, told in impossible:
        with pytest.raises(kind, match=told):
            journal.assert_not_called(**wanted)
    journal.assert_not_called(code="MOCK_FAULT_503", status=503)


def test_a_verb_that_fails_shows_the_line_of_the_test_and_the_wrong_value(
    mockchat: MockApp,
) -> None:
    mock: Any = mockchat
    with mock.hold_logins("superhero1") as hold:
        mistakes: list[tuple[Callable[[], Any], str]] = [
            (lambda: mock.clock.advance("1 parsec"), "'1 parsec' must be a duration like 25ms"),
            (lambda: mock.clock.freeze("tomorrow"), "'tomorrow' must be a time like 2026-01-31T12"),
            (lambda: mock.journal.wait_for(count=-1), "1 exchange or more, not -1"),
            (lambda: mock.journal.wait_for(operation="logn"), "Did you mean 'login'"),
            (lambda: mock.journal.wait_for(timeout="0s"), "0 of 1 exchange came within 0 s"),
            (lambda: mock.journal.wait_for(timeout="soon"), "'soon' must be a duration"),
            (lambda: hold.wait(count=0), "1 login or more, not 0"),
        ]
        for act, told in mistakes:
            with pytest.raises((ValueError, TimeoutError), match=told) as failed:
                act()
            assert failed.traceback.filter(failed)[-1].path == Path(__file__), told


def test_a_code_of_a_faults_own_can_be_looked_for(mockchat: MockApp) -> None:
    with mockchat.fail("ERR_OF_MINE", status=418, message="short"):
        mockchat.journal.assert_not_called(code="ERR_OF_MINE")
        create(mockchat.url, "ann")
    assert mockchat.journal.last(code="ERR_OF_MINE").status == 418


def test_a_login_takes_a_uid_or_a_token(mockchat: MockApp) -> None:
    token = mockchat.issue_token("superhero1")

    assert mockchat.log_in(token=token)["authToken"] == token
    mockchat.log_out(token)
    with pytest.raises(ApiError, match="AUTH_TOKEN"):
        mockchat.log_in(token=token)
    for wrong in ({}, {"uid": "superhero1", "token": token}):
        with pytest.raises(TypeError, match="a uid or a token"):
            mockchat.log_in(**wrong)


def test_a_fault_asserts_that_it_struck(mockchat: MockApp) -> None:
    with mockchat.fail(503, operation="login") as fault:
        create(mockchat.url, "ann")
        with pytest.raises(AssertionError, match=r"'error', operation='login' never .*\n.*/users"):
            fault.assert_struck()
        log_in(mockchat.url)
        fault.assert_struck()
        fault.assert_struck(1)
        with pytest.raises(AssertionError, match="struck 1 times, not 2"):
            fault.assert_struck(2)


def test_times_come_in_every_form_that_python_has(mockchat: MockApp) -> None:
    clock = mockchat.clock
    noon = datetime(2030, 1, 1, 12, tzinfo=UTC)
    for moment in (noon, noon.replace(tzinfo=None), noon.timestamp(), "2030-01-01T12:00:00Z"):
        clock.freeze(moment)
        assert clock.now() == noon.timestamp(), moment
    for span in (timedelta(hours=1), 3600, "1h", "60m"):
        clock.freeze(noon)
        clock.advance(span)
        assert clock.now() == noon.timestamp() + 3600, span
    mockchat.slow(timedelta(milliseconds=1), jitter=timedelta(0))
    create(mockchat.url, "ann")
    mockchat.journal.wait_for(timeout=timedelta(seconds=5), operation="create_user")
    with pytest.raises(TimeoutError, match=r"within 0\.001 s"):
        mockchat.journal.wait_for(timeout="1ms", operation="login")


def test_the_traceback_of_a_failed_verb_ends_in_the_line_of_the_test(project: Project) -> None:
    """Pytest shows the code around the line that it takes for the last one."""
    project.write(
        test_verbs="""
        def test_assertion(mockchat):
            mockchat.journal.assert_called(operation="login")

        def test_refusal(mockchat):
            mockchat.create_user("two words")

        def test_wait(mockchat):
            mockchat.journal.wait_for(operation="login", timeout="1ms")

        def test_mistake(mockchat):
            mockchat.fault("latencie")

        def test_setting(mockchat):
            mockchat.server.app("own", tokns=1)
        """
    )

    result = project.run()

    result.assert_outcomes(failed=5)
    report = result.stdout.str()
    for name in ("kit", "bridge", "handler", "server", "futures"):
        assert f"{name}.py:" not in report.replace("pytester", ""), name
    assert "kit/" not in report


# --- types ----------------------------------------------------------------------------------
def test_mypy_refuses_each_wrong_call_and_nothing_else() -> None:
    marked = [
        number
        for number, line in enumerate(WRONG.read_text().splitlines(), 1)
        if line.endswith("# wrong")
    ]

    done = run(sys.executable, "-m", "mypy", "--strict", WRONG, timeout=120)

    refused = {int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error:" in line}
    assert sorted(refused) == marked, done.stdout


def test_each_kind_of_fault_takes_its_own_options_and_no_other() -> None:
    every_name = vars(kit) | vars(types)
    taken: dict[str, set[str]] = {}
    for form in get_overloads(Kit.fault):
        own = {
            name
            for name, one in signature(form).parameters.items()
            if one.kind is Parameter.KEYWORD_ONLY
        }
        kinds = get_type_hints(form, every_name)["kind"]
        for literal in get_args(kinds) if get_origin(kinds) is Union else [kinds]:
            taken |= dict.fromkeys(get_args(literal), own)

    assert taken == {kind: own.keys() for kind, own in PARAMETERS.items()}


# --- the environment, and live names --------------------------------------------------------
def test_a_block_has_the_environment_of_exec(mockchat: MockApp, mockchat_server: MockChat) -> None:
    ask = "import os; print(os.environ.get('MOCKCHAT_URL'), os.environ.get('MOCKCHAT_APP_ID'))"

    def told() -> str:
        return run(sys.executable, "-c", ask, check=True).stdout.strip()

    with mockchat.env():
        assert told() == f"{mockchat.url} {mockchat.app_id}"
    with mockchat_server.env():
        assert told() == f"{mockchat_server.url} {mockchat_server.config.app_id}"
    assert told() == "None None"


# --- the reference page ---------------------------------------------------------------------
def test_the_page_of_verbs_has_every_public_member_and_an_example_of_each() -> None:
    told: dict[type, set[str]] = {}
    for _, owners, example in SECTIONS:
        for owner, names in owners:
            told.setdefault(owner, set()).update(names)
            assert [name for name in names if name not in example] == [], owner

    for owner in (Kit, JournalView, Fault, Hold):
        public = {name for name in vars(owner) if not name.startswith("_")}
        assert public == told[owner], owner

"""The pytest plugin beside others: event loops of every kind, processes, and what it costs."""

import json
import sys

import trio  # noqa: F401  # as trustme: it bears no second import

from tests.processes import run
from tests.projects import PLUGIN, Project

# The same tests for all: the calls block, so they are made in a thread, as a back end's would be.
TESTS = """
import asyncio
import pytest
from functools import partial
from calls import ask, log_in

SEEN = []

{mark}
class TestLoops:
    @pytest.mark.parametrize("number", [1, 2])
    async def test_alike(self, number, mockchat):
        assert mockchat.app_id not in SEEN
        SEEN.append(mockchat.app_id)
        mockchat.create_user("ann")
        assert await {thread}(log_in, mockchat.url, "ann") == 200
        assert mockchat.journal.last().uid == "ann"

    async def test_a_fault(self, mockchat):
        with mockchat.fail(503):
            assert await {thread}(log_in, mockchat.url) == 503

def test_without_a_loop(mockchat):
    assert log_in(mockchat.url) == 200
"""
WAITS = """
{mark}
async def test_waits(mockchat):
    with mockchat.hold_logins() as hold:
        login = asyncio.create_task({thread}(log_in, mockchat.url))
        await hold.wait_async()
    assert (await mockchat.journal.wait_for_async(operation="login")).status == await login == 200
"""
IN_THREAD = "asyncio.to_thread"


# --- event loops ----------------------------------------------------------------------------
def test_pytest_asyncio_in_its_strict_mode(project: Project) -> None:
    project.write(test_loops=(TESTS + WAITS).format(mark="@pytest.mark.asyncio", thread=IN_THREAD))
    mode = ["-o", "asyncio_mode=strict", "-o", "asyncio_default_fixture_loop_scope=function"]

    result = project.run(*mode, plugins=("pytest_asyncio.plugin",))

    result.assert_outcomes(passed=5)


def test_pytest_asyncio_in_its_automatic_mode_and_pytest_aiohttp_s_client(project: Project) -> None:
    project.write(
        test_loops=(TESTS + WAITS).format(mark="", thread=IN_THREAD),
        test_client="""
        import pytest
        from mockchat.core.state import App

        async def test_one(mockchat_client):
            chat = await mockchat_client(errors="live")
            other = await mockchat_client(fixture="empty")
            path = "/v3/users/SUPERHERO1/auth_tokens"
            answers = [await one.post(path, headers={"apikey": "nope"}) for one in (chat, other)]
            codes = [(await answer.json())["error"]["code"] for answer in answers]
            assert codes == ["AUTH_ERR_APIKEY_NOT_FOUND", "ERROR_API_KEY_NOT_FOUND"]

        async def test_crash(mockchat_client, monkeypatch):
            monkeypatch.setattr(App, "key_caller", lambda *_: 1 / 0)
            chat = await mockchat_client()
            assert (await chat.get("/v3/users", headers={"apikey": "nope"})).status == 500
        """,
    )
    mode = ["-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function"]

    result = project.run(*mode, plugins=("pytest_asyncio.plugin", "pytest_aiohttp.plugin"))

    result.assert_outcomes(passed=7, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_crash*", "*ZeroDivisionError*"])


def test_anyio_on_asyncio_and_on_trio(project: Project) -> None:
    both = (TESTS).format(mark="@pytest.mark.anyio", thread="to_thread.run_sync")
    project.write(test_loops=f"from anyio import to_thread\n{both}")

    result = project.run("-k", "alike or fault or without", plugins=("anyio.pytest_plugin",))

    result.assert_outcomes(passed=7)
    result.stdout.no_fnmatch_line("*skipped*")


def test_without_any_of_them_sync_tests_run(project: Project) -> None:
    project.write(
        test_sync="""
        from calls import log_in

        def test_sync(mockchat):
            assert log_in(mockchat.url) == 200

        def test_client(mockchat_client):
            pass
        """
    )

    result = project.run()

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["mockchat_client needs a plugin: pip install pytest-aiohttp"])


# --- processes ------------------------------------------------------------------------------
def test_in_parallel_no_test_sees_another(project: Project) -> None:
    project.write(
        test_many="""
        import pytest
        from calls import log_in

        @pytest.mark.parametrize("number", range(6))
        def test_alike(number, mockchat):
            mockchat.create_user("ann")
            assert log_in(mockchat.url, "ann") == 200
            assert len(mockchat.journal) == 1

        def test_failing(mockchat):
            log_in(mockchat.url, "bob")
            assert False
        """
    )

    result = project.run("-n", "2", plugins=("xdist.plugin",))

    result.assert_outcomes(passed=6, failed=1)
    result.stdout.fnmatch_lines(["*mockchat, app test-failing-*", '    sent: *"uid": "bob"*'])


# --- what it costs a run that does not use it -----------------------------------------------
def modules_of(project: Project, *options: str) -> set[str]:
    """The modules that pytest has loaded once it has run a test that uses nothing."""
    code = f"import json, sys, pytest; pytest.main(['-p', 'no:cacheprovider', *{options!r}])"
    code += "; print(json.dumps(sorted(sys.modules)))"
    done = run(sys.executable, "-c", code, cwd=project.path, check=True)
    assert "1 passed" in done.stdout
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_a_run_that_does_not_use_it_loads_nothing_for_it(project: Project) -> None:
    project.write(test_idle="def test_idle(): pass")

    without, with_it = modules_of(project), modules_of(project, "-p", PLUGIN)

    assert with_it - without == {"mockchat", "mockchat.version", PLUGIN}

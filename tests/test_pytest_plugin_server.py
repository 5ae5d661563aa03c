"""The server of the pytest plugin in projects of users: its settings and its start."""

import pytest

from tests.projects import Project


def test_the_server_s_settings_are_a_fixture_to_override(project: Project) -> None:
    project.write(
        test_own="""
        import pytest
        from calls import ask
        from mockchat import Config

        @pytest.fixture(scope="session")
        def mockchat_config():
            return Config(
                port=0, https_port=None, auth_key="MINE", rest_api_key="OURS", strict_apps=True
            )

        def test_own(mockchat):
            assert (mockchat.auth_key, mockchat.rest_api_key) == ("MINE", "OURS")
            assert ask(f"{mockchat.url}/v3/users", apikey="OURS")[0] == 200
            assert ask(f"{mockchat.server.url}/apps/other/v3/users", apikey="OURS")[0] == 401
            with pytest.raises(RuntimeError, match="no such listener"):
                mockchat.https_url
        """
    )

    project.run().assert_outcomes(passed=1)


def test_settings_and_servers_can_be_parametrized_and_no_test_need_name_them(
    project: Project,
) -> None:
    """pytest has to know what `mockchat` depends on: `@pytest.fixture(params=…)` and indirect."""
    project.write(
        conftest="""
        import pytest
        from mockchat import Config

        @pytest.fixture(scope="session", params=["documented", "live"])
        def mockchat_config(request):
            return Config(port=0, https_port=None, errors=request.param)
        """,
        test_all="""
        import pytest
        from calls import ask

        SEEN = []

        def test_every_dialect(mockchat):
            SEEN.append(ask(mockchat.url + "/v3/me")[1]["error"]["code"])

        @pytest.mark.usefixtures("mockchat")
        def test_by_mark():
            pass

        @pytest.mark.parametrize("mockchat_config", ["live"], indirect=True)
        def test_one_dialect(mockchat):
            assert mockchat.server.config.errors == "live"

        def test_both_were_seen():
            assert len(set(SEEN)) == 2
        """,
    )

    project.run().assert_outcomes(passed=6)


def test_the_server_itself_can_be_another_one_for_some_tests(project: Project) -> None:
    other = """
        import pytest
        from mockchat import Config, MockChat

        @pytest.fixture{scope}
        def mockchat_server():
            with MockChat(Config(port=0, https_port=None)).in_thread() as mock:
                yield mock

        @pytest.mark.parametrize("number", [1, 2])
        def test_own(number, mockchat, mockchat_server):
            assert mockchat.server is mockchat_server
            assert mockchat.users
    """
    project.write(
        test_a="def test_one(mockchat): assert mockchat.https_url",
        test_b=other.format(scope=""),
        test_c=other.format(scope='(scope="module")'),
        test_d="def test_one(mockchat): assert mockchat.https_url",
    )

    project.run().assert_outcomes(passed=6)


def test_where_no_ca_can_be_kept_the_session_has_a_passing_one(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(project.path / "file"))
    project.write(test_ca="def test_ca(mockchat): assert mockchat.ca_path.is_file()")

    project.run().assert_outcomes(passed=1)


def test_a_server_that_cannot_start_says_why(project: Project) -> None:
    project.write(
        test_own="""
        import pytest
        from mockchat import Config

        @pytest.fixture(scope="session")
        def mockchat_config():
            return Config(port=0, https_port=None, fixture="nowhere")

        def test_own(mockchat): pass
        """
    )

    result = project.run()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*StartError: nowhere: no such fixture file*"])

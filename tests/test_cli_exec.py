"""`exec`: a command with a server of its own, its environment, its end and its signals."""

import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command_line import Command

PATIENCE = 60  # seconds; what is waited for comes long before
CHILD = [sys.executable, "-c"]
TELL = "import json, os; print(json.dumps(dict(os.environ)))"

Environment = Callable[..., dict[str, str]]


@pytest.fixture
def environment(command: Command) -> Environment:
    """Runs a command and returns the environment that it had."""

    def run(*settings: str) -> dict[str, str]:
        found: dict[str, str] = command("exec", *settings, "--", *CHILD, TELL).json
        return found

    return run


# --- the environment ------------------------------------------------------------------------
def test_the_command_has_the_server_in_its_environment(environment: Environment) -> None:
    found = environment("--app-id", "mine", "--region", "eu", "--auth-key", "A", "--auth-key", "B")

    assert found["MOCKCHAT_URL"].startswith("http://127.0.0.1:")
    assert found["MOCKCHAT_HTTPS_URL"].startswith("https://127.0.0.1:")
    assert found["MOCKCHAT_WS_URL"] == found["MOCKCHAT_HTTPS_URL"].replace("https", "wss")
    names = ("APP_ID", "REGION", "AUTH_KEY", "REST_API_KEY")
    assert [found[f"MOCKCHAT_{name}"] for name in names] == ["mine", "eu", "A", "REST_API_KEY"]
    assert "MOCKCHAT_CONTROL_TOKEN" not in found


def test_ports_are_free_ones_whatever_the_variables_of_serve_say(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOCKCHAT_PORT", "1")

    assert not environment()["MOCKCHAT_URL"].endswith(":1")


def test_what_the_server_lacks_is_not_inherited(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_URL", "CA"):
        monkeypatch.setenv(f"MOCKCHAT_{name}", "from before")

    found = environment("--https-port", "off")

    assert "MOCKCHAT_HTTPS_URL" not in found
    assert "MOCKCHAT_CA" not in found


def test_without_http_the_one_address_is_by_https(environment: Environment) -> None:
    found = environment("--port", "off")

    assert found["MOCKCHAT_URL"] == found["MOCKCHAT_HTTPS_URL"]


def test_commands_of_mockchat_find_the_server(command: Command) -> None:
    nested = [sys.executable, "-m", "mockchat", "users", "--json"]

    done = command("exec", "--control-token", "secret", "--", *nested)

    assert len(done.json) == 10


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ("", "localhost,127.0.0.1"),
        ("example.com", "example.com,localhost,127.0.0.1"),
        ("*", "*"),
    ],
)
def test_no_proxy_stands_between_the_command_and_the_server(
    environment: Environment, monkeypatch: pytest.MonkeyPatch, others: str, expected: str
) -> None:
    monkeypatch.setenv("NO_PROXY", others)
    monkeypatch.setenv("no_proxy", others)

    found = environment()

    assert (found["NO_PROXY"], found["no_proxy"]) == (expected, expected)
    assert "MOCKCHAT_PROXY_URL" not in found


def test_with_the_proxy_the_live_names_lead_to_the_server(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOCKCHAT_PROXY_PORT", "1")
    url = "https://app_id.api-us.cometchat.io/v3/users/superhero1"
    curl = ["curl", "-sS", url, "-H", "apikey: REST_API_KEY"]

    done = command("exec", "--proxy-port", "0", "--", *curl)

    assert done.json["data"]["name"] == "Iron Man"


# --- trust ----------------------------------------------------------------------------------
IN_NODE = """
fetch(`${process.env.MOCKCHAT_HTTPS_URL}/_mock/health`)
  .then((answer) => answer.text())
  .then(console.log);
"""
IN_PYTHON = """
import os, urllib.request
with urllib.request.urlopen(os.environ["MOCKCHAT_HTTPS_URL"] + "/_mock/health") as answer:
    print(answer.read().decode())
"""
BY_REQUESTS = """
import os, requests
print(requests.get(os.environ["MOCKCHAT_HTTPS_URL"] + "/_mock/health").text)
"""
CLIENTS = {
    "Node": ["node", "-e", IN_NODE],
    "curl": ["sh", "-c", 'curl --noproxy "*" -sS "$MOCKCHAT_HTTPS_URL/_mock/health"'],
    "Python": [*CHILD, IN_PYTHON],
    "requests": [*CHILD, BY_REQUESTS],
}


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_clients_trust_the_server_by_their_environment(
    command: Command, monkeypatch: pytest.MonkeyPatch, client: list[str]
) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")  # a proxy that would not find it

    assert command("exec", "--", *client).json["status"] == "ok"


SYSTEM = ssl.get_default_verify_paths().cafile
BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
COUNT = "import os; print(open(os.environ['{}']).read().count('BEGIN CERT'))"


def certificates(command: Command, name: str) -> int:
    """How many certificates a command finds in the file that a variable names."""
    return int(command("exec", "--", *CHILD, COUNT.format(name)).out)


@pytest.mark.skipif(SYSTEM is None, reason="this system has no file of CAs")
@pytest.mark.parametrize("name", BUNDLES)
def test_the_system_s_cas_are_trusted_as_before(
    command: Command, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv(name, raising=False)
    system = Path(str(ssl.get_default_verify_paths().cafile))
    before = system.read_text(errors="replace").count("BEGIN CERT")

    assert certificates(command, name) == before + 1


@pytest.mark.parametrize("name", [*BUNDLES, "NODE_EXTRA_CA_CERTS", "DENO_CERT"])
def test_whoever_was_trusted_before_still_is(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    other = command("ca", "--ca-dir", tmp_path / "other").lines[0]
    monkeypatch.setenv(name, other)

    assert certificates(command, name) == 2


def test_a_folder_of_cas_stays_what_it_is(
    environment: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))

    assert environment()["REQUESTS_CA_BUNDLE"] == str(tmp_path)


def test_the_bundles_are_gone_afterwards(environment: Environment) -> None:
    assert not Path(environment()["SSL_CERT_FILE"]).exists()


# --- the end --------------------------------------------------------------------------------
@pytest.mark.parametrize("status", [0, 1, 7])
def test_the_command_s_exit_status_is_passed_on(command: Command, status: int) -> None:
    assert command("exec", "--", *CHILD, f"raise SystemExit({status})").status == status


def test_an_end_by_a_signal_is_told_as_shells_do(command: Command) -> None:
    ended = command("exec", "--", *CHILD, "import os; os.kill(os.getpid(), 9)")

    assert ended.status == 128 + 9


def test_the_output_is_the_command_s_own(command: Command) -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr)"

    assert command("exec", "--", *CHILD, code) == (0, "out\n", "err\n")


def test_its_words_are_passed_on_as_they_are(command: Command) -> None:
    words = ["--", "--port", "a b", "", "$HOME"]

    done = command("exec", "--", *CHILD, "import sys; print(sys.argv[1:])", *words)

    assert done.out == f"{words}\n"


ASK = "import os, urllib.request as u; u.urlopen(os.environ['MOCKCHAT_URL'] + '{}').close()"


def test_the_log_is_on_stderr_if_it_is_asked_for(
    command: Command,
) -> None:
    done = command("exec", "--log-level", "info", "--", *CHILD, ASK.format("/"))

    assert " GET / 200 " in done.err


def test_a_command_that_is_not_there_is_127(command: Command) -> None:
    ended = command("exec", "--", "no-such-command")

    assert (ended.status, ended.complaint) == (127, "no-such-command: there is no such command")


def test_a_command_that_cannot_be_run_is_126(command: Command, tmp_path: Path) -> None:
    (tmp_path / "script").write_text("no program")

    ended = command("exec", "--", tmp_path / "script")

    assert ended.status == 126
    assert ended.complaint.endswith("cannot be run: Permission denied")


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        ((), 2, "exec needs a command: mockchat exec [SETTING …] -- CMD …"),
        (("--",), 2, "exec needs a command"),
        (("npm", "test"), 2, "unrecognized arguments: npm test"),
        (("--port", "http", "--", "true"), 2, "--port must be a port"),
        (("--fixture", "nowhere.json", "--", "true"), 1, "nowhere.json: no such fixture file"),
    ],
)
def test_without_a_server_or_a_command_there_is_no_start(
    command: Command, words: tuple[str, ...], status: int, sentence: str
) -> None:
    ended = command("exec", *words)

    assert ended.status == status
    assert ended.complaint.startswith(sentence)


def test_what_mockchat_itself_failed_with_is_no_success(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mockchat.core.state.App.list_users", None)
    curl = 'curl --noproxy "*" -sS "$MOCKCHAT_URL/users" -H "apikey: REST_API_KEY"'

    done = command("exec", "--", "sh", "-c", curl)

    assert (done.status, "ERR_EXCEPTION" in done.out) == (1, True)
    assert done.err.endswith("mockchat: 1 answers failed by a fault of mockchat; the log has it\n")


# --- signals --------------------------------------------------------------------------------
# A process that is told of every signal by a byte, whenever it comes.
WAITING = """
import os, signal, sys
woken, waking = os.pipe()
os.set_blocking(waking, False)
signal.set_wakeup_fd(waking)
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: None)
"""
# It signals the process that runs it, and tells what arrived.
SIGNALLED = f"""{WAITING}
os.kill(os.getppid(), getattr(signal, sys.argv[1]))
print(signal.Signals(os.read(woken, 1)[0]).name)
sys.exit(42)
"""
# It is in no terminal's foreground, so what it is told comes from the process that runs it.
APART = f"""{WAITING}
os.setpgid(0, 0)
print("ready", os.getppid(), flush=True)
came = b""
while signal.SIGTERM not in came:
    came += os.read(woken, 1)
print([signal.Signals(number).name for number in came])
"""
# The server would stop now, were there no signal.
ENDED = """
import signal, subprocess, sys
from mockchat.commands.execute import _Forwarding
with _Forwarding() as forwarding, subprocess.Popen([sys.executable, "-c", ""]) as child:
    forwarding.adopt(child)
    child.wait()
    signal.raise_signal(signal.SIGTERM)
    print("still here")
"""
IN_A_TERMINAL = "import os, pty, sys; pty.spawn(sys.argv[1:])"


def exec_command(code: str, *words: str) -> list[str]:
    return [sys.executable, "-m", "mockchat", "exec", "--", *CHILD, code, *words]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_is_passed_on_and_the_end_waited_for(name: str) -> None:
    ended = subprocess.run(
        exec_command(SIGNALLED, name),
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        start_new_session=True,
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (42, f"{name}\n", "")


def test_a_signal_after_the_command_s_end_ends_the_server_at_once() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", ENDED], check=False, capture_output=True, timeout=PATIENCE
    )

    assert (ended.returncode, ended.stdout) == (-signal.SIGTERM, b"")


def test_ctrl_c_is_left_to_the_terminal_which_tells_the_command_itself() -> None:
    with subprocess.Popen(
        [*CHILD, IN_A_TERMINAL, *exec_command(APART)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as terminal:
        assert terminal.stdin is not None
        assert terminal.stdout is not None
        try:
            ready, runner = terminal.stdout.readline().split()
            terminal.stdin.write(b"\x03")
            terminal.stdin.flush()
            echo = terminal.stdout.read(2)
            os.kill(int(runner), signal.SIGTERM)
            told, _ = terminal.communicate(timeout=PATIENCE)
        finally:
            terminal.kill()

    assert (ready, echo, told) == (b"ready", b"^C", b"['SIGTERM']\r\n")

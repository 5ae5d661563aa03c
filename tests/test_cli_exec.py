"""`exec`: the environment of a command with a server of its own, its end and its signals."""

import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command_line import Command, check_refusals
from tests.processes import run

PATIENCE = 60  # seconds; every wait ends long before
CHILD = [sys.executable, "-c"]
TELL = "import json, os; print(json.dumps(dict(os.environ)))"

Environment = Callable[..., dict[str, str]]


@pytest.fixture
def environment(command: Command) -> Environment:
    """Runs a command and returns the environment that it got."""

    def told(*settings: str) -> dict[str, str]:
        found: dict[str, str] = command("exec", *settings, "--", *CHILD, TELL).json
        return found

    return told


# --- the environment ------------------------------------------------------------------------
def test_the_command_has_the_server_in_its_environment(environment: Environment) -> None:
    found = environment("--app-id", "mine", "--region", "eu", "--auth-key", "A", "--auth-key", "B")

    assert found["MOCKCHAT_URL"].startswith("http://127.0.0.1:")
    assert found["MOCKCHAT_HTTPS_URL"].startswith("https://127.0.0.1:")
    assert found["MOCKCHAT_WS_URL"] == found["MOCKCHAT_HTTPS_URL"].replace("https", "wss")
    names = ("APP_ID", "REGION", "AUTH_KEY", "REST_API_KEY")
    assert [found[f"MOCKCHAT_{name}"] for name in names] == ["mine", "eu", "A", "REST_API_KEY"]
    assert "MOCKCHAT_CONTROL_TOKEN" not in found


def test_the_command_inherits_neither_ports_nor_an_address_that_the_server_lacks(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOCKCHAT_PORT", "1")
    for name in ("HTTPS_URL", "CA"):
        monkeypatch.setenv(f"MOCKCHAT_{name}", "from before")

    without = environment("--https-port", "off")
    assert not without.keys() & {"MOCKCHAT_HTTPS_URL", "MOCKCHAT_CA"}
    assert not without["MOCKCHAT_URL"].endswith(":1")
    found = environment("--port", "off")
    assert found["MOCKCHAT_URL"] == found["MOCKCHAT_HTTPS_URL"] != "from before"


def test_commands_of_mockchat_find_the_server(command: Command) -> None:
    nested = [sys.executable, "-m", "mockchat", "users", "--json"]

    done = command("exec", "--control-token", "secret", "--", *nested)

    assert len(done.json) == 10


def test_no_proxy_stands_between_the_command_and_the_server(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = "localhost,127.0.0.1"
    for others, expected in {"": local, "example.com": f"example.com,{local}", "*": "*"}.items():
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


def test_clients_trust_the_server_through_their_environment(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")  # a proxy that would not find it

    for client, words in CLIENTS.items():
        assert command("exec", "--", *words).json["status"] == "ok", client


SYSTEM = ssl.get_default_verify_paths().cafile
BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
BUNDLES_AND_MORE = (*BUNDLES, "NODE_EXTRA_CA_CERTS", "DENO_CERT")
COUNT = """
import os
for name in {}:
    print(open(os.environ[name]).read().count("BEGIN CERT"))
"""


def certificates(command: Command, *names: str) -> set[int]:
    """The numbers of certificates in the files that the variables of a command name."""
    return {int(line) for line in command("exec", "--", *CHILD, COUNT.format(names)).lines}


def test_the_cas_of_the_system_or_of_the_variables_are_trusted_as_before(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in BUNDLES:
        monkeypatch.delenv(name, raising=False)
    if SYSTEM:
        before = Path(SYSTEM).read_text(errors="replace").count("BEGIN CERT")
        assert certificates(command, *BUNDLES) == {before + 1}

    other = command("ca", "--ca-dir", tmp_path / "other").lines[0]
    for name in BUNDLES_AND_MORE:
        monkeypatch.setenv(name, other)
    assert certificates(command, *BUNDLES_AND_MORE) == {2}


def test_a_folder_of_cas_is_left_alone_and_the_bundles_are_removed_at_the_end(
    environment: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))

    found = environment()

    assert found["REQUESTS_CA_BUNDLE"] == str(tmp_path)
    assert not Path(found["SSL_CERT_FILE"]).exists()


# --- the end --------------------------------------------------------------------------------
def test_the_exit_status_is_the_command_s(command: Command) -> None:
    for status in (0, 1, 7):
        assert command("exec", "--", *CHILD, f"raise SystemExit({status})").status == status

    ended = command("exec", "--", *CHILD, "import os; os.kill(os.getpid(), 9)")
    assert ended.status == 128 + 9  # as in a shell


def test_a_command_that_fails_is_told_its_last_requests(command: Command) -> None:
    code = (
        "import contextlib, os, urllib.request as u\n"
        "for number in range(int(os.environ['REQUESTS'])):\n"
        "    with contextlib.suppress(OSError):\n"
        "        u.urlopen(f\"{os.environ['MOCKCHAT_URL']}/v3/usr?{number}\")\n"
        "raise SystemExit(3)"
    )

    def told(requests: int) -> str:
        wrapped = f"import os; os.environ['REQUESTS'] = '{requests}'\n{code}"
        done = command("exec", "--", *CHILD, wrapped)
        assert done.status == 3
        return done.err

    head = "mockchat: the command ended with exit status 3, and"
    assert told(0) == f"{head} no request reached the server\n"
    assert told(1).splitlines() == [
        f"{head} 1 request reached the server:",
        "  #1 GET /v3/usr?0 -> 404 ERR_API_NOT_FOUND",
        "    hint: the nearest is GET /users (list_users)",
    ]
    first, *lines = told(11).splitlines()
    assert first == f"{head} 11 requests reached the server; the last 10:"
    assert [line.split()[2] for line in lines[::2]] == [f"/v3/usr?{n}" for n in range(1, 11)]


def test_arguments_and_output_are_the_command_s(command: Command) -> None:
    words = ["--", "--port", "a b", "", "$HOME"]
    code = "import sys; print(sys.argv[1:]); print('err', file=sys.stderr)"

    assert command("exec", "--", *CHILD, code, *words) == (0, f"{words}\n", "err\n")


def test_the_log_is_on_stderr_if_a_flag_asks_for_it(command: Command) -> None:
    code = "import os, urllib.request as u; u.urlopen(os.environ['MOCKCHAT_URL']).close()"

    assert " GET / 200 " in command("exec", "--log-level", "info", "--", *CHILD, code).err


def test_without_a_command_or_a_server_nothing_runs(command: Command, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("no program")
    usage = "exec needs a command: mockchat exec [OPTION …] -- CMD …"
    wrong = {
        "exec": usage,
        "exec --": usage,
        "exec npm test": "exec needs -- before the command: mockchat exec -- npm test",
        "exec --port 0 a 'b c' -d": "mockchat exec --port 0 -- a 'b c' -d",
        "exec --prot 1": "unrecognized arguments: --prot 1",
        "exec --port http -- true": "--port must be a port",
    }

    check_refusals(command, 2, wrong)
    fixture = {"exec --fixture none.json -- true": "none.json: no such fixture file"}
    check_refusals(command, 1, fixture)
    unknown = {"exec -- no-such-command": "no-such-command: there is no such command"}
    check_refusals(command, 127, unknown)
    check_refusals(command, 126, {f"exec -- {script}": "cannot be run: Permission denied"})


def test_a_failure_of_mockchat_itself_is_no_success(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mockchat.core.state.App.list_users", None)
    curl = 'curl --noproxy "*" -sS "$MOCKCHAT_URL/users" -H "apikey: REST_API_KEY"'

    done = command("exec", "--", "sh", "-c", curl)

    assert (done.status, "ERR_EXCEPTION" in done.out) == (1, True)
    assert done.err.endswith("mockchat: mockchat itself failed to answer 1 request; see the log\n")


# --- signals --------------------------------------------------------------------------------
# A process that gets a byte for every signal.
WAITING = """
import os, signal, sys
woken, waking = os.pipe()
os.set_blocking(waking, False)
signal.set_wakeup_fd(waking)
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: None)
"""
# It sends signals to `mockchat exec`, one by one, and prints each signal that comes back.
SIGNALLED = f"""{WAITING}
for name in sys.argv[1:]:
    os.kill(os.getppid(), getattr(signal, name))
    print(signal.Signals(os.read(woken, 1)[0]).name)
sys.exit(42)
"""
# It is not in the terminal's foreground, so its signals come from `mockchat exec`.
APART = f"""{WAITING}
os.setpgid(0, 0)
print("ready", os.getppid(), flush=True)
came = b""
while signal.SIGTERM not in came:
    came += os.read(woken, 1)
print([signal.Signals(number).name for number in came])
"""
# The command has ended; a signal comes while the server stops.
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


def test_a_signal_is_forwarded_and_the_command_ends_by_itself() -> None:
    names = ["SIGTERM", "SIGINT", "SIGHUP"]

    ended = run(*exec_command(SIGNALLED, *names), start_new_session=True)

    assert (ended.returncode, ended.stdout.split(), ended.stderr) == (42, names, "")


def test_a_signal_after_the_end_of_the_command_ends_the_server_at_once() -> None:
    ended = run(sys.executable, "-c", ENDED)

    assert (ended.returncode, ended.stdout) == (-signal.SIGTERM, "")


def test_ctrl_c_is_not_forwarded_because_the_terminal_sends_it_to_the_command() -> None:
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

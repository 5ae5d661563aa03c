"""`mockchat exec` with an app that logs in by the chat SDK, and `mockchat hosts` in Chromium."""

import json
import os
import subprocess
import sys
from pathlib import Path

from mockchat import MockChat
from tests.sdk.harness import BROWSERS, HERE, tool

LIMIT = 90
MOCKCHAT = [sys.executable, "-m", "mockchat"]


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if name[:8] != "MOCKCHAT"}
    return subprocess.run(
        command, cwd=HERE, env=environ, capture_output=True, text=True, check=False, timeout=LIMIT
    )


def logged_in(ca_dir: Path, uid: str, *settings: str) -> subprocess.CompletedProcess[str]:
    words = ["exec", "--ca-dir", str(ca_dir), *settings]
    return run([*MOCKCHAT, *words, "--", tool("node"), "exec_login.mjs", uid])


def test_an_app_logs_in_by_the_sdk_with_the_keys_app_and_region_of_the_settings(
    node_modules: None, tmp_path: Path
) -> None:
    own = ("--app-id", "OWN", "--auth-key", "own-key", "--region", "eu", "--strict-apps")
    for settings in ((), own):
        done = logged_in(tmp_path, "superhero1", *settings)

        assert done.returncode == 0, done.stderr
        facts = {"uid": "superhero1", "name": "Iron Man", "hasToken": True}
        assert json.loads(done.stdout) == facts, settings

    refused = logged_in(tmp_path, "nobody")  # which is the app's own exit status
    assert (refused.returncode, refused.stdout) == (3, "")
    assert "refused: ERR_UID_NOT_FOUND\n" in refused.stderr


def test_chromium_gets_here_by_the_flag_that_hosts_prints(
    sdk_server: MockChat, tmp_path: Path
) -> None:
    port = str(sdk_server.https_url).rpartition(":")[2]
    flag = run([*MOCKCHAT, "hosts", "--format", "chromium", "--https-port", port]).stdout.strip()
    browser = [tool(*BROWSERS), "--headless", "--no-sandbox", f"--user-data-dir={tmp_path}"]
    trust = ["--ignore-certificate-errors", "--disable-gpu"]
    for service in ("api", "apiclient", "websocket"):
        page = f"https://app_id.{service}-us.cometchat.io/v3/users/by-{service}"

        done = run([*browser, *trust, flag, "--dump-dom", page])

        assert sdk_server.journal.count(path=f"/users/by-{service}") == 1, done.stderr[-2000:]

"""Takes every published bundle through the SDK steps: `python -m tests.sdk.matrix`.

npm tells which versions there are. What is asked of each is what the suite asks of its sample:
the tests of `test_sdk.py`. The end is a failure if a bundle from 2.1.3 on fails in any mode.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from mockchat import Config, MockChat
from tests.sdk import test_sdk as suite
from tests.sdk.harness import (
    HERE,
    Facts,
    MissingToolError,
    environment_for,
    install_locked,
    need_tools,
    node,
    npm,
)
from tests.sdk.matrix_table import Run, line, page, summary

CACHE = HERE / ".matrix"
LINES = {
    "chat": "@cometchat/chat-sdk-javascript",
    "ionic": "@cometchat/chat-sdk-ionic",
    "pro": "@cometchat-pro/chat",
}
LIMIT = 1200

Check = Callable[[Facts], None]

MILESTONES: dict[str, Check] = {
    "init": suite.test_init_succeeds_without_a_session,
    "refused logins": suite.test_a_refused_login_reaches_the_app_with_the_servers_code,
    "createUser": (
        suite.test_a_created_user_comes_back_with_its_defaults_and_a_taken_uid_is_refused
    ),
    "login": (
        suite.test_a_login_gives_and_remembers_the_user_and_a_second_login_is_refused_or_takes_over
    ),
    "live socket": suite.test_the_connection_is_live_and_another_users_coming_and_going_is_seen,
    "logout": suite.test_a_logout_leaves_no_user,
    "promises": (
        suite.test_every_promise_settles_and_what_an_app_asks_for_after_its_login_is_answered
    ),
    "auth token": suite.test_a_token_minted_by_a_back_end_logs_its_user_in,
    "restart": suite.test_a_session_left_open_is_restored_at_the_next_start,
    "dead token": suite.test_a_token_that_was_logged_out_or_deleted_is_dead,
    "no noise": suite.test_nothing_goes_wrong_unasked,
}


def judged(facts: Facts) -> Run:
    """What the suite thinks of a run, milestone by milestone."""
    return Run(facts, {name: holds(check, facts) for name, check in MILESTONES.items()})


def holds(check: Check, facts: Facts) -> bool:
    try:
        check(facts)
    except (AssertionError, KeyError, TypeError):  # a step that failed or was never reached
        return False
    return True


def install_every_version() -> Path:
    """Gets whatever the registry has and is not there yet; returns the folder of the packages."""
    install_locked(HERE)  # the browser's driver, too
    aliases = {
        f"{line}-{version}": f"npm:{package}@{version}"
        for line, package in LINES.items()
        for version in json.loads(npm("view", package, "versions", "--json"))
    }
    wanted = json.dumps({"private": True, "dependencies": aliases}, indent=2)
    manifest = CACHE / "package.json"
    if not manifest.exists() or manifest.read_text() != wanted:
        CACHE.mkdir(exist_ok=True)
        manifest.write_text(wanted)
        npm("install", "--ignore-scripts", "--no-audit", "--no-fund", folder=CACHE)
    install_locked(CACHE)
    return CACHE / "node_modules"


def runs_of(modules: Path, pattern: str) -> Iterator[Run]:
    """The runs of the packages whose label has the pattern in it, each as soon as it is over."""
    with tempfile.TemporaryDirectory() as folder:
        # The SDKs of 2018 and 2019 know other live names than those the certificate covers.
        names = ("*.cometchat.com",)
        config = Config(port=0, https_port=0, ca_dir=folder, tls_host=names, errors="auto")
        with MockChat(config).in_thread() as mock, (CACHE / "log.txt").open("w") as log:
            command = ["matrix.mjs", str(modules), pattern]
            with node(command, environment_for(mock), LIMIT, stderr=log) as process:
                for facts in process.stdout or ():
                    yield judged(json.loads(facts))
            if process.returncode:
                raise RuntimeError(f"matrix.mjs ended with {process.returncode}: see {log.name}")


def tell(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the table to a file")
    parser.add_argument("--only", default="", metavar="TEXT", help="labels with this text alone")
    options = parser.parse_args()
    try:
        need_tools()
    except MissingToolError as missing:
        sys.exit(str(missing))
    runs = []
    for run in runs_of(install_every_version(), options.only):
        tell(line(run))
        runs.append(run)
    tell(*summary(runs))
    if options.write:
        options.write.write_text(page(runs))
    return 1 if any(run.failed for run in runs) or not runs else 0


if __name__ == "__main__":
    sys.exit(main())

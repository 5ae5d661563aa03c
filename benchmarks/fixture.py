"""Measures what a test pays for the `mockchat` fixture, beside pytest-httpserver's `httpserver`.

    python benchmarks/fixture.py

In one run of pytest, empty tests and tests with either fixture take turns: machines are shared and
noisy, so what counts is the median of the differences from the empty test nearby. A second run
does the same for tests that send a request. What a session pays once is told apart, and so is what
loading the plugin costs a run that does not use it.
"""

import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

_ROUNDS, _LOADS = 400, 11
_HEAD = f"""
from urllib.request import urlopen

import pytest

rounds = pytest.mark.parametrize("number", range({_ROUNDS}))

def ask(url):
    with urlopen(url) as answer:
        answer.read()

@rounds
def test_empty(number):
    pass
"""
_IDLE = """
@rounds
def test_httpserver(number, httpserver):
    pass

@rounds
def test_mockchat(number, mockchat):
    pass
"""
_ASKING = """
@rounds
def test_httpserver(number, httpserver):
    httpserver.expect_request("/").respond_with_json({})
    ask(httpserver.url_for("/"))

@rounds
def test_mockchat(number, mockchat):
    ask(mockchat.url)
"""


class Watch:
    """Times tests and session fixtures from within pytest, and lets the tests take turns."""

    def __init__(self) -> None:
        self.tests: dict[str, list[float]] = defaultdict(list)
        self.starts: dict[str, float] = {}

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Let them take turns."""
        chance = random.Random(1)  # nobody always follows the same one
        items.sort(key=lambda item: (item.callspec.params["number"], chance.random()))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Generator[None, Any, Any]:
        """Time a test, its fixtures with it."""
        started = time.perf_counter()
        done = yield
        self.tests[item.originalname].append(time.perf_counter() - started)
        return done

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Generator[None, Any, Any]:
        """Time the first setup of each pytest fixture."""
        started = time.perf_counter()
        done = yield
        self.starts.setdefault(fixturedef.argname, time.perf_counter() - started)
        return done


def run_here(file: str) -> None:
    """Run the tests of a file and print what they took."""
    watch = Watch()
    plugins = ["-p", "mockchat.pytest_plugin", "-p", "pytest_httpserver.pytest_plugin"]
    options = ["-qq", "--no-header", "--no-summary", "-p", "no:cacheprovider"]
    status = pytest.main([*plugins, *options, "--rootdir", str(Path(file).parent), file], [watch])
    if status:
        raise SystemExit(f"the tests failed: {status!r}")
    print(json.dumps([watch.tests, watch.starts]))


def run(tests: str) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Run tests in a process of their own; return the seconds of tests and of first fixtures."""
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "test_rounds.py"
        file.write_text(_HEAD + tests)
        command = [sys.executable, __file__, str(file)]
        done = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=600
        )
    taken, starts = json.loads(done.stdout.splitlines()[-1])
    return taken, starts


def extra(taken: dict[str, list[float]], name: str) -> float:
    """Return the microseconds that such a test takes beyond an empty one, by the median."""
    pairs = list(zip(taken[name], taken["test_empty"], strict=True))[1:]  # without the start
    return statistics.median(with_it - without for with_it, without in pairs) * 1e6


def tell_tests(what: str, taken: dict[str, list[float]]) -> None:
    ours, theirs = extra(taken, "test_mockchat"), extra(taken, "test_httpserver")
    print(f"{what + ': mockchat':<36} {ours:+8.0f} µs")
    print(f"{what + ': httpserver':<36} {theirs:+8.0f} µs   ratio {ours / theirs:.2f}")


def tell_starts(starts: dict[str, float]) -> None:
    for name in ("mockchat_server", "make_httpserver"):
        print(f"{'once per session: ' + name:<36} {starts[name] * 1e3:+8.1f} ms")


def tell_loads() -> None:
    """Tell what every run of pytest pays where mockchat is installed, used or not."""
    code = "import pytest, mockchat.pytest_plugin"
    command = [sys.executable, "-X", "importtime", "-c", code]
    times = []
    for _ in range(_LOADS):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found = re.findall(r"\| +(\d+) \| mockchat(?:\.pytest_plugin)?$", done.stderr, re.MULTILINE)
        times.append(sum(map(int, found)))
    print(f"{'loading the plugin, unused':<36} {statistics.median(times) / 1e3:+8.1f} ms")


def main() -> None:
    if sys.argv[1:]:
        run_here(sys.argv[1])
        return
    idle, starts = run(_IDLE)
    print(f"{'an empty test':<36} {statistics.median(idle['test_empty']) * 1e6:8.0f} µs")
    tell_tests("having the fixture", idle)
    asking, _ = run(_ASKING)
    tell_tests("and sending a request", asking)
    tell_starts(starts)
    tell_loads()


if __name__ == "__main__":
    main()

"""Pyright on the calls that mypy refuses, too (`tests/test_kit_names.py`)."""

import json
import subprocess
import sys
from pathlib import Path

from tests.sdk.harness import HERE, install_locked, tool

WRONG = Path(__file__).parent.parent / "typed" / "wrong_calls.py"


def test_pyright_refuses_the_marked_lines_and_no_other(node_modules: None) -> None:
    install_locked(HERE / "runners")
    lines = WRONG.read_text(encoding="utf-8").splitlines()
    marked = [number for number, line in enumerate(lines) if line.endswith("# wrong")]
    pyright = HERE / "runners" / "node_modules" / "pyright" / "index.js"

    done = subprocess.run(
        [tool("node"), pyright, "--pythonpath", sys.executable, "--outputjson", WRONG],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    found = json.loads(done.stdout)["generalDiagnostics"]
    # A call that fits no overload is told twice: for the call and for its argument.
    assert sorted({one["range"]["start"]["line"] for one in found}) == marked, done.stdout

"""Prints what an app sees of each kind of fault: `python -m tests.android.faults SDK [KIND …]`.

Of a repository copy, the newest version is asked. docs/sdks/android.md tells the same in words.
"""

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Any

from mockchat.core.fault_kinds import KINDS
from mockchat.core.faults import PRESETS
from tests.android.place import Place, place
from tests.android.run import OVERRIDES, Run
from tests.android.sdk import Sdk, archives_in, build

LIMIT = 40  # seconds; the SDK's own time limit is 15, and not every fault meets it
JOBS = 8  # what is waited for are time limits
LOGIN = "login andrew AUTH_KEY"
HEAD = ("kind", "login", "without the fault", "createUser", "getUser", "user then", "socket")
# A kind is asked once, or once with each of these.
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "error": [{"code": "ERR_TOO_MANY_REQUESTS"}, {"code": "MINE", "status": 500}, {"status": 503}],
    "ws_close": [{"close_code": code, "times": 1} for code in (1006, 1011)],
}


def main() -> int:
    source, *kinds = sys.argv[1:]
    *_, (name, archive) = archives_in(Path(source))
    with tempfile.TemporaryDirectory() as folder, place(Path(folder)) as there:
        sdk = build(name, archive, there.stubs)
        asked = [
            (kind, knobs)
            for kind in kinds or (*KINDS, *PRESETS)
            for knobs in VARIANTS.get(kind, [{}])
        ]
        with ThreadPoolExecutor(JOBS) as pool:
            rows = pool.map(lambda each: row(there, sdk, *each), asked)
            for cells in (HEAD, ("---",) * len(HEAD), *rows):
                sys.stdout.write(f"| {' | '.join(cells)} |\n")
    return 0


def row(there: Place, sdk: Sdk, kind: Any, knobs: dict[str, Any]) -> tuple[str, ...]:
    name = " ".join([kind, *map(str, knobs.values())])
    is_socket = kind.startswith("ws_")
    with Run(there, sdk, OVERRIDES, f" {name} out", LIMIT) as out:
        out("init")
        with out.there.fault(kind, **knobs):
            login = timed(out, LOGIN)
            opened = f"new: {timed(out, 'status connected')}" if is_socket else ""
        again = timed(out, "status connected" if is_socket else LOGIN)
    with Run(there, sdk, OVERRIDES, f" {name} in", LIMIT) as within:
        for command in ("init", LOGIN, "status connected"):
            within(command)
        with within.there.fault(kind, **knobs):
            creation = timed(within, "create susan Susan")
            answer = timed(within, "get george")
            user = within("me")
            if is_socket:
                opened += "; open: " + timed(within, "status connecting")
                opened += ", " + timed(within, "status connected")
    return name, login, again, creation, answer, user, opened


def timed(run: Run, command: str) -> str:
    start = monotonic()
    answer = run(command)
    took = monotonic() - start
    return f"{answer} ({took:.0f} s)" if took > 1 else answer


if __name__ == "__main__":
    sys.exit(main())

"""Runs the vendor's Android SDK against mockchat: `make android-sdk SDK=…`.

SDK is an `.aar` file, or a copy of the vendor's public repository of the SDK: there, every tag from
3.0.0 on is run. The exit status is 1 if a word fails.
"""

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.android.place import Place, place
from tests.android.run import NAMES, OVERRIDES, PROXY, Outcome, outcomes
from tests.android.sdk import archives_in, build

MODES = (OVERRIDES, NAMES, PROXY)
JOBS = 2  # a run waits most of its time


def main() -> int:
    parser = argparse.ArgumentParser(prog="android-sdk", description=__doc__)
    parser.add_argument("sdk", type=Path, metavar="SDK")
    parser.add_argument("--only", default="", metavar="PATTERN", help="versions that match alone")
    parser.add_argument(
        "--mode",
        choices=MODES,
        action="append",
        help="how the SDK is led (default: overrides, and names, or proxy without port 443)",
    )
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="keep what the apps store, log")
    options = parser.parse_args()
    if not options.sdk.exists():
        parser.error(f"{options.sdk} is not there")
    ran = failed = 0
    with tempfile.TemporaryDirectory() as folder, place(options.logs or Path(folder)) as there:
        modes = options.mode or [OVERRIDES, NAMES if there.has_443 else PROXY]
        tell(f"{'version':<14}{''.join(f'{mode:<12}' for mode in modes)}")
        for name, found in runs(there, options.sdk, options.only, modes):
            tell(f"{name:<14}{''.join(f'{count(found.get(mode, [])):<12}' for mode in modes)}")
            for mode, row in found.items():
                tell(*(f"  {mode}: {complaint}" for complaint in complaints(row)))
                failed += sum(not each.passed for each in row)
                ran += len(row)
    tell(f"{failed} words failed" if ran else "no such version")
    return 1 if failed or not ran else 0


def runs(
    there: Place, source: Path, only: str, modes: list[str]
) -> Iterator[tuple[str, dict[str, list[Outcome]]]]:
    """The outcomes of every version by mode, in the order of the versions."""

    def run(archive: tuple[str, bytes]) -> tuple[str, dict[str, list[Outcome]]]:
        name, content = archive
        sdk = build(name, content, there.stubs)
        return name, {
            mode: outcomes(there, sdk, mode)
            for mode in modes
            if mode != OVERRIDES or sdk.has_overrides
        }

    wanted = (each for each in archives_in(source) if re.search(only, each[0]))
    with ThreadPoolExecutor(JOBS) as pool:
        yield from pool.map(run, wanted)


def count(row: list[Outcome]) -> str:
    there = [outcome for outcome in row if not outcome.absent]
    return f"{sum(outcome.passed for outcome in there)}/{len(there)}" if row else "-"


def complaints(row: list[Outcome]) -> Iterator[str]:
    if absent := ", ".join(outcome.word.name for outcome in row if outcome.absent):
        yield f"left out: {absent}"
    for outcome in row:
        yield from outcome.complaints


def tell(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

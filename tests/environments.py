"""Virtual environments with a few packages only, made from those of this suite, offline."""

import sys
import sysconfig
import venv
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement


def needed(names: Iterable[str]) -> Iterator[Distribution]:
    """Yield these distributions, and what they require."""
    waiting, known = list(names), set()
    while waiting:
        wanted = Requirement(waiting.pop())
        if wanted.name in known:
            continue
        known.add(wanted.name)
        found = distribution(wanted.name)
        yield found
        rules = map(Requirement, found.requires or ())
        extras = wanted.extras or {""}
        waiting += [
            str(one)
            for one in rules
            if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in extras)
        ]


def environment(folder: Path, names: Iterable[str]) -> Path:
    """Make an environment that has these packages, as pip would install them; return its Python."""
    venv.create(folder, symlinks=True)
    packages = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}))
    for found in needed(names):
        tops = {path.parts[0] for path in found.files or () if path.parts[0] != ".."}
        for top in tops - {"__pycache__"}:
            place = packages / top
            if not place.exists():
                place.symlink_to(str(found.locate_file(top)))
    return folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"

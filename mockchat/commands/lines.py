"""An exchange of the journal in a line, and what came nearest to being right below it."""

import time
from collections.abc import Iterator
from typing import Any

from mockchat.commands.show import fitting, printable


def lines(exchange: dict[str, Any], *, with_app: bool) -> str:
    """Return when which request came, and how it was answered.

    Columns have a width of their own, for lines that come one by one.
    """
    at = float(exchange["at"])
    clock = time.strftime("%H:%M:%S", time.localtime(int(at)))
    head = [f"{'#' + str(exchange['id']):<6}", f"{clock}.{int(at % 1 * 1000):03}"]
    if with_app:
        head.append(f"{exchange['app']:<12}")
    answer = f"{exchange['status'] or '-':>3} {exchange['milliseconds']:>7.1f}ms"
    head += [f"{exchange['method']:<6} {answer}", exchange["target"]]
    told = ["  ".join((*head, *_remarks(exchange)))]
    if "hint" in exchange:
        told.append(f"        hint: {exchange['hint']}")
    return "\n".join(fitting(printable(text)) for text in told)


def _remarks(exchange: dict[str, Any]) -> Iterator[str]:
    if "code" in exchange:
        yield exchange["code"]
    if "uid" in exchange:
        yield f"uid={exchange['uid']}"
    if "faults" in exchange:
        yield f"fault: {', '.join(exchange['faults'])}"

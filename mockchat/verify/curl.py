"""The requests of a plan as curl commands, for `--dry-run`."""

import json
import shlex
from collections.abc import Iterator

from mockchat.verify.probe import SOCKET, Probe, names_in, names_under
from mockchat.verify.run import Plan
from mockchat.verify.side import Side

# The keys of the caller are in the variables that verify reads, too.
_KEYS = {"rest_key": "COMETCHAT_REST_API_KEY", "auth_key": "COMETCHAT_AUTH_KEY"}


def lines(plan: Plan, group: str) -> Iterator[str]:
    """Yield a comment and a command for each probe; `$NAME` is what an earlier answer holds."""
    side = Side(plan.place, plan.values)
    values = {**plan.values, **names_under(f"{plan.prefix}-{group}")}
    yield f"# --- {group}"
    for probe in plan.probes(group):
        yield f"# {probe.what}"
        parts = [probe.path, dict(probe.headers), probe.body]
        unknown = names_in(parts) - (values.keys() - _KEYS.keys())
        side.values = values | {name: f"\0{_KEYS.get(name, name.upper())}\0" for name in unknown}
        yield _command(side, probe)


def _command(side: Side, probe: Probe) -> str:
    request = side.request(probe)
    if probe.method == SOCKET:
        frames = " ".join(_quoted(json.dumps(frame)) for frame in request.body)
        return f"# curl knows no frames: open {request.url} and send {frames}"
    words = ["curl", "--globoff", "--request", request.method, _quoted(request.url)]
    for name, value in request.headers.items():
        # curl leaves out a header without a value unless a semicolon ends its name.
        words += ["--header", _quoted(f"{name}: {value}" if value else f"{name};")]
    if request.content is not None:
        words += ["--data-binary", _quoted(request.content)]
    return " ".join(words)


def _quoted(text: str) -> str:
    """Return a word for the shell, where variables stay open."""
    parts = enumerate(text.split("\0"))
    words = (f'"${part}"' if at % 2 else part and shlex.quote(part) for at, part in parts)
    return "".join(words) or "''"

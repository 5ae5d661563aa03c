"""The commands that work without a server: `errors`, `routes`, `openapi`, `hosts`, `ca`."""

import argparse
import json
from pathlib import Path
from typing import Any, NamedTuple

from mockchat.commands.remote import Remote
from mockchat.commands.settings import config_of, flags_of, setting
from mockchat.commands.show import say, tell
from mockchat.commands.table import JSON, Action, Argument, argument, columns
from mockchat.core.errors import CATALOGUE
from mockchat.core.words import AdviceError

_HTTPS = 443
_ERRORS = columns("dialect status code name when")


def errors(_action: Action, arguments: argparse.Namespace) -> int:
    """List the error catalogue: a line for each error, or for each of its two dialects."""
    rows = [row.plain for row in CATALOGUE.values()]
    found = _matching(arguments.word, rows)
    if arguments.json:
        return tell(arguments, found)
    lines = []
    for row in found:
        faces = {"documented": row["documented"], "live": row["live"]}
        if len({(face["code"], face["status"]) for face in faces.values()}) == 1:
            faces = {"both": row["live"]}
        lines += [{**row, **face, "dialect": dialect} for dialect, face in faces.items()]
    return tell(arguments, lines, _ERRORS)


def _matching(word: str | None, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows that contain a word; raise AdviceError if there are none."""
    found = [row for row in rows if (word or "").lower() in str(row).lower()]
    if not found:
        raise AdviceError(f"no row contains {word!r}")
    return found


def routes(action: Action, arguments: argparse.Namespace) -> int:
    """List the operations, those of the live service that are not built among them."""
    from mockchat.api import OPERATIONS, UNBUILT  # noqa: PLC0415  # imports marshmallow
    from mockchat.control import CONTROL_OPERATIONS  # noqa: PLC0415

    rows = [
        {
            "method": row.method,
            "path": row.path,
            "operation": row.id,
            "needs": row.access.label,
            "does": row.summary,
            "evidence": row.evidence.value,
            "built": row not in UNBUILT,
        }
        for row in (*OPERATIONS, *CONTROL_OPERATIONS, *UNBUILT)
    ]
    return tell(arguments, _matching(arguments.word, rows), action.shows)


def openapi(_action: Action, _arguments: argparse.Namespace) -> int:
    """Print the OpenAPI document."""
    from mockchat.wire.openapi import document  # noqa: PLC0415  # imports marshmallow

    say(json.dumps(document(), ensure_ascii=False, indent=2))
    return 0


# --- hosts ----------------------------------------------------------------------------------
class _Format(NamedTuple):
    """A text before the names, and the text of each; `note`: the format knows no ports."""

    head: str
    each: str
    note: bool = False
    gap: str = "\n"


_COMPOSE = "services:\n  mockchat:\n    networks:\n      default:\n        aliases:\n"
_KUBERNETES = 'hostAliases:\n  - ip: "{address}"\n    hostnames:\n'
_FORMATS = {
    "hosts": _Format("", "{address} {name}", note=True),
    "compose": _Format(_COMPOSE, "          - {name}", note=True),
    "docker": _Format("", "--add-host={name}:{address}"),
    "kubernetes": _Format(_KUBERNETES, "      - {name}", note=True),
    "chromium": _Format("--host-resolver-rules=", "MAP {name}:443 {target}", gap=","),
    "curl": _Format("", 'connect-to = "{name}:443:{target}"'),
}
_NOTE = f"# clients use HTTPS port {_HTTPS}: serve it there (--https-port {_HTTPS})\n"


def hosts_arguments(_parser: argparse.ArgumentParser) -> list[Argument]:
    """Return the arguments of `hosts`."""
    told = (
        "hosts: lines of a hosts file (the default); compose: aliases of a service; docker: flags "
        "of `docker run`; kubernetes: hostAliases of a pod; chromium: a flag, as in "
        '`chromium "$(mockchat hosts --format chromium)"`; curl: options for a `--config` file'
    )
    return [
        argument("--format", "FORMAT", told, choices=list(_FORMATS), default="hosts"),
        argument("--address", "ADDRESS", "address of mockchat (default: 127.0.0.1)"),
        JSON,
        *(setting(name) for name in ("app_id", "region", "https_port")),
    ]


def hosts(_action: Action, arguments: argparse.Namespace) -> int:
    """Print the rules in one of the formats."""
    settings = config_of(flags_of(arguments))
    if settings.https_port is None:
        raise AdviceError("clients use the live host names with HTTPS, and --https-port is off")
    from mockchat.wire.hosts import live_names  # noqa: PLC0415  # imports marshmallow

    names = live_names(settings.region, settings.app_id)
    address = arguments.address or "127.0.0.1"
    port = settings.https_port or _HTTPS
    if arguments.json:
        return tell(arguments, {"names": names, "address": address, "port": port})
    form = _FORMATS[arguments.format]
    target = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    lines = [form.each.format(name=name, address=address, target=target) for name in names]
    note = _NOTE if form.note and port != _HTTPS else ""
    say(note + form.head.format(address=address) + form.gap.join(lines))
    return 0


# --- ca -------------------------------------------------------------------------------------
def ca(_action: Action, arguments: argparse.Namespace) -> int:
    """Print the path or the text of this machine's CA, creating it if there is none."""
    if arguments.url is not None:
        say(Remote(arguments).fetch("/ca.pem"))
        return 0
    settings = config_of(flags_of(arguments))
    if settings.tls_cert:
        raise AdviceError("MOCKCHAT_TLS_CERT names your own certificate, which has your own CA")
    from mockchat.core.clock import Clock  # noqa: PLC0415  # imports a server's modules
    from mockchat.wire import tls  # noqa: PLC0415

    path = tls.own(tls.folder(settings.ca_dir), settings.tls_host, Clock().now()).ca_path
    assert path is not None  # noqa: S101  # mockchat's own certificate always has a CA
    say(Path(path).read_text().rstrip() if arguments.pem else str(path))
    return 0

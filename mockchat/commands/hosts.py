"""`hosts` and `ca`: what leads SDKs to mockchat, and what makes them trust it."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from mockchat import config
from mockchat.commands import CommandError, Run
from mockchat.commands.remote import Remote
from mockchat.commands.serving import config_of
from mockchat.commands.show import add_json_option, say, say_json, wants_json

_HTTPS = 443


class _Plan(NamedTuple):
    """The live names, and where they are to lead."""

    names: list[str]
    address: str
    port: int


# --- hosts ----------------------------------------------------------------------------------
def _take_hosts(parser: argparse.ArgumentParser) -> Run:
    parser.add_argument(
        "--format",
        choices=_FORMATS,
        default="hosts",
        help="hosts: lines for the hosts file (the default); compose: aliases of a service; "
        "docker: flags of `docker run`; kubernetes: hostAliases of a pod; chromium: a flag, as in "
        '`chromium "$(mockchat hosts --format chromium)"`; curl: options of a `--config` file',
    )
    parser.add_argument(
        "--address", default="127.0.0.1", help="where mockchat is (default: %(default)s)"
    )
    for name in ("app_id", "region", "https_port"):
        row = dict(config.rows())[name]
        told = f"{row.help} (default: {row.shown}; {config.variable(name)})"
        parser.add_argument(config.flag(name), metavar=row.metavar, help=told)
    add_json_option(parser)
    return _print_hosts


def _print_hosts(arguments: argparse.Namespace) -> int:
    flags = {name: getattr(arguments, name) for name in ("app_id", "region", "https_port")}
    settings = config_of(flags, None)
    if settings.https_port is None:
        raise CommandError("the live names are asked for by HTTPS, and --https-port is off")
    names = _names(settings.app_id, settings.region)
    plan = _Plan(names, arguments.address, settings.https_port or _HTTPS)
    if wants_json(arguments):
        say_json(plan._asdict())
    else:
        say(_FORMATS[arguments.format](plan))
    return 0


def _names(app_id: str, region: str) -> list[str]:
    """Return the names of an app, those that name it in a header only, and those of pictures."""
    from mockchat.core import pictures  # noqa: PLC0415  # what follows needs marshmallow
    from mockchat.wire.hosts import SERVICES  # noqa: PLC0415

    hosts = [f"{service}-{region}.cometchat.io" for service in SERVICES]
    return [*(f"{app_id.lower()}.{host}" for host in hosts), *hosts, *pictures.HOSTS]


def _as_hosts(plan: _Plan) -> str:
    lines = [f"{plan.address} {name}" for name in plan.names]
    return "\n".join([*_port_note(plan), *lines])


def _as_compose(plan: _Plan) -> str:
    head = ["services:", "  mockchat:", "    networks:", "      default:", "        aliases:"]
    return "\n".join([*_port_note(plan), *head, *(f"          - {name}" for name in plan.names)])


def _as_docker(plan: _Plan) -> str:
    return "\n".join(f"--add-host={name}:{plan.address}" for name in plan.names)


def _as_kubernetes(plan: _Plan) -> str:
    head = ["hostAliases:", f'  - ip: "{plan.address}"', "    hostnames:"]
    return "\n".join([*_port_note(plan), *head, *(f"      - {name}" for name in plan.names)])


def _as_chromium(plan: _Plan) -> str:
    address = f"[{plan.address}]" if ":" in plan.address else plan.address
    rules = ",".join(f"MAP {name}:{_HTTPS} {address}:{plan.port}" for name in plan.names)
    return f"--host-resolver-rules={rules}"


def _as_curl(plan: _Plan) -> str:
    address = f"[{plan.address}]" if ":" in plan.address else plan.address
    return "\n".join(f'connect-to = "{name}:{_HTTPS}:{address}:{plan.port}"' for name in plan.names)


def _port_note(plan: _Plan) -> list[str]:
    """Say what such a file cannot: it knows no ports, and the live names have none but 443."""
    if plan.port == _HTTPS:
        return []
    return [f"# HTTPS is asked for at port {_HTTPS}: serve it there (--https-port {_HTTPS})"]


_FORMATS: dict[str, Callable[[_Plan], str]] = {
    "hosts": _as_hosts,
    "compose": _as_compose,
    "docker": _as_docker,
    "kubernetes": _as_kubernetes,
    "chromium": _as_chromium,
    "curl": _as_curl,
}


# --- ca -------------------------------------------------------------------------------------
def _take_ca(parser: argparse.ArgumentParser) -> Run:
    parser.add_argument("--pem", action="store_true", help="print the certificate, not its path")
    parser.add_argument(
        "--url", metavar="URL", help="print the certificate that a running server hands out"
    )
    parser.add_argument(
        "--ca-dir", metavar="DIR", help=f"folder of the CA ({config.variable('ca_dir')})"
    )
    return _tell_ca


def _tell_ca(arguments: argparse.Namespace) -> int:
    """Print the path of this machine's CA, which is made if there is none, or a PEM."""
    if arguments.url is not None:
        say(Remote(arguments).fetch("/ca.pem").decode(errors="replace").rstrip())
        return 0
    settings = config_of({"ca_dir": arguments.ca_dir}, None)
    if settings.tls_cert:
        raise CommandError("MOCKCHAT_TLS_CERT names a certificate of your own: its CA is yours")
    from mockchat.core.clock import Clock  # noqa: PLC0415  # what follows needs what serving does
    from mockchat.wire import tls  # noqa: PLC0415

    try:
        folder = tls.home_path(settings.ca_dir) if settings.ca_dir else tls.cache_dir()
        path = tls.own(folder, settings.tls_host, Clock().now()).ca_path
    except tls.TlsError as error:
        raise CommandError(str(error)) from None
    assert path is not None  # noqa: S101  # the own one always has one
    say(Path(path).read_text().rstrip() if arguments.pem else str(path))
    return 0


TAKES = {"hosts": _take_hosts, "ca": _take_ca}

"""The command `mockchat`: thin shells around the library."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence

from mockchat import config as settings
from mockchat.config import Config, ConfigError
from mockchat.version import __version__

_FAILED, _WRONG_USAGE = 1, 2
_PATIENCE = 5  # seconds that a running server has to answer


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return 0 for good, 1 where the server said no, 2 for wrong usage."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    command: Callable[[argparse.Namespace], int] | None = getattr(arguments, "command", None)
    if command is None:
        parser.print_help(sys.stderr)
        return _WRONG_USAGE
    try:
        return command(arguments)
    except ConfigError as error:
        sys.stderr.write(f"mockchat: {error}\n")
        return _WRONG_USAGE
    except KeyboardInterrupt:
        return 128 + 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mockchat",
        description="A local stand-in for CometChat's user and authentication service.",
    )
    parser.add_argument("--version", action="version", version=f"mockchat {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    serve = commands.add_parser("serve", help="run the server")
    serve.set_defaults(command=_serve)
    serve.add_argument("--config", metavar="FILE", help="TOML file with settings by flag name")
    for name, row in settings.rows():
        switch = {"nargs": "?", "const": "true"} if row.parse is settings.switch else {}
        serve.add_argument(
            settings.flag(name),
            action="append" if row.repeatable else "store",
            metavar=row.metavar or None,
            help=f"{row.help} (default: {row.shown.replace('`', '')}; {settings.variable(name)})",
            **switch,  # type: ignore[arg-type]
        )

    openapi = commands.add_parser("openapi", help="print the OpenAPI document")
    openapi.set_defaults(command=_openapi)

    health = commands.add_parser("health", help="ask a running server whether it is up")
    health.set_defaults(command=_health)
    health.add_argument("--url", help="its address (default: MOCKCHAT_URL, else this machine)")
    return parser


def _config(arguments: argparse.Namespace) -> Config:
    flags = {name: getattr(arguments, name) for name, _ in settings.rows()}
    return settings.load_config(flags, os.environ, arguments.config)


def _serve(arguments: argparse.Namespace) -> int:
    # Process 1 of a container would sleep through a SIGTERM that comes while the server starts.
    signal.signal(signal.SIGTERM, _stop)
    config = _config(arguments)
    from mockchat.serve import serve  # noqa: PLC0415  # what follows needs aiohttp

    return serve(config)


def _stop(_number: int, _frame: object) -> None:
    sys.exit(0)


def _openapi(_arguments: argparse.Namespace) -> int:
    from mockchat.wire.openapi import text  # noqa: PLC0415

    sys.stdout.write(text())
    return 0


def _health(arguments: argparse.Namespace) -> int:
    import ssl  # noqa: PLC0415
    from http.client import HTTPException  # noqa: PLC0415
    from urllib.request import HTTPSHandler, ProxyHandler, build_opener  # noqa: PLC0415

    url = arguments.url or os.environ.get("MOCKCHAT_URL") or _own_url()
    # A probe asks this machine, by no proxy, and does not care who signed the certificate.
    unverified = ssl.create_default_context()
    unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
    ask = build_opener(ProxyHandler({}), HTTPSHandler(context=unverified))
    try:
        with ask.open(f"{url.rstrip('/')}/_mock/health", timeout=_PATIENCE) as answer:
            sys.stdout.write(answer.read().decode(errors="replace") + "\n")
    except (OSError, ValueError, HTTPException) as error:
        sys.stderr.write(f"mockchat: no server answers at {url}: {_reason(error)}\n")
        return _FAILED
    return 0


def _reason(error: Exception) -> str:
    """Return an error in one printable line."""
    return "".join(filter(str.isprintable, str(error)))


def _own_url() -> str:
    """Return where the server of this machine or container is, by its own variables."""
    port = os.environ.get(settings.variable("port"), "8080")
    if port != "off":
        return f"http://127.0.0.1:{port}"
    return f"https://127.0.0.1:{os.environ.get(settings.variable('https_port'), '8443')}"

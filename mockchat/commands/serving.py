"""`serve` and `config`: the settings as flags, and what they come to."""

import argparse
import os
import signal
import sys
from collections.abc import Mapping
from typing import Any

from mockchat import config
from mockchat.commands import Run, UsageError
from mockchat.commands.show import add_json_option, note, tell_table
from mockchat.config import Config, ConfigError

_SECRET = ("control_token",)
_MASK = "********"


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Declare every setting as a flag."""
    group = parser.add_argument_group("settings")
    group.add_argument("--config", metavar="FILE", help="TOML file with settings by flag name")
    for name, row in config.rows():
        switch = {"nargs": "?", "const": "true"} if row.parse is config.switch else {}
        group.add_argument(
            config.flag(name),
            action="append" if row.repeatable else "store",
            metavar=row.metavar or None,
            help=f"{row.help} (default: {row.shown.replace('`', '')}; {config.variable(name)})",
            **switch,  # type: ignore[arg-type]
        )


def flags_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what the flags say, by setting."""
    return {name: getattr(arguments, name) for name, _ in config.rows()}


def config_of(
    flags: Mapping[str, Any], file: str | None, environ: Mapping[str, str] | None = None
) -> Config:
    """Return the settings; raise UsageError for one that is no good."""
    variables = os.environ if environ is None else environ
    for name in config.service_links(variables):
        note(
            f"{name}={variables[name]} is ignored: Kubernetes sets it beside a Service of that "
            "name; give the pod enableServiceLinks: false, or the port by its flag"
        )
    try:
        return config.load_config(flags, variables, file)
    except ConfigError as error:
        raise UsageError(str(error)) from None


# --- serve ----------------------------------------------------------------------------------
def _take_serve(parser: argparse.ArgumentParser) -> Run:
    add_settings(parser)
    return _serve


def _serve(arguments: argparse.Namespace) -> int:
    # Process 1 of a container would sleep through a SIGTERM that comes while the server starts.
    signal.signal(signal.SIGTERM, _stop)
    settings = config_of(flags_of(arguments), arguments.config)
    from mockchat.serve import serve  # noqa: PLC0415  # what follows needs aiohttp

    return serve(settings)


def _stop(_number: int, _frame: object) -> None:
    sys.exit(0)


# --- config ---------------------------------------------------------------------------------
def _take_config(parser: argparse.ArgumentParser) -> Run:
    add_settings(parser)
    add_json_option(parser)
    return _tell_config


def _tell_config(arguments: argparse.Namespace) -> int:
    """Print every setting; what is secret is not shown."""
    flags = flags_of(arguments)
    settings = config_of(flags, arguments.config)
    in_file = config.read_file(arguments.config) if arguments.config else {}
    values = {name: getattr(settings, name) for name, _ in config.rows()}
    values |= {name: _MASK for name in _SECRET if values[name] is not None}
    rows = [
        {"setting": name, "value": value, "from": _source(name, flags, in_file)}
        for name, value in values.items()
    ]
    lines = [
        (config.flag(row["setting"]), _shown(row["setting"], row["value"]), row["from"])
        for row in rows
    ]
    return tell_table(arguments, rows, ("setting", "value", "from"), lines)


def _shown(name: str, value: Any) -> str:
    """Return a value as its flag takes it."""
    if value == getattr(Config, name):  # dataclasses keep defaults there
        return dict(config.rows())[name].shown.replace("`", "")
    if value is None:
        return "off"
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}s" if isinstance(value, float) else str(value)


def _source(name: str, flags: Mapping[str, Any], in_file: Mapping[str, Any]) -> str:
    if flags.get(name) is not None:
        return "flag"
    if name in config.in_environment(os.environ):
        return config.variable(name)
    return "--config" if name in in_file else "default"


TAKES = {"serve": _take_serve, "config": _take_config}

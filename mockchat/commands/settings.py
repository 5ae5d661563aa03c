"""`serve` and `config`: the settings as flags and variables, and the value and source of each."""

import argparse
import gc
import os
import re
import signal
import sys
from collections.abc import Mapping
from typing import Any

from mockchat import config
from mockchat.commands.show import note, tell
from mockchat.commands.table import JSON, Action, Argument, Column, argument
from mockchat.config import Config
from mockchat.core.setting_kinds import SERVICE_LINK, SWITCH
from mockchat.core.words import nearest

_MASK = "********"
_PREFIX = "MOCKCHAT_"
# Variables that `mockchat exec` sets, that commands and the kit for JavaScript read, and those of
# the examples.
_NOT_SETTINGS = ("URL", "HTTPS_URL", "WS_URL", "PROXY_URL", "CA", "APP", "IMAGE", "ADDRESS")
# Kubernetes sets these for Services whose names begin with mockchat.
_OF_KUBERNETES = re.compile(
    r"(_\w+)?_(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
_NO_DEFAULTS: Mapping[str, str] = {}


def serve_arguments(
    _parser: argparse.ArgumentParser, defaults: Mapping[str, str] = _NO_DEFAULTS
) -> list[Argument]:
    """Return every setting as a flag, and `--config`; `defaults` are those that differ."""
    told = "TOML file with settings; its keys are the names of the flags"
    file = argument("--config", "FILE", told, "settings")
    return [file, *(setting(name, defaults.get(name)) for name in config.ROWS)]


def show_arguments(parser: argparse.ArgumentParser) -> list[Argument]:
    """Return the arguments of `config`."""
    return [JSON, *serve_arguments(parser)]


def setting(name: str, default: str | None = None) -> Argument:
    """Return the flag of a setting."""
    row = config.ROWS[name]
    options: dict[str, Any] = {"action": "append"} if row.repeatable else {}
    if row.kind is SWITCH:
        options |= {"nargs": "?", "const": "true"}
    default = default or row.shown.replace("`", "")
    told = f"{row.help} (default: {default}; {config.variable(name)})"
    return argument(config.flag(name), row.kind.metavar, told, "settings", **options)


def flags_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that flags name."""
    return {name: getattr(arguments, name, None) for name in config.ROWS}


def config_of(
    flags: Mapping[str, Any], file: str | None = None, environ: Mapping[str, str] = os.environ
) -> Config:
    """Return the settings; raise ConfigError for a wrong one."""
    for name in config.service_links(environ):
        note(
            f"{name}={environ[name]} is ignored, because Kubernetes sets it for a Service; set "
            "enableServiceLinks: false in the pod, or pass the port as a flag"
        )
    tell_strangers(environ)
    return config.load_config(flags, environ, file)


def tell_strangers(environ: Mapping[str, str]) -> None:
    """Tell of each variable that nothing reads, with the one that was meant."""
    known = [*(name.upper() for name in config.ROWS), *_NOT_SETTINGS]
    for name, value in environ.items():
        word = name.removeprefix(_PREFIX)
        by_kubernetes = _OF_KUBERNETES.fullmatch(f"_{word}") or SERVICE_LINK.match(value)
        if not (word == name or word in known or by_kubernetes):
            near = nearest(word, known)
            meant = f"did you mean {_PREFIX}{near}?" if near else "`mockchat config` lists them"
            note(f"nothing reads the variable {name}; {meant}")


# --- serve ----------------------------------------------------------------------------------
def serve(_action: Action, arguments: argparse.Namespace) -> int:
    """Run a server until a signal stops it."""
    # Process 1 of a container ignores a SIGTERM without a handler while the server starts.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    settings = config_of(flags_of(arguments), arguments.config)
    if arguments.control_token:
        note(
            "others on this machine can read --control-token in the list of processes; "
            "MOCKCHAT_CONTROL_TOKEN or a --config file hides it"
        )
    gc.disable()  # what the imports make stays until the end; `serve` enables it again
    from mockchat.serve import serve as serve_until_stopped  # noqa: PLC0415  # imports aiohttp

    return serve_until_stopped(settings)


# --- config ---------------------------------------------------------------------------------
def show(_action: Action, arguments: argparse.Namespace) -> int:
    """List every setting with its value and source; secrets are masked."""
    flags = flags_of(arguments)
    settings = config_of(flags, arguments.config)
    in_file = config.read_file(arguments.config) if arguments.config else {}
    rows = []
    for name in config.ROWS:
        value = getattr(settings, name)
        masked = _MASK if name in config.SECRET and value is not None else value
        rows.append({"setting": name, "value": masked, "from": _source(name, flags, in_file)})
    columns = (
        Column("setting", lambda row: config.flag(row["setting"])),
        Column("value", lambda row: config.shown(row["setting"], row["value"])),
        Column("from", "from"),
    )
    return tell(arguments, rows, columns)


def _source(name: str, flags: Mapping[str, Any], in_file: Mapping[str, Any]) -> str:
    if flags.get(name) is not None:
        return "flag"
    if name in config.in_environment(os.environ):
        return config.variable(name)
    return "--config" if name in in_file else "default"

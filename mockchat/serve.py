"""`mockchat serve`: the server as a process, with its banner, log lines and signals."""

import asyncio
import json
import logging
import shlex
import signal
import sys
from contextlib import suppress

from mockchat.config import Config
from mockchat.server import MockChat, StartError
from mockchat.version import __version__

_SHOWN_USERS = 20
_EXTRAS = ("method", "path", "status", "milliseconds")


def serve(config: Config) -> int:
    """Serve until Ctrl-C or SIGTERM; return the exit status."""
    _set_up_logging(config)
    try:
        asyncio.run(_serve(config))
    except StartError as error:
        sys.stderr.write(f"mockchat: {error}\n")
        return 1
    return 0


async def _serve(config: Config) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows knows Ctrl-C only, as KeyboardInterrupt
            loop.add_signal_handler(number, stop.set)
    async with MockChat(config) as mock:
        sys.stdout.write(f"{banner(mock)}\n")
        sys.stdout.flush()
        await stop.wait()


def banner(mock: MockChat) -> str:
    """Return what a newcomer needs to see: addresses, credentials, users and a line to paste."""
    config = mock.config
    uids = mock.seed_uids()
    more = f" and {len(uids) - _SHOWN_USERS} more" if len(uids) > _SHOWN_USERS else ""
    lines = [
        ("HTTP", mock.url or "off"),
        ("HTTPS", mock.https_url or "off"),
        ("Also as", ", ".join(_other_addresses(mock))),
        ("App", f"{config.app_id} (region {config.region}); any other app id works, too")
        if not config.strict_apps
        else ("App", f"{config.app_id} (region {config.region})"),
        (
            "Keys",
            " and ".join(
                f"{', '.join(keys)} ({scope})"
                for keys, scope in (
                    (config.auth_key, "auth only"),
                    (config.rest_api_key, "full access"),
                )
            ),
        ),
        ("Users", (", ".join(uids[:_SHOWN_USERS]) + more) or "none"),
        ("CA", str(mock.ca_path) if mock.ca_path else "none of its own"),
    ]
    facts = "\n".join(f"  {name:<8} {value}" for name, value in lines)
    return f"mockchat {__version__} is up\n\n{facts}\n\n  Try it:\n  {_try_it(mock, uids)}\n"


def _other_addresses(mock: MockChat) -> list[str]:
    """Return the names of this machine from elsewhere, with the port that serves SDKs there."""
    base = mock.https_url or mock.url or ""
    scheme, _, rest = base.partition("://")
    port = rest.rpartition(":")[2]
    names = ["localhost", "10.0.2.2 (Android emulator)", "host.docker.internal (containers)"]
    return [
        f"{scheme}://{name.replace(' ', f':{port} ', 1)}"
        if " " in name
        else f"{scheme}://{name}:{port}"
        for name in names
    ]


def _try_it(mock: MockChat, uids: list[str]) -> str:
    config = mock.config
    trust = [] if mock.url else ["--cacert", str(mock.ca_path)] if mock.ca_path else ["--insecure"]
    base = mock.url or mock.https_url or ""
    if uids:
        path, body = "/login", {"uid": uids[0], "authKey": config.auth_key[0]}
        key = []
    else:
        path, body = "/users", {"uid": "user1", "name": "Kevin"}
        key = ["-H", f"apikey: {config.rest_api_key[0]}"]
    return shlex.join(["curl", *trust, *key, f"{base}{path}", "-d", json.dumps(body)])


class _JsonLines(logging.Formatter):
    """Log lines for machines: one JSON object each."""

    def format(self, record: logging.LogRecord) -> str:
        line = {"time": record.created, "level": record.levelname.lower()}
        line["message"] = record.getMessage()
        line |= {name: getattr(record, name) for name in _EXTRAS if hasattr(record, name)}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def _set_up_logging(config: Config) -> None:
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S")
    handler.setFormatter(_JsonLines() if config.log_format == "json" else text)
    logging.basicConfig(level=config.log_level.upper(), handlers=[handler])

"""The settings: one field is one row, with its flag, its MOCKCHAT_* variable, help and docs."""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

from mockchat.core.clock import duration


class ConfigError(Exception):
    """A setting has a value that it cannot have; says which and why."""


class Row(NamedTuple):
    """What a setting's field knows beyond its name and default."""

    help: str
    parse: Callable[[str], Any]
    metavar: str
    repeatable: bool
    shown: str  # the default as help and docs show it


def _port(value: str) -> int | None:
    if value == "off":
        return None
    if not re.fullmatch(r"[0-9]{1,5}", value) or int(value) > 65535:  # noqa: PLR2004
        raise ValueError("must be a port from 0 to 65535, or off")
    return int(value)


def _count(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", value) or int(value) < 1:
        raise ValueError("must be a whole number from 1 on")
    return int(value)


def _limit(value: str) -> int | None:
    return None if value == "off" else _count(value)


def _integer(value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise ValueError("must be a whole number") from None


def size(value: str) -> int:
    """Return the bytes of a size like `500KiB`, `8MiB` or `100000`."""
    match = re.fullmatch(r"([0-9]{1,12})(KiB|MiB|GiB|)", value)
    if not match or not int(match[1]):
        raise ValueError("must be a size like 500KiB, 8MiB or 100000")
    return int(match[1]) * {"": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}[match[2]]


def _lifetime(value: str) -> float | None:
    if value == "none":
        return None
    seconds = duration(value)
    if not seconds:
        raise ValueError("must be longer than nothing")
    return seconds


def switch(value: str) -> bool:
    """Return what a word like true, no, on or 0 switches."""
    words = {"1": True, "true": True, "yes": True, "on": True}
    words |= {"0": False, "false": False, "no": False, "off": False, "": False}
    if value.lower() not in words:
        raise ValueError("must be true or false")
    return words[value.lower()]


def _choice(*choices: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return value

    return parse


def _credential(value: str) -> str:
    if not value or not value.isprintable() or any(map(str.isspace, value)):
        raise ValueError("must not be empty or hold spaces")
    return value


def _app_id(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value):
        raise ValueError("must be 1 to 64 letters, digits, - or _")
    return value


def _url(value: str) -> str:
    if not re.fullmatch(r"https?://[^/?#\s]+/?", value):
        raise ValueError("must be like https://host:port")
    return value.rstrip("/")


_SERVICE_LINK = re.compile(r"\s*(tcp|udp|sctp)://")
# What takes texts only, while the others read numbers, too.
_TEXTUAL = (str, _credential, _app_id, _url)


def _setting(  # a row has as many columns as it has
    default: Any,
    help_: str,
    parse: Callable[[str], Any] = str,
    metavar: str = "",
    *,
    repeatable: bool = False,
    shown: str | None = None,
) -> Any:
    row = Row(help_, parse, metavar, repeatable, str(default) if shown is None else shown)
    return field(default=default, metadata={"row": row})


@dataclass(frozen=True, kw_only=True)
class Config:
    """The settings of a server; every one has a default that works."""

    host: str = _setting("127.0.0.1", "address to bind", metavar="ADDRESS")
    port: int | None = _setting(8080, "HTTP port; 0 = any free one, off = none", _port, "PORT")
    https_port: int | None = _setting(
        8443, "HTTPS port; 0 = any free one, off = none", _port, "PORT"
    )
    tls_cert: str | None = _setting(
        None,
        "certificate chain (PEM) to serve instead of mockchat's own",
        metavar="FILE",
        shown="none",
    )
    tls_key: str | None = _setting(
        None, "private key (PEM) of --tls-cert", metavar="FILE", shown="none"
    )
    tls_host: tuple[str, ...] = _setting(
        (),
        "another name or address that the own certificate covers",
        metavar="NAME",
        repeatable=True,
        shown="none",
    )
    ca_dir: str | None = _setting(
        None,
        "folder of the own CA and certificate",
        metavar="DIR",
        shown="`mockchat` in the user's cache folder",
    )
    app_id: str = _setting("APP_ID", "id of the default app", _app_id, "ID")
    auth_key: tuple[str, ...] = _setting(
        ("AUTH_KEY", "API_KEY"),
        "api key that may create users and auth tokens",
        _credential,
        "KEY",
        repeatable=True,
        shown="AUTH_KEY and API_KEY",
    )
    rest_api_key: tuple[str, ...] = _setting(
        ("REST_API_KEY",),
        "api key with full access",
        _credential,
        "KEY",
        repeatable=True,
        shown="REST_API_KEY",
    )
    any_key: bool = _setting(False, "accept every api key as full access", switch, shown="off")
    strict_apps: bool = _setting(False, "refuse app ids other than --app-id", switch, shown="off")
    region: str = _setting(
        "us", "region that settings name", _choice("us", "eu", "in"), metavar="us|eu|in"
    )
    fixture: tuple[str, ...] = _setting(
        ("default",),
        "seed data: a shipped name (default, empty) or the path of a JSON file",
        metavar="NAME",
        repeatable=True,
        shown="default",
    )
    random_seed: int | None = _setting(
        None, "makes ids and tokens reproducible", _integer, "N", shown="random"
    )
    errors: str = _setting(
        "auto",
        "error dialect; auto: live for chat SDKs, documented for all others",
        _choice("auto", "documented", "live"),
        metavar="auto|documented|live",
    )
    tokens: str = _setting(
        "reusable",
        "single-use: an auth token belongs to the device that used it first",
        _choice("reusable", "single-use"),
        metavar="reusable|single-use",
    )
    token_ttl: float | None = _setting(
        None, "how long an auth token lives, like 1h", _lifetime, "DURATION", shown="none"
    )
    login_latency: float = _setting(
        0.025, "how long POST /login takes", duration, "DURATION", shown="25ms"
    )
    rate_limit: int | None = _setting(
        None, "requests per app and minute before 429", _limit, "N", shown="off"
    )
    journal_size: int = _setting(1000, "exchanges that the journal keeps per app", _count, "N")
    journal_bytes: int = _setting(
        8 * 2**20, "bytes that the journal keeps per app", size, "SIZE", shown="8MiB"
    )
    state: str | None = _setting(
        None,
        "file to load all apps from at the start and to save them to",
        metavar="FILE",
        shown="none",
    )
    public_url: str | None = _setting(
        None,
        "base URL that settings name, whatever host a client came by",
        _url,
        "URL",
        shown="the host the client came by",
    )
    trust_proxy: bool = _setting(
        False, "believe X-Forwarded-Host and X-Forwarded-Proto", switch, shown="off"
    )
    proxy_port: int | None = _setting(
        None,
        "port of a proxy in which the live host names are mockchat; 0 = any free one, off = none",
        _port,
        "PORT",
        shown="off",
    )
    proxy_only_live: bool = _setting(
        False, "let the proxy refuse all hosts but the live ones", switch, shown="off"
    )
    control_token: str | None = _setting(
        None, "token that the control API asks for", _credential, "TOKEN", shown="none"
    )
    log_format: str = _setting(
        "text", "how log lines look", _choice("text", "json"), metavar="text|json"
    )
    log_level: str = _setting(
        "info",
        "which log lines are written",
        _choice("debug", "info", "warning", "error"),
        metavar="debug|info|warning|error",
    )

    def __post_init__(self) -> None:
        for setting in fields(self):
            value = _checked(setting, getattr(self, setting.name))
            object.__setattr__(self, setting.name, value)
        if shared := set(self.auth_key) & set(self.rest_api_key):
            raise ConfigError(f"{min(shared)!r} cannot be both an --auth-key and a --rest-api-key")
        if not (self.auth_key and self.rest_api_key):
            raise ConfigError("--auth-key and --rest-api-key each need at least one key")
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ConfigError("--tls-cert and --tls-key belong together: give both or neither")
        self._check_ports()

    def _check_ports(self) -> None:
        if self.port is None and self.https_port is None:
            raise ConfigError("--port and --https-port are both off: there is nothing to serve")
        if self.proxy_port is not None and self.https_port is None:
            raise ConfigError("--proxy-port needs the HTTPS listener, and --https-port is off")
        for one, other in combinations(("port", "https_port", "proxy_port"), 2):
            if getattr(self, one) == getattr(self, other) and getattr(self, one):
                both = f"{flag(one)} and {flag(other)} are both {getattr(self, one)}"
                raise ConfigError(f"{both}: they must differ")


def _checked(setting: "Field[Any]", value: Any) -> Any:
    """Return a value given in Python, held to the rules of its flag; durations may be texts."""
    row = row_of(setting)
    if value is None and (setting.default is None or row.parse is _port):
        return None
    given = value if row.repeatable and isinstance(value, list | tuple) else [value]
    if not all(isinstance(one, str | int | float) for one in given):
        raise ConfigError(f"{setting.name} cannot be {value!r}")
    texts = [f"{one:f}" if isinstance(one, float) else str(one) for one in given]
    return _parsed(row, texts, setting.name)


def rows() -> list[tuple[str, Row]]:
    """Return the settings by field name, in the order of the help."""
    return [(setting.name, row_of(setting)) for setting in fields(Config)]


def row_of(setting: "Field[Any]") -> Row:
    """Return the row of a field of Config."""
    row: Row = setting.metadata["row"]
    return row


def flag(name: str) -> str:
    """Return the flag of a setting."""
    return "--" + name.replace("_", "-")


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return "MOCKCHAT_" + name.upper()


def in_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what variables say of settings, by name, without what Kubernetes says of Services."""
    links = service_links(environ)
    names = {name: variable(name) for name, _ in rows()}
    return {
        name: environ[one] for name, one in names.items() if one in environ and one not in links
    }


def service_links(environ: Mapping[str, str]) -> list[str]:
    """Return the variables of ports that tell where a Service of Kubernetes is.

    Beside a Service named mockchat it sets `MOCKCHAT_PORT=tcp://10.0.0.1:80`.
    """
    names = [variable(name) for name, row in rows() if row.parse is _port]
    return [one for one in names if _SERVICE_LINK.match(environ.get(one, ""))]


def load_config(
    flags: Mapping[str, Any], environ: Mapping[str, str], file: str | None = None
) -> Config:
    """Return the settings: flags win over variables, variables over the file.

    Raises ConfigError, which names the setting in the words of its source.
    """
    values: dict[str, Any] = read_file(file) if file else {}
    in_variables = in_environment(environ)
    for name, row in rows():
        given = in_variables.get(name)
        if given is not None:
            texts = given.split(",") if row.repeatable else [given]
            values[name] = _parsed(row, [one.strip() for one in texts], variable(name))
        if flags.get(name) is not None:
            texts = flags[name] if row.repeatable else [flags[name]]
            values[name] = _parsed(row, texts, flag(name))
    return Config(**values)


def _parsed(row: Row, texts: list[str], source: str) -> Any:
    try:
        values = [row.parse(text) for text in texts]
    except ValueError as error:
        raise ConfigError(f"{source} {error}, not {', '.join(texts)!r}") from None
    return tuple(values) if row.repeatable else values[0]


def read_file(path: str) -> dict[str, Any]:
    """Return the settings that a TOML file says, by name; raise ConfigError."""
    try:
        content = tomllib.loads(Path(path).read_text())
    except OSError as error:
        raise ConfigError(f"--config {path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"--config {path}: is not valid TOML: {error}") from None
    values: dict[str, Any] = {}
    for key, value in content.items():
        name, source = key.replace("-", "_"), f"--config {path}: {key}"
        row = dict(rows()).get(name)
        if row is None:
            raise ConfigError(f"--config {path}: there is no setting {key!r}")
        if name in values:
            raise ConfigError(f"{source} stands there twice, once with - and once with _")
        values[name] = _parsed(row, _texts(row, value, source), source)
    return values


def _texts(row: Row, value: Any, source: str) -> list[str]:
    """Return a TOML value as the texts that a flag would have; numbers only where they count."""
    given = value if row.repeatable and isinstance(value, list) else [value]
    if row.parse is switch:
        good = isinstance(value, bool)
    elif row.parse in _TEXTUAL:
        good = all(isinstance(one, str) for one in given)
    else:
        good = isinstance(value, str | int | float) and not isinstance(value, bool)
    if not good or not given:
        raise ConfigError(f"{source} cannot be {value!r}")
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in given]

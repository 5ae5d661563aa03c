"""The settings: each field is a row with its flag, its MOCKCHAT_* variable, help and docs."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from mockchat.core import setting_kinds as kinds
from mockchat.core.webhooks import checked_url
from mockchat.core.words import AdviceError, did_you_mean, question


class ConfigError(AdviceError):
    """A setting has a wrong value; the message names the setting and the reason."""

    status = 2


class Row(NamedTuple):
    """A setting beyond its name and default; `shown` is the default in help and docs."""

    help: str
    kind: kinds.Kind
    repeatable: bool
    shown: str


SECRET = ("control_token",)
# The settings that an app may have of its own.
PER_APP = frozenset(
    (
        *("any_key", "errors", "fixture", "login_latency", "max_users", "rate_limit"),
        *("token_ttl", "tokens", "unbuilt", "webhook"),
    )
)


def _setting(default: Any, kind: kinds.Kind, help_: str, shown: str = "") -> Any:
    if default is None:
        shown = shown or kind.none
    elif isinstance(default, bool):
        shown = "on" if default else "off"
    elif isinstance(default, tuple):
        shown = shown or " and ".join(default) or kind.none
    row = Row(help_, kind, isinstance(default, tuple), shown or str(default))
    return field(default=default, metadata={"row": row})


# --- the settings ---------------------------------------------------------------------------
# These rows declare the settings, and no schema does: all sources of settings share one parser.
# A command line that reads a flag must not load marshmallow, which is slow.
@dataclass(frozen=True, kw_only=True)
class Config:
    """The settings of a server; every setting has a default that works."""

    if not TYPE_CHECKING:

        def __new__(cls, **given: Any) -> Self:
            """Raise TypeError for a setting that there is not, before dataclasses do."""
            for name in given:
                if name not in cls.__dataclass_fields__:
                    near = did_you_mean(name, cls.__dataclass_fields__)
                    raise TypeError(f"there is no setting {name!r}; {near}")
            return super().__new__(cls)

    host: str = _setting("127.0.0.1", kinds.text("ADDRESS"), "address to listen on")
    port: int | None = _setting(8080, kinds.PORT, "HTTP port; 0 = any free port, off = no HTTP")
    https_port: int | None = _setting(
        8443, kinds.PORT, "HTTPS port; 0 = any free port, off = no HTTPS"
    )
    tls_cert: str | None = _setting(
        None, kinds.text("FILE"), "certificate chain (PEM) to use instead of mockchat's own"
    )
    tls_key: str | None = _setting(None, kinds.text("FILE"), "private key (PEM) of --tls-cert")
    tls_host: tuple[str, ...] = _setting(
        (), kinds.text("NAME"), "another name or address in mockchat's own certificate"
    )
    ca_dir: str | None = _setting(
        *(None, kinds.text("DIR"), "folder of mockchat's own CA and certificate"),
        "`mockchat` in the user's cache folder",
    )
    app_id: str = _setting(
        "APP_ID", kinds.Kind(kinds.app_id, "ID", takes=(str,)), "id of the default app"
    )
    auth_key: tuple[str, ...] = _setting(
        ("AUTH_KEY", "API_KEY"),
        kinds.KEY,
        "api key that may create and update users, and create auth tokens",
    )
    rest_api_key: tuple[str, ...] = _setting(
        ("REST_API_KEY",), kinds.KEY, "api key with full access"
    )
    any_key: bool = _setting(False, kinds.SWITCH, "accept every api key, with full access")
    strict_apps: bool = _setting(False, kinds.SWITCH, "refuse app ids other than --app-id")
    max_apps: int = _setting(1000, kinds.COUNT, "apps that requests may add by naming them")
    region: str = _setting(
        "us", kinds.choice("us", "eu", "in"), "region that clients receive in their settings"
    )
    fixture: tuple[str, ...] = _setting(
        *(("default",), kinds.text("NAME")),
        "seed data: a shipped fixture (default, empty) or the path of a JSON file",
    )
    random_seed: int | None = _setting(
        *(None, kinds.Kind(kinds.integer, "N", none="random")), "make ids and tokens reproducible"
    )
    errors: str = _setting(
        *("auto", kinds.choice("auto", "documented", "live")),
        "error dialect; auto = live for chat SDKs and by a live host name, else documented",
    )
    tokens: str = _setting(
        *("reusable", kinds.choice("reusable", "single-use")),
        "single-use = an auth token logs in once; only the same device may do so again",
    )
    token_ttl: float | None = _setting(
        None, kinds.Kind(kinds.lifetime, "DURATION"), "lifetime of an auth token, like 1h"
    )
    login_latency: float = _setting(0.025, kinds.DURATION, "duration of POST /login", "25ms")
    rate_limit: int | None = _setting(
        None, kinds.Kind(kinds.limit, "N", none="off"), "requests per app and minute before 429"
    )
    max_users: int | None = _setting(
        None, kinds.Kind(kinds.limit, "N", none="off"), "users of an app before the plan's 402"
    )
    unbuilt: str = _setting(
        *("refuse", kinds.choice("refuse", "accept")),
        "accept = writes to known but unbuilt paths answer what was sent",
    )
    webhook: tuple[str, ...] = _setting(
        *((), kinds.Kind(checked_url, "URL", takes=(str,))),
        "where the events of users go: online, offline, blocked, unblocked",
    )
    journal_size: int = _setting(1000, kinds.COUNT, "exchanges that the journal keeps for each app")
    journal_bytes: int = _setting(
        8 * 2**20,
        kinds.Kind(kinds.size, "SIZE"),
        "bytes that the journal keeps for each app",
        "8MiB",
    )
    client_timeout: float = _setting(
        *(60.0, kinds.Kind(kinds.timeout, "DURATION")),
        "time that a client has for its TLS handshake, a head, a body, and a part of its answer",
        "60s",
    )
    state: str | None = _setting(
        None, kinds.text("FILE"), "file to load all apps from at the start and to save them to"
    )
    public_url: str | None = _setting(
        *(
            None,
            kinds.Kind(kinds.url, "URL", takes=(str,)),
            "base URL that clients receive in their settings",
        ),
        "the host that the client used",
    )
    trust_proxy: bool = _setting(
        False, kinds.SWITCH, "trust X-Forwarded-Host and X-Forwarded-Proto"
    )
    proxy_port: int | None = _setting(
        *(None, kinds.PORT),
        "port of an HTTP proxy that sends the live host names to mockchat; 0 = any free port",
    )
    proxy_only_live: bool = _setting(
        False, kinds.SWITCH, "make the proxy refuse all hosts but the live ones"
    )
    proxy_allow: tuple[str, ...] = _setting(
        *((), kinds.PATTERN),
        "another host for the proxy where it takes the live ones only, as it does beyond loopback: "
        "a name, `*.name`, or `*` for all",
    )
    dashboard: bool = _setting(True, kinds.SWITCH, "serve the dashboard to browsers that open /")
    control_token: str | None = _setting(
        None,
        kinds.Kind(kinds.credential, "TOKEN", takes=(str,)),
        "token that the control API requires; others can read a flag, but no variable or file",
    )
    allow_host: tuple[str, ...] = _setting(
        (), kinds.NAME, "another host name by which the control API and the pages may be called"
    )
    log_format: str = _setting("text", kinds.choice("text", "json"), "format of log lines")
    log_level: str = _setting(
        "info", kinds.choice("debug", "info", "warning", "error"), "lowest level of the log lines"
    )

    def __post_init__(self) -> None:
        for name in ROWS:
            object.__setattr__(self, name, _checked(name, getattr(self, name)))
        if shared := set(self.auth_key) & set(self.rest_api_key):
            raise ConfigError(f"{min(shared)!r} cannot be both an --auth-key and a --rest-api-key")
        if not (self.auth_key and self.rest_api_key):
            raise ConfigError("--auth-key and --rest-api-key each need at least one key")
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ConfigError("--tls-cert and --tls-key belong together: give both or neither")
        self._check_ports()

    def _check_ports(self) -> None:
        if self.port is None and self.https_port is None:
            raise ConfigError("--port and --https-port are both off: no port is left to serve")
        if self.proxy_port is not None and self.https_port is None:
            raise ConfigError("--proxy-port needs the HTTPS listener, and --https-port is off")
        for one, other in combinations(("port", "https_port", "proxy_port"), 2):
            if getattr(self, one) == getattr(self, other) and getattr(self, one):
                both = f"{flag(one)} and {flag(other)} are both {getattr(self, one)}"
                raise ConfigError(f"{both}: they must differ")


def _checked(name: str, value: Any) -> Any:
    """Return a value given in Python by the rules of its flag; a duration may be a text."""
    row = ROWS[name]
    if value is None and (getattr(Config, name) is None or row.kind is kinds.PORT):
        return None
    if isinstance(value, timedelta):
        value = value.total_seconds()
    given = value if row.repeatable and isinstance(value, list | tuple) else [value]
    if not all(isinstance(one, str | int | float) for one in given):
        raise ConfigError(f"{name} cannot be {value!r}")
    texts = [f"{one:f}" if isinstance(one, float) else str(one) for one in given]
    return _parsed(row, texts, name)


# By field name, in the order of the help.
ROWS: dict[str, Row] = {setting.name: setting.metadata["row"] for setting in fields(Config)}


def shown(name: str, value: Any) -> str:
    """Return the value of a setting as its flag takes it."""
    row = ROWS[name]
    if value == getattr(Config, name):  # a dataclass keeps its defaults there
        return row.shown.replace("`", "")
    if value is None:
        return row.kind.none
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}s" if isinstance(value, float) else str(value)


def flag(name: str) -> str:
    """Return the flag of a setting."""
    return "--" + name.replace("_", "-")


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return "MOCKCHAT_" + name.upper()


# --- the sources ----------------------------------------------------------------------------
def in_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of settings, by field name, without those that Kubernetes sets."""
    links = service_links(environ)
    names = {name: variable(name) for name in ROWS}
    return {
        name: environ[one] for name, one in names.items() if one in environ and one not in links
    }


def service_links(environ: Mapping[str, str]) -> list[str]:
    """Return the variables of ports that hold the address of a Kubernetes Service.

    Kubernetes sets `MOCKCHAT_PORT=tcp://10.0.0.1:80` for a Service named mockchat.
    """
    names = [variable(name) for name, row in ROWS.items() if row.kind is kinds.PORT]
    return [one for one in names if kinds.SERVICE_LINK.match(environ.get(one, ""))]


def load_config(
    flags: Mapping[str, Any], environ: Mapping[str, str], file: str | None = None
) -> Config:
    """Return the settings: a flag wins over a variable, a variable wins over the file.

    Raises ConfigError, which names the flag, the variable or the key of the file.
    """
    values: dict[str, Any] = read_file(file) if file else {}
    in_variables = in_environment(environ)
    for name, row in ROWS.items():
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
        values = [row.kind.parse(text) for text in texts]
    except ValueError as error:
        reason, *choices = error.args
        near = question(texts[-1], *choices) if choices else ""
        raise ConfigError(f"{source} {reason}, not {', '.join(texts)!r}{near}") from None
    return tuple(values) if row.repeatable else values[0]


def read_file(path: str) -> dict[str, Any]:
    """Return the settings in a TOML file, by field name; raise ConfigError."""
    import tomllib  # noqa: PLC0415  # a start without a file needs none of it

    if Path(path).exists() and not Path(path).is_file():  # a device may have no end
        raise ConfigError(f"--config {path}: is no file")
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"--config {path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"--config {path}: is not valid TOML: {error}") from None
    values: dict[str, Any] = {}
    for key, value in content.items():
        name, source = key.replace("-", "_"), f"--config {path}: {key}"
        row = ROWS.get(name)
        if row is None:
            near = question(name, ROWS)
            raise ConfigError(f"--config {path}: there is no setting {key!r}{near}")
        if name in values:
            raise ConfigError(f"{source} occurs twice, once with - and once with _")
        values[name] = _parsed(row, _texts(row, value, source), source)
    return values


def _texts(row: Row, value: Any, source: str) -> list[str]:
    """Return a TOML value as the texts that a flag would have."""
    given = value if row.repeatable and isinstance(value, list) else [value]
    if not given or any(
        isinstance(one, bool) is not (row.kind is kinds.SWITCH)
        or not isinstance(one, row.kind.takes)
        for one in given
    ):
        raise ConfigError(f"{source} cannot be {value!r}")
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in given]

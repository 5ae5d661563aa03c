"""The commands of `mockchat`: one row each, with its request, its arguments and its output."""

from argparse import ArgumentTypeError
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mockchat.core.clock import duration
from mockchat.core.setting_kinds import count


class Argument(NamedTuple):
    """An argument: its name and options for argparse, and the group of the help that lists it."""

    name: str
    options: dict[str, Any]
    group: str

    @property
    def key(self) -> str:
        """The name of the value among the parsed arguments."""
        return str(self.options.get("dest") or self.name.lstrip("-").replace("-", "_"))


def argument(name: str, metavar: str, help_: str, group: str = "", **options: Any) -> Argument:
    """Return an argument: positional without `--`, a switch without a metavar."""
    kind: dict[str, Any] = {"metavar": metavar} if metavar else {"action": "store_true"}
    return Argument(name, {"help": help_, **kind, **options}, group)


def options(rows: Mapping[str, str], group: str) -> tuple[Argument, ...]:
    """Return an option for each row: `--name METAVAR`, and its help."""
    return tuple(
        argument(name, metavar, help_, group)
        for (name, _, metavar), help_ in (
            (words.partition(" "), one) for words, one in rows.items()
        )
    )


def _read_by(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return a type for argparse, whose refusal has the reason of the parser."""

    def read(text: str) -> Any:
        try:
            return parse(text)
        except ValueError as error:
            raise ArgumentTypeError(f"{error}, not {text!r}") from None

    return read


_DURATION, _COUNT = _read_by(duration), _read_by(count)


class Column(NamedTuple):
    """A column of a table: its head, the value's key or function, the text for no value."""

    head: str
    value: str | Callable[[Any], Any]
    default: str = ""


def columns(words: str) -> tuple[Column, ...]:
    """Return the columns of these keys; `key=text` has a text for no value."""
    pairs = (word.partition("=") for word in words.split())
    return tuple(Column(key, key, default) for key, _, default in pairs)


Shows = str | tuple[Column, ...] | Callable[[Any], str]


class Action(NamedTuple):
    """A command, or an action of one: its request and how the answer is printed, or its code.

    A request is a method and a path, of the control API unless the path starts with `/v3`.
    Arguments fill the placeholders of the path; the others go into the body. `code` names a
    function of a module, which is imported when used. `more` names one that returns further
    arguments, where importing them would slow down the help.
    """

    words: str
    does: str
    request: str = ""
    arguments: tuple[Argument, ...] = ()
    shows: Shows = "{message}"
    body: Mapping[str, Any] | None = None
    code: str = ""
    more: str = ""

    @property
    def usage(self) -> str:
        """The arguments that follow the words, in the short form of the help."""
        if not (self.request or self.code):
            return "[ACTION …]"
        words = [
            f"[{one.options['metavar']}]" if "nargs" in one.options else one.options["metavar"]
            for one in self.arguments
            if not one.name.startswith("--")
        ]
        return " ".join([*words, "[OPTION …]"])


# --- arguments ------------------------------------------------------------------------------
JSON = argument("--json", "", "print JSON")
_OPTIONS_OF_SERVER = {
    "--url URL": "address of the server (default: MOCKCHAT_URL, else MOCKCHAT_PORT or 8080 on this "
    "machine)",
    "--app ID": "id of the app (default: MOCKCHAT_APP, else all apps; for `token` the default one)",
    "--control-token TOKEN": "token of the control API (default: MOCKCHAT_CONTROL_TOKEN, "
    "else none)",
    "--ca FILE": "CA to trust (default: MOCKCHAT_CA, else the system's; this machine needs none)",
}
SERVER = (*options(_OPTIONS_OF_SERVER, "the server"), JSON)  # of every action with a request
_WORD = (argument("word", "WORD", "list only the rows with this word", nargs="?"), JSON)
_NAME = (argument("name", "NAME", "name of the snapshot"),)
_FILE = (*_NAME, argument("file", "FILE", "JSON file; - for a pipe"))
_FAULT_ID = (argument("id", "ID", "id of the fault, as `mockchat faults` prints it"),)
_AT = (argument("at", "AT", "2026-01-31T12:00:00Z, for example, or unix seconds", nargs="?"),)
_ADVANCE = (argument("advance", "DURATION", "90s, 1h or 30d, for example"),)
_TOKEN = (
    argument("uid", "UID", "uid of the user"),
    argument("--force", "", "create a new auth token even if the user has one"),
    argument("--api-key", "KEY", "api key (default: MOCKCHAT_REST_API_KEY, else REST_API_KEY)"),
)
_SEED = (
    argument("--users", "N", "add N users with made-up names"),
    argument(
        "--fixture",
        "NAME",
        "add a fixture: a JSON file of this machine (- for a pipe) or a name the server knows",
    ),
)
_CA = (
    argument("--pem", "", "print the certificate instead of its path"),
    argument("--url", "URL", "print the certificate of the server at this address"),
    argument("--ca-dir", "DIR", "folder of the CA (default: MOCKCHAT_CA_DIR)"),
)
_FILTERS = {
    "--operation OPERATION": "name of an operation, like get_user",
    "--method METHOD": "HTTP method",
    "--path PATH": "path without the version; * matches a segment, ** matches several",
    "--uid UID": "uid of the user that the request is about",
    "--status STATUS": "HTTP status of the response",
    "--code CODE": "error code of the response",
}
FILTERS = options(_FILTERS, "which requests")
_JOURNAL = (
    argument("what", "ID|clear", "print one exchange in full, or clear the journal", nargs="?"),
    argument("--limit", "N", "print only the newest N exchanges"),
    argument("--follow", "", "print new exchanges until Ctrl-C"),
    argument("--har", "FILE", "write the exchanges as HAR 1.2; - for a pipe"),
    argument(
        "--wait",
        "DURATION",
        "wait for --count exchanges, old or new, at most this long",
        type=_DURATION,
    ),
    argument("--count", "N", "number of exchanges to wait for (default: 1)", type=_COUNT),
    *FILTERS,
)

_ACCOUNT = {
    "--app-id ID": "id of the app (default: COMETCHAT_APP_ID)",
    "--region REGION": "region of the app: us, eu or in (default: COMETCHAT_REGION, else us)",
    "--rest-api-key KEY": "its key with full access (default: COMETCHAT_REST_API_KEY, else asked "
    "for)",
    "--base-url URL": "address of the API, if not that of the region, such as "
    "http://127.0.0.1:8080/v3",
}
_AUTH_KEY = {"--auth-key KEY": "its Auth Key (default: COMETCHAT_AUTH_KEY, else asked for)"}
_YES = argument("--yes", "", "ask for no confirmation")
_VERIFY = (
    *options({**_ACCOUNT, **_AUTH_KEY}, "the app"),
    argument("--only", "GROUP", "play only this group of probes; repeatable", action="append"),
    argument("--read-only", "", "only read: create nothing"),
    argument("--dry-run", "", "print the requests as curl commands, and send none"),
    _YES,
    argument("--report", "FILE", "write a report: HTML if the name ends with .html, else Markdown"),
    argument("--record", "DIR", "write the exchanges as cassettes of vcrpy"),
    argument(
        "--timeout",
        "DURATION",
        "how long to wait for an answer (default: 30s)",
        type=_DURATION,
        default=30.0,
    ),
    argument("--remove", "PREFIX", "only remove what an earlier run has left under its prefix"),
    JSON,
)
_PULL = (
    argument("file", "FILE", "fixture to write, for --fixture of serve"),
    argument("--friends", "", "pull the friends of each user, too: a request for each"),
    argument(
        "--anonymise", "", "give each user another name, avatar, link, status message and metadata"
    ),
    argument("--limit", "N", "pull only the newest N users", type=_COUNT),
    *options(_ACCOUNT, "the app"),
)
_PUSH = (
    argument("fixture", "FIXTURE", "fixture to import: a JSON file or a shipped name"),
    _YES,
    *options(_ACCOUNT, "the app"),
)

# --- output ---------------------------------------------------------------------------------
_USERS = (
    *columns("app uid name role=default"),
    Column("auth tokens", "authTokens"),
    Column("state", lambda user: "deactivated" if user.get("deactivatedAt") else "active"),
)
_SNAPSHOTS = (*columns("name"), Column("of", "app", "all"), *columns("apps users"))
_FAULTS = columns("id kind parameters match=all app=all struck seen times=unlimited")
_WEBHOOKS = columns("id app url")
_KINDS = (
    *columns("kind channel"),
    Column("parameters", lambda kind: " ".join(one["name"] for one in kind["parameters"])),
    Column("what happens", "does"),
)
_ROUTES = (
    *columns("operation method path needs"),
    Column("what it does", lambda row: row["does"] if row["built"] else "not built"),
)
_SNAPSHOT = "/snapshots/{name}"
_SAVED = "The snapshot {name} is saved (users: {users})."
_FREEZE, _RESUME = {"freeze": True}, {"resume": True}
_AUTH_TOKENS = "POST /v3/users/{uid}/auth_tokens"
_ADDED = "Users added: {users} (apps: {apps})."


def _time(clock: Any) -> str:
    return f"{clock['time']} {'frozen' if clock['frozen'] else 'ticking'}"


# --- the table ------------------------------------------------------------------------------
GROUPS = {  # the actions of a command follow it, the default first
    "run a server": (
        Action("serve", "start a server", code="settings.serve", more="settings.serve_arguments"),
        Action(
            *("exec", "run a command with a server of its own"),
            code="execute.run",
            more="execute.run_arguments",
        ),
    ),
    "control a running server": (
        Action(
            "health", "check that the server is up", "", (SERVER[0], JSON), code="special.health"
        ),
        Action("users", "list the users", "GET /state", (), _USERS, code="special.users"),
        Action("token", "print an auth token of a user", _AUTH_TOKENS, _TOKEN, "{authToken}"),
        Action("reset", "return to the seed data", "POST /reset"),
        Action("seed", "add users", "POST /seed", _SEED, _ADDED, code="special.seed"),
        Action("snapshot", "save, restore, export and import the server's data"),
        Action("snapshot list", "list the snapshots", "GET /snapshots", (), _SNAPSHOTS),
        Action("snapshot save", "save the data as a snapshot", f"PUT {_SNAPSHOT}", _NAME, _SAVED),
        Action("snapshot restore", "return to a snapshot", f"POST {_SNAPSHOT}/restore", _NAME),
        Action("snapshot delete", "delete a snapshot", f"DELETE {_SNAPSHOT}", _NAME),
        Action(
            *("snapshot export", "write a snapshot to a file", f"GET {_SNAPSHOT}", _FILE),
            code="special.export_snapshot",
        ),
        Action(
            *("snapshot import", "read a snapshot from a file", f"PUT {_SNAPSHOT}", _FILE, _SAVED),
            code="special.import_snapshot",
        ),
        Action("faults", "disturb requests on purpose: errors, delays, lost connections"),
        Action("faults list", "list the faults", "GET /faults", (), _FAULTS),
        Action(
            *("faults add", "disturb requests from now on", "POST /faults"),
            code="special.faults",
            more="special.faults_arguments",
        ),
        Action("faults remove", "remove a fault", "DELETE /faults/{id}", _FAULT_ID),
        Action("faults clear", "remove all faults", "DELETE /faults"),
        Action("faults kinds", "list the kinds and presets", "GET /faults/kinds", (), _KINDS),
        Action("webhooks", "post the events of users to URLs"),
        Action("webhooks list", "list the webhooks", "GET /webhooks", (), _WEBHOOKS),
        Action(
            *("webhooks add", "post events to a URL from now on", "POST /webhooks"),
            *((argument("target", "URL", "URL of the receiver"),), _WEBHOOKS),
            code="special.webhook",
        ),
        Action(
            *("webhooks remove", "remove a webhook, or all of them", "DELETE /webhooks"),
            (argument("target", "URL", "URL of the receiver (default: all)", nargs="?"),),
            code="special.webhook",
        ),
        Action(
            "journal",
            "list the requests of clients, wait for them, follow them, save them as HAR",
            "GET /journal",
            _JOURNAL,
            code="journal.run",
        ),
        Action("clock", "print the time of an app or the server, stop it, move it forward"),
        Action("clock show", "print the time", "GET /clock", (), _time),
        Action("clock freeze", "stop the time, now or at AT", "PATCH /clock", _AT, _time, _FREEZE),
        Action("clock advance", "move the time forward", "PATCH /clock", _ADVANCE, _time),
        Action("clock resume", "return to the real time", "PATCH /clock", (), _time, _RESUME),
    ),
    "ask your own app of the live service": (
        Action(
            *("verify", "compare mockchat with your app, answer by answer", "", _VERIFY),
            code="verify.commands.verify",
        ),
        Action(
            *("pull", "write the users and roles of your app as a fixture", "", _PULL),
            code="verify.commands.pull",
        ),
        Action(
            "push", "import a fixture into your test app", "", _PUSH, code="verify.commands.push"
        ),
    ),
    "work without a server": (
        Action("errors", "list the error catalogue", "", _WORD, code="local.errors"),
        Action("routes", "list the operations", "", _WORD, _ROUTES, code="local.routes"),
        Action("openapi", "print the OpenAPI document", code="local.openapi"),
        Action("ca", "print the path of the CA to trust", "", _CA, code="local.ca"),
        Action(
            *("hosts", "print rules that send the live host names to mockchat"),
            code="local.hosts",
            more="local.hosts_arguments",
        ),
        Action(
            *("config", "list the settings and the source of each"),
            code="settings.show",
            more="settings.show_arguments",
        ),
    ),
}
ROWS = {row.words: row for rows in GROUPS.values() for row in rows}
COMMANDS = {words: row for words, row in ROWS.items() if " " not in words}

"""The table of control actions and the fields of their requests; other fields are refused."""

from collections.abc import Callable, Iterable
from typing import Any

from mockchat.api.access import Access
from mockchat.api.fields import Choice, Flag, Object, String, Whole
from mockchat.api.operation import CONTROL_PREFIX, Handler, OperationTable
from mockchat.api.validation import StrictSchema
from mockchat.control.fields import AppId, HttpUrl, Instant, Json, Method, OperationName, Span
from mockchat.control.stored import Apps, Fixture
from mockchat.core import errors
from mockchat.core.errors import ApiError, Evidence
from mockchat.core.faults import CODES
from mockchat.core.seed import MAX_FAKE_USERS
from mockchat.core.webhooks import MAX_URL
from mockchat.core.words import guess

DEFAULT_LIMIT = 100  # exchanges of an answer
LONGEST_TEXT = 500  # characters
MANY = 10**9
ENDLESS = 10**18 - 1  # as many digits as a whole number may have
_LONGEST_WAIT = 60.0  # seconds


class ControlSchema(StrictSchema):
    """The field of every control request: the app that it is for, else all apps."""

    app = AppId()


class Match(ControlSchema):
    """The exchanges that fit every given field."""

    operation = OperationName()
    method = Method()
    path = String(maximum=LONGEST_TEXT)
    uid = String(maximum=LONGEST_TEXT)


class AppQuery(ControlSchema):
    """The app, else all apps."""


class ControlTable(OperationTable):
    """Collects control actions; each may name an app, and needs the control token."""

    def __init__(self) -> None:
        super().__init__(CONTROL_PREFIX, access=Access.CONTROL, evidence=Evidence.ASSUMED)

    def add(self, method: str, *paths: str, **columns: Any) -> Callable[[Handler], Handler]:
        """Make the decorated function an operation, which takes no more than an app by default."""
        if not columns.keys() & {"query", "body"}:
            columns["query"] = AppQuery
            columns["body"] = None if method == "GET" else AppQuery
        return super().add(method, *paths, **columns)


def not_found(what: str, name: str, known: Iterable[str] = ()) -> ApiError:
    """Return MOCK_NOT_FOUND for a name in a path; it tells the known name that is near."""
    return errors.MOCK_NOT_FOUND(what=what, name=name, near=guess(name, known))


class NamedFixture(Object):
    """A fixture, or the name of one that is shipped or was named at the start of the server."""

    def __init__(self, **options: Any) -> None:
        super().__init__(Fixture, **options)

    def _read(self, value: Any) -> Any:
        if isinstance(value, str) and value.strip():
            return value
        if not isinstance(value, dict):
            raise self.no("fixture")
        return super()._read(value)


class SeedRequest(ControlSchema):
    """The fixture, or the number of made-up users, that each app gets."""

    fixture = NamedFixture()
    users = Whole(1, MAX_FAKE_USERS)


class SnapshotRequest(ControlSchema):
    """The contents of a snapshot as `GET` answers them, else the current state."""

    apps = Apps()


class ExchangeQuery(Match):
    """The exchanges that fit, without those before `since` or `cursor`.

    `since` is the id of an exchange, `cursor` is from an earlier answer.
    """

    status = Whole(0, 599)
    code = String(says={"enum": sorted(CODES)})  # a fault may have a code of its own, too
    since = Whole(0, MANY)
    cursor = Whole(0, ENDLESS)


class JournalQuery(ExchangeQuery):
    """The exchanges that fit, at most `limit`; `wait` is the time to wait for `count` of them."""

    limit = Whole(1, 10_000, load_default=DEFAULT_LIMIT)
    count = Whole(1, 10_000, load_default=1)
    wait = Span(_LONGEST_WAIT)


class EventQuery(ControlSchema):
    """The exchanges after `cursor`, else all; `wait` is the time to watch, else without an end."""

    cursor = Whole(0, ENDLESS)
    wait = Span(_LONGEST_WAIT)


class SettingsRequest(ControlSchema):
    """The rules to change; a limit or lifetime of 0 is none."""

    any_key = Flag()
    errors = Choice(("auto", "documented", "live"))
    login_latency = Span(_LONGEST_WAIT)
    max_users = Whole(0, MANY)
    rate_limit = Whole(0, MANY)
    token_ttl = Span()
    tokens = Choice(("reusable", "single-use"))
    unbuilt = Choice(("refuse", "accept"))


class PerformRequest(ControlSchema):
    """The values in the path of an operation, its query and its body."""

    path = Json()
    query = Json()
    body = Json()


class SessionQuery(ControlSchema):
    """The uid of the auth tokens' owner, else all; at most `limit` auth tokens."""

    uid = String()
    limit = Whole(1, 10_000, load_default=DEFAULT_LIMIT)


class ClockRequest(ControlSchema):
    """The changes of a clock: `freeze` it (now, or `at`), `advance` it by seconds, `resume` it."""

    freeze = Flag()
    at = Instant()
    advance = Span()
    resume = Flag()


class WebhookUrl(ControlSchema):
    """The URL of a webhook, else all webhooks."""

    url = String(maximum=MAX_URL)


class WebhookRequest(ControlSchema):
    """The URL that the events of the app are posted to."""

    url = HttpUrl(required=True)


class HoldRequest(ControlSchema):
    """The uid whose logins are held, else all logins."""

    uid = String(filled=True)


class HoldQuery(ControlSchema):
    """The uid of the logins; `wait` is the time to wait for `count` held ones."""

    uid = String(filled=True)
    wait = Span(_LONGEST_WAIT)
    count = Whole(1, 1000, load_default=1)

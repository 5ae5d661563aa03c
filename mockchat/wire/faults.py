"""Faults on the wire: they delay, refuse or cut an exchange, or change the form of its answer."""

import math
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from aiohttp import hdrs

from mockchat.api.validation import refuse
from mockchat.control.faults import in_header
from mockchat.core import errors
from mockchat.core.errors import ApiError
from mockchat.core.fault_kinds import (
    EarlyKind,
    Empty,
    Error,
    Hang,
    HttpKind,
    Latency,
    RateLimit,
    RefuseSocket,
    Reset,
    ShapeKind,
)
from mockchat.core.faults import FaultError, Rule, error_named, first_of
from mockchat.core.limits import RECORDED_MAX_USERS, STANDARD_LIMIT
from mockchat.core.matching import SOCKET
from mockchat.core.store import Store
from mockchat.core.words import nearest
from mockchat.wire.head import STEERING_PREFIX
from mockchat.wire.resolve import RequestContext
from mockchat.wire.sending import Answer, ClientGone, ClientWaits

HEADER = "X-Mock-Fault"
ERRORS_HEADER = "X-Mock-Errors"
DIALECTS = ("auto", "documented", "live")
_STEERING = {name[7:].lower(): name for name in (ERRORS_HEADER, HEADER)}  # without the prefix
_BODILESS = (HTTPStatus.NO_CONTENT, HTTPStatus.RESET_CONTENT, HTTPStatus.NOT_MODIFIED)
_RETRY_AFTER = 60  # seconds that a client is told to wait if a fault does not say

Chance = Callable[[], float]
_Strike = tuple[str, HttpKind | RefuseSocket, Chance, Rule | None]


class Struck(NamedTuple):
    """The faults that struck an exchange before its answer."""

    names: tuple[str, ...] = ()
    shape: ShapeKind | None = None  # the first that gives the answer another form
    end: ApiError | ClientGone | None = None  # how a fault ended the exchange
    hint: str | None = None  # the last one that struck, in words

    def shape_answer(self, answer: Answer) -> Answer:
        """Return an answer as the faults leave it."""
        if answer.end is None:
            answer.headers[HEADER] = ", ".join(self.names)
            if self.hint:
                answer.headers["X-Mock-Hint"] = self.hint
        answer = answer._replace(faults=self.names, hint=self.hint or answer.hint)
        if self.shape is None or answer.end or answer.status in _BODILESS:
            return answer
        shape = self.shape.shape(answer.body)
        return answer._replace(shape=shape, body=b"".join(shape.pieces))


UNTOUCHED = Struck()


class FaultInjector:
    """Lets the faults of a server strike its exchanges."""

    def __init__(self, store: Store, waits: ClientWaits) -> None:
        self._store = store
        self._waits = waits
        store.faults.on_removed.append(waits.forget)

    async def strike(self, context: RequestContext) -> Struck:
        """Let the faults of the header and of the app strike, in the order of their rules.

        Raises BAD_REQUEST for a header of mockchat's own that means nothing.
        """
        if context.head.is_steered:
            _check_steering(context.head.headers)
        if context.head.is_control or context.head.method == hdrs.METH_OPTIONS:
            return UNTOUCHED
        names: list[str] = []
        shape = hint = None
        try:
            for name, kind, chance, rule in self._striking(context):
                names.append(name)
                hint = rule.told(self._store.clock.wall()) if rule else hint
                if isinstance(kind, ShapeKind):
                    shape = shape or kind
                await self._act(kind, chance, rule, context)
        except (ApiError, ClientGone) as end:
            return Struck(tuple(names), shape, end, hint)
        return Struck(tuple(names), shape, None, hint)

    async def _act(
        self,
        kind: HttpKind | RefuseSocket,
        chance: Chance,
        rule: Rule | None,
        context: RequestContext,
    ) -> None:
        """Carry out a fault that acts before there is an answer."""
        match kind:
            case Latency():
                more = kind.jitter * (2 * chance() - 1) if kind.jitter else 0.0
                await self._waits.sleep(context.request, max(0.0, kind.delay + more))
            case Error():
                values = _values(context, _RETRY_AFTER)
                raise error_named(kind.code, kind.status, kind.message, values)
            case RefuseSocket():
                raise error_named("", kind.status, None, _values(context, _RETRY_AFTER))
            case RateLimit():
                raise ApiError(errors.TOO_MANY_REQUESTS, None, _values(context, kind.retry_after))
            case Reset() | Empty():
                raise ClientGone(reset=isinstance(kind, Reset))
            case Hang():
                raise ClientGone(hangs=True, rule=rule)

    def _striking(self, context: RequestContext) -> Iterator[_Strike]:
        """Yield the faults that strike, each counted only when its turn comes."""
        wanted: Any = HttpKind
        summary = context.summary
        if summary.operation == SOCKET:
            wanted = (EarlyKind, RefuseSocket)
        elif context.head.method == hdrs.METH_HEAD:  # without a body, no fault of bodies is used up
            wanted = EarlyKind
        try:
            in_request = in_header(context.head.headers.get(HEADER, ""))
        except FaultError as error:
            raise refuse(HEADER, "plain", reason=str(error)) from None
        for name, strikes in in_request:
            if kind := first_of(strikes, summary, wanted):
                yield name, kind, context.app.ids.chance, None
        # A WebSocket whose handshake names no app has none before it authenticates.
        is_unnamed_socket = summary.operation == SOCKET and not context.head.app_id
        app_id = None if context.refusal or is_unnamed_socket else context.app.id
        for kind, rule in self._store.faults.striking(app_id, summary, wanted):
            yield rule.called, kind, rule.chance, rule


def _values(context: RequestContext, seconds: float) -> dict[str, object]:
    """Return the values that messages name; unknown ones are left out."""
    app, summary, endpoint = context.app, context.summary, context.head.endpoint
    kind, credential = summary.credential, context.credential
    known = {
        "uid": summary.uid and summary.uid.lower(),
        "token": credential if kind == "token" else None,
        "key": errors.mask(credential) if kind == "key" else None,
        "app_id": None if context.refusal else app.id,
        "region": app.rules.region,
        "operation": summary.operation,
        "feature": "Create User",
        "quota": app.rules.max_users or RECORDED_MAX_USERS,
        "limit": app.quota.rate_limit or (endpoint.operation.limit if endpoint else STANDARD_LIMIT),
        "seconds": math.ceil(seconds),
        "reset": math.ceil(app.clock.now() + math.ceil(seconds)),
    }
    return {name: value for name, value in known.items() if value not in (None, "")}


def _check_steering(headers: Mapping[str, str]) -> None:
    """Refuse a mistyped `X-Mock-…` header, or a dialect that there is not.

    Headers of other tools, which only begin in the same way, are none of ours.
    """
    for name in headers:
        if name[:7].lower() != STEERING_PREFIX or name[7:].lower() in _STEERING:
            continue
        if near := nearest(name[7:], _STEERING):
            raise refuse(name, "plain", f" Did you mean {_STEERING[near]!r}?", reason="is not read")
    wish = headers.get(ERRORS_HEADER, "").strip().lower()
    if wish and wish not in DIALECTS:
        raise refuse(ERRORS_HEADER, "in", choices=" or ".join(DIALECTS))

"""Laws that hold for every answer of every test."""

from collections.abc import Callable
from functools import cache

from mockchat.api import OPERATIONS, UNBUILT
from mockchat.api.operation import Operation
from mockchat.control import CONTROL_OPERATIONS
from mockchat.core.journal import Exchange
from mockchat.core.webhooks import OPERATION as WEBHOOK_POST
from mockchat.wire.routing import Router, parse_path

ALL_OPERATIONS = (*OPERATIONS, *UNBUILT, *CONTROL_OPERATIONS)
_ROUTER = Router(ALL_OPERATIONS)
_REFUSED = ("ERR_BAD_REQUEST", 400)


def operation_of(method: str, raw_path: str) -> Operation | None:
    found = _ROUTER.find(method, parse_path(raw_path).segments)
    return found[0].operation if found else None


def note_undeclared(wrongs: list[str]) -> Callable[[Exchange], None]:
    """An observer that notes every answer an operation has not declared."""

    def check(exchange: Exchange) -> None:
        if exchange.status < 400 or exchange.faults:
            return  # a fault may answer with anything
        if exchange.operation == WEBHOOK_POST:
            return  # the answer is the receiver's
        headers, _ = exchange.sent
        # `Expect` is refused before any operation is looked for.
        declared = {_REFUSED} if "Expect" in headers else _declared(exchange.operation)
        if (exchange.code, exchange.status) not in declared:
            wrongs.append(f"{exchange.operation or 'no operation'}: {exchange}")

    return check


@cache
def _declared(name: str | None) -> set[tuple[str | None, int]]:
    operations = [row for row in ALL_OPERATIONS if row.id == name]
    if not operations:
        # A handshake or a Host that cannot be read; the page by a foreign name; a live host of a
        # service that is not built.
        others = {("ERR_INVALID_API_VERSION", 400), ("MOCK_NOT_BUILT", 501)}
        return {_REFUSED, *others, ("ERR_API_NOT_FOUND", 404), ("MOCK_FOREIGN_HOST", 403)}
    rows = [error for one in operations for error in one.may_raise]
    return {(face.code, face.status) for row in rows for face in (row.documented, row.live)}

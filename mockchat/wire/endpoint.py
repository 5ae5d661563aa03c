"""Endpoints: an operation made ready to serve, its schemas compiled once."""

import inspect
from typing import Any

from mockchat.api.operation import Ack, Call, File, Operation, Page
from mockchat.api.schemas import UserSchema, compile_dump
from mockchat.api.validation import Loader
from mockchat.core.pictures import address_for


class Endpoint:
    """Loads a call's input, runs its operation and prints the result."""

    __slots__ = (
        "_asynchronous",
        "_dump",
        "_handler",
        "_shows_users",
        "load_body",
        "load_query",
        "name",
        "operation",
        "takes_body",
    )

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.name = operation.id
        self.load_body = Loader(operation.body)
        self.load_query = Loader(operation.query)
        self.takes_body = operation.body is not None
        self._handler = operation.handler
        self._asynchronous = inspect.iscoroutinefunction(operation.handler)
        self._dump = compile_dump(operation.returns) if operation.returns else None
        shown = operation.returns
        self._shows_users = shown is not None and issubclass(shown, UserSchema)

    async def run(self, call: Call) -> Any:
        """Return the envelope to print, or a File as it is."""
        result = self._handler(call)
        if self._asynchronous:
            result = await result
        if isinstance(result, File):
            return result
        if self.operation.is_control:
            return self._printed(result, call)
        if isinstance(result, Page):
            printed = [self._printed(item, call) for item in result.items]
            return {"data": printed, "meta": _meta(result)}
        return {"data": self._printed(result, call)}

    def _printed(self, result: Any, call: Call) -> Any:
        if isinstance(result, Ack):
            return {"success": result.success, "message": result.message}
        if result is None or self._dump is None or isinstance(result, dict):
            return result
        printed = self._dump(result)
        if self._shows_users and "avatar" in printed:
            printed["avatar"] = address_for(printed["avatar"], call.hosts().server)
        return printed


def _meta(page: Page) -> dict[str, Any]:
    """Return the list's meta as recorded: paging in snake case, the cursor of user lists."""
    if page.total is None:  # as live pages through what it does not count
        total_pages = page.page + page.more
    else:
        total_pages = max(1, -(-page.total // page.per_page))
    meta: dict[str, Any] = {
        "pagination": {
            "total": page.total or 0,
            "count": len(page.items),
            "per_page": page.per_page,
            "current_page": page.page,
            "total_pages": total_pages,
        }
    }
    if page.cursor is not None:
        meta["cursor"] = {"updatedAt": page.cursor, "affix": "prepend"}
    return meta

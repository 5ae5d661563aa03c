"""Made: the users, roles and api keys that verify creates, and their removal."""

from contextlib import suppress
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import quote

from mockchat.core.steps import pieces
from mockchat.verify.side import Answer, NoAnswerError, Request, Side

_AT_ONCE = 25  # uids in a request


class _Kind(NamedTuple):
    """A kind of thing that verify creates."""

    path: str  # of its list
    key: str  # the field of its id
    named_by: str  # the field that begins with the prefix


_KINDS = {
    "users": _Kind("/users?withDeactivated=true&perPage=1000&searchKey={prefix}", "uid", "uid"),
    "roles": _Kind("/roles?perPage=1000", "role", "role"),
    "apikeys": _Kind("/apikeys?perPage=1000&searchKey={prefix}", "apiKey", "name"),
}


class Made:
    """The objects that verify has made on the live service: ids by kind."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self._ids: dict[str, set[str]] = {kind: set() for kind in _KINDS}

    @property
    def left(self) -> list[str]:
        """The entities that may still exist, as `users/ID`."""
        return [f"{kind}/{name}" for kind, ids in self._ids.items() for name in sorted(ids)]

    def note(self, request: Request, answer: Answer | None) -> None:
        """Note a thing that a request has created, or may have created if its answer is lost."""
        kind = request.url.partition("?")[0].rpartition("/")[2]
        if request.method != "POST" or kind not in _KINDS:
            return
        status = answer.status if answer else 0
        if not HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
            body = request.body if isinstance(request.body, dict) else {}
            imported = body.get("users")
            names = imported if isinstance(imported, dict) else [body.get(_KINDS[kind].key)]
            self._ids[kind].update(str(name).lower() for name in names if self._is_own(name))
        if kind == "apikeys" and answer and (key := answer.at("data", "apiKey")):
            self._ids[kind].add(str(key))

    def _is_own(self, name: object) -> bool:
        return str(name).lower().startswith(f"{self.prefix}-")

    # --- removal ------------------------------------------------------------------------
    async def remove(self, side: Side) -> None:
        """Remove everything under the prefix; `left` names the things that stay."""
        with suppress(NoAnswerError):
            await self._find(side)
            for uids in pieces(sorted(self._ids["users"]), _AT_ONCE):
                # The live service may not find a deactivated user to delete it.
                await side.call("PUT", "/users", {"uidsToActivate": uids})
            for kind, ids in self._ids.items():
                body = {"permanent": True} if kind == "users" else None
                for name in sorted(ids):
                    answer = await side.call("DELETE", f"/{kind}/{quote(name, safe='')}", body)
                    if answer.succeeded or answer.status == HTTPStatus.NOT_FOUND:
                        ids.discard(name)
            await self._find(side)

    async def _find(self, side: Side) -> None:
        """Add the things that the service lists under the prefix."""
        for kind, (path, key, named_by) in _KINDS.items():
            rows = (await side.call("GET", path.format(prefix=self.prefix))).at("data")
            for row in rows if isinstance(rows, list) else ():
                is_own = isinstance(row, dict) and self._is_own(row.get(named_by))
                if is_own and row.get(key):
                    self._ids[kind].add(str(row[key]))

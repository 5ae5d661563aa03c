"""Made: the users, roles and api keys that verify creates, and their removal."""

from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import quote

from mockchat.verify.side import Answer, BusyError, LostError, Request, Side

_AT_ONCE = 25  # uids in a request
_LISTS = {
    "users": ("/users?withDeactivated=true&perPage=1000&searchKey={prefix}", "uid"),
    "roles": ("/roles?perPage=1000", "role"),
    "apikeys": ("/apikeys?perPage=1000&searchKey={prefix}", "apiKey"),
}
_KEY_OF = {kind: key for kind, (_, key) in _LISTS.items()}


class Made:
    """The objects that verify has made on the live service: ids by kind."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self._ids: dict[str, set[str]] = {kind: set() for kind in _LISTS}

    @property
    def left(self) -> list[str]:
        """What may still exist, as `users/ID`."""
        return [f"{kind}/{name}" for kind, ids in self._ids.items() for name in sorted(ids)]

    def note_request(self, request: Request) -> list[tuple[str, str]]:
        """Note what a request may create, even if its answer is lost; return what is new."""
        named = [(kind, name) for kind, names in self._created_by(request) for name in names]
        new = [(kind, name) for kind, name in named if name not in self._ids[kind]]
        for kind, name in new:
            self._ids[kind].add(name)
        return new

    def note_answer(self, request: Request, answer: Answer, new: Iterable[tuple[str, str]]) -> None:
        """Note the id of a created api key, or that a request has created nothing `new`."""
        if HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            for kind, name in new:
                self._ids[kind].discard(name)
        body = answer.body
        data = body.get("data") if isinstance(body, dict) else None
        if _is(request, "apikeys") and isinstance(data, dict) and data.get("apiKey"):
            self._ids["apikeys"].add(str(data["apiKey"]))

    def _created_by(self, request: Request) -> Iterable[tuple[str, list[str]]]:
        body = request.body
        if isinstance(body, dict):
            for kind in ("users", "roles"):
                name = body.get(_KEY_OF[kind])
                if _is(request, kind) and isinstance(name, str) and self._is_own(name):
                    yield kind, [name.lower()]
            if _is(request, "data_import/users") and isinstance(body.get("users"), dict):
                yield "users", [name.lower() for name in body["users"] if self._is_own(name)]

    def _is_own(self, name: str) -> bool:
        return name.lower().startswith(f"{self.prefix}-")

    # --- removal ------------------------------------------------------------------------
    async def remove(self, side: Side) -> list[str]:
        """Remove everything under the prefix and return what is left."""
        try:
            for kind in _LISTS:
                await self._find(side, kind)
            users = sorted(self._ids["users"])
            for start in range(0, len(users), _AT_ONCE):
                uids = users[start : start + _AT_ONCE]
                # The live service may not find a deactivated user to delete it.
                await side.call("PUT", "/users", {"uidsToActivate": uids})
            for kind, ids in self._ids.items():
                for name in sorted(ids):
                    await self._remove_one(side, kind, name)
            for kind in _LISTS:
                await self._find(side, kind)
        except (LostError, BusyError):
            pass  # what is left is told
        return self.left

    async def _remove_one(self, side: Side, kind: str, name: str) -> None:
        body = {"permanent": True} if kind == "users" else None
        answer = await side.call("DELETE", f"/{kind}/{quote(name, safe='')}", body)
        if answer.succeeded or answer.status == HTTPStatus.NOT_FOUND:
            self._ids[kind].discard(name)

    async def _find(self, side: Side, kind: str) -> None:
        """Add what the service lists under the prefix."""
        path, key = _LISTS[kind]
        answer = await side.call("GET", path.format(prefix=self.prefix))
        body = answer.body
        rows = body.get("data") if isinstance(body, dict) else None
        for row in rows if isinstance(rows, list) else ():
            own = isinstance(row, dict) and self._is_own(str(row.get(_name(kind), "")))
            if own and row.get(key):
                self._ids[kind].add(str(row[key]))


def _name(kind: str) -> str:
    """Return the field that has the prefix."""
    return "name" if kind == "apikeys" else _KEY_OF[kind]


def _is(request: Request, kind: str) -> bool:
    """Whether a request creates things of a kind."""
    path = request.url.partition("?")[0]
    return request.method == "POST" and path.endswith(f"/{kind}")

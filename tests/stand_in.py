"""A mockchat that stands in for the live service, and changes what it answers."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from aiohttp import web
from aiohttp.typedefs import Handler

from mockchat.verify.run import Plan, Run, Verdict
from mockchat.verify.side import Place
from mockchat.wire.app import STORE
from tests.faulty import Recorder
from tests.values import Client, Json

Change = Callable[[web.Response], None]
_PASSED = "X-Passed-On"  # a header of the requests that are not changed
ERROR = '{"error":{"message":"%s","devMessage":"%s","source":"chat-api","code":"%s"}}'


class Mutant(NamedTuple):
    """One change of the answers to the requests that fit `where`, and the place that shows it."""

    where: str  # a regular expression for the method and the path
    change: Change
    place: str
    group: str
    executes: bool = True  # whether the request does what it asks for all the same

    def fits(self, request: str) -> bool:
        """Whether the mutant changes the answer to a request: its method and path."""
        return bool(re.fullmatch(self.where, request))


# --- changes --------------------------------------------------------------------------------
def status(code: int) -> Change:
    return lambda response: response.set_status(code)


def header(name: str, value: str | None) -> Change:
    def change(response: web.Response) -> None:
        response.headers.pop(name, None)
        if value is not None:
            response.headers[name] = value

    return change


def text(old: str, new: str) -> Change:
    """Replace a text; the answers that lack it stay."""

    def change(response: web.Response) -> None:
        assert isinstance(response.body, bytes)
        response.body = response.body.replace(old.encode(), new.encode())

    return change


def document(path: str, act: Callable[[Any], Any]) -> Change:
    """Replace the part of the document at a path by what `act` returns; None removes it."""

    def change(response: web.Response) -> None:
        assert isinstance(response.body, bytes)
        body = outer = {"": json.loads(response.body)}
        *parents, last = ["", *path.split(".")] if path else [""]
        for key in parents:
            outer = outer[key] if isinstance(outer, dict) and key in outer else {}
        if isinstance(outer, dict) and last in outer:
            outer[last] = act(outer[last])
            if outer[last] is None:
                del outer[last]
        # The style is that of mockchat: compact, with escaped slashes.
        printed = json.dumps(body[""], ensure_ascii=False, separators=(",", ":"))
        response.body = printed.replace("/", "\\/").encode()

    return change


def removed(_value: Any) -> None:
    return None


def turned(value: Any) -> Any:
    """Return a list or an object in the other order."""
    if isinstance(value, dict):
        return dict(reversed(value.items()))
    return value[::-1]


def refused(code: int, name: str, message: str = "No.") -> Change:
    def change(response: web.Response) -> None:
        response.set_status(code)
        response.body = (ERROR % (message, message, name)).encode()

    return change


# --- the service ----------------------------------------------------------------------------
class StandIn:
    """A client of a mockchat, and the ways to disturb what it answers."""

    def __init__(self) -> None:
        self.client: Client
        self.sleep = Recorder()
        self.mutants: Sequence[Mutant] = ()
        self.before: Callable[[web.Request], None] = lambda _request: None

    @web.middleware
    async def disturb(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request as the mutant wants it."""
        self.before(request)
        asked = f"{request.method} {request.path}"
        mutant = next((one for one in self.mutants if one.fits(asked)), None)
        if mutant is None or _PASSED in request.headers:
            return await handler(request)
        changed = await self._answer(request) if mutant.executes else web.json_response({})
        mutant.change(changed)
        return changed

    async def _answer(self, request: web.Request) -> web.Response:
        """Return what mockchat itself answers to a request."""
        passed = await self.client.request(
            request.method,
            request.path_qs,
            headers={**request.headers, _PASSED: "1"},
            data=await request.read(),
        )
        headers = passed.headers.copy()
        del headers["Content-Length"]
        return web.Response(status=passed.status, headers=headers, body=await passed.read())

    def plan(self, *groups: str, **settings: Any) -> Plan:
        url = str(self.client.make_url("/")).rstrip("/")
        wanted: dict[str, Any] = {"groups": groups} if groups else {}
        keys = {"rest_key": "REST_API_KEY", "auth_key": "AUTH_KEY"}
        return Plan(place=Place("APP_ID", "us", url), **{**keys, **wanted, **settings})

    async def verify(self, *groups: str, **settings: Any) -> Run:
        run = Run(self.plan(*groups, **settings), sleep=self.sleep)
        await run.play()
        return run

    @property
    def contents(self) -> Json:
        """What the service holds: uids, roles and api keys."""
        app = self.client.app[STORE].default
        return [*(user.uid for user in app.all_users()), *app.roles, *app.keys]


def differing(run: Run) -> dict[str, set[str]]:
    """The places that differ by the request that showed it."""
    return {
        f"{one.probe.method} {one.probe.path.partition('?')[0]}": {
            difference.place for difference in one.differences
        }
        for one in run.outcomes
        if one.verdict is Verdict.DIFFERS
    }

"""Control actions on messages of the server: server-sent events and webhooks."""

import asyncio
import math
from collections.abc import AsyncGenerator
from typing import Any

from mockchat.api import json_text
from mockchat.api.operation import Ack, Call, Stream
from mockchat.api.validation import refuse
from mockchat.control import answers, requests
from mockchat.control.journal import summary
from mockchat.core import errors
from mockchat.core.journal import Exchange, Filter
from mockchat.core.state import App
from mockchat.core.watchers import BACKLOG, MOST_WATCHERS
from mockchat.core.webhooks import MAX_WEBHOOKS
from mockchat.version import __version__

table = requests.ControlTable()

_EVENTS = "text/event-stream"
_HEARTBEAT = 15.0  # seconds without an event until a sign of life
_PAUSE = 0.1  # seconds in which events gather, so that a flood is sent in few pieces
_FIRST = 1000  # exchanges of the journal that a watcher gets at its start
_MOST_APPS = 200  # apps that a status names: the newest


@table.get(
    "/events",
    query=requests.EventQuery,
    returns=answers.EventSchema,
    errors=(errors.TOO_MANY_WATCHERS,),
    produces=_EVENTS,
)
def watch_events(call: Call) -> Stream:
    """Watch exchanges and changes as server-sent events: `exchange`, `status` and `lost`.

    It begins with the exchanges of the journal, those after `cursor` where one is given; the id of
    an event is the next cursor. `lost` counts the exchanges that came too fast for the watcher.
    It ends after `wait`, or when the client leaves.
    """
    if call.server.store.journals.watchers.clients >= MOST_WATCHERS:
        raise errors.TOO_MANY_WATCHERS(limit=MOST_WATCHERS)
    return Stream(_events(call), _EVENTS)


async def _events(call: Call) -> AsyncGenerator[bytes, None]:
    journals, loop = call.server.store.journals, asyncio.get_running_loop()
    wait = call.query.get("wait")
    end = math.inf if wait is None else loop.time() + wait
    with journals.watchers.watching(call.app_id, BACKLOG) as watcher:
        wanted = Filter(cursor=call.query.get("cursor"))
        found = journals.search(wanted, call.app_id)[-_FIRST:]
        told: dict[str, Any] = {}
        lost = 0
        while True:
            events = [_event("exchange", summary(one), one) for one in found]
            if lost:
                events.append(_event("lost", {"count": lost}))
            if (status := _status(call)) != told:
                events.append(_event("status", told := status))
            yield b"".join(events) or b":\n\n"
            if (left := end - loop.time()) <= 0:
                return
            await watcher.woken(min(left, _HEARTBEAT))
            await call.sleep(_PAUSE)
            found, lost = watcher.take()


def _event(name: str, data: dict[str, Any], exchange: Exchange | None = None) -> bytes:
    number = b"" if exchange is None else b"id: %d\n" % exchange.sequence
    return b"event: %b\n%bdata: %b\n\n" % (name.encode(), number, json_text.render(data))


def _status(call: Call) -> dict[str, Any]:
    """Return the apps, and the counts of the watched apps that the dashboard shows."""
    store, apps = call.server.store, call.apps
    rules = store.faults.rules.values()
    app_id = call.app_id and call.app_id.lower()
    return {
        "version": __version__,
        "default": store.default.id,
        "apps": [app.id for app in store.apps()][-_MOST_APPS:],
        "changes": store.journals.watchers.changes,
        "exchanges": sum(len(app.journal) for app in apps),
        "online": sum(_online(app) for app in apps),
        "faults": sum(
            not rule.is_spent and app_id in (None, rule.app_id and rule.app_id.lower())
            for rule in rules
        ),
        "frozen": any(app.clock.frozen for app in apps),
        "held": sum(len(app.holds.uids) for app in apps),
        "waiting": sum(len(app.holds.waiting) for app in apps),
    }


def _online(app: App) -> int:
    """Return the number of users that are online, which all have an auth token."""
    uids = {token.uid.lower() for token in app.tokens.values()}
    return sum(user.sessions > 0 for uid in uids if (user := app.find_user(uid)))


# --- webhooks -------------------------------------------------------------------------------
def _webhooks_of(call: Call) -> list[dict[str, Any]]:
    return [
        {"id": id_, "app": app.id, "url": url}
        for app in call.apps
        for id_, url in app.webhooks.urls.items()
    ]


@table.get("/webhooks", returns=answers.WebhookSchema)
def list_webhooks(call: Call) -> list[dict[str, Any]]:
    """List the webhooks of an app, or of all apps."""
    return _webhooks_of(call)


@table.post("/webhooks", body=requests.WebhookRequest, returns=answers.WebhookSchema)
def add_webhook(call: Call) -> list[dict[str, Any]]:
    """Post the events of an app, or of all apps there are, to a URL, until the app is reset.

    The events are users that come online or go, and users that block or unblock others.
    """
    url = call.body["url"]
    if any(app.webhooks.is_full for app in call.apps):
        raise refuse("url", "plain", reason=f"is one too many: an app has up to {MAX_WEBHOOKS}")
    for app in call.apps:
        app.webhooks.add(url)
    return _webhooks_of(call)


@table.delete("/webhooks", query=requests.WebhookUrl, body=requests.WebhookUrl)
def remove_webhooks(call: Call) -> Ack:
    """Remove a webhook of an app, or of all apps; without `url`, all webhooks."""
    url = call.body.get("url") or call.query.get("url")
    removed = sum(app.webhooks.remove(url) for app in call.apps)
    return Ack(f"Webhooks removed: {removed}.")

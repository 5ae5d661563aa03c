"""Control actions on webhooks: where an app posts the events of its users."""

from typing import Any

from mockchat.api.access import Access
from mockchat.api.operation import CONTROL_PREFIX, Ack, Call, OperationTable
from mockchat.api.validation import refuse
from mockchat.control.answers import WebhookSchema
from mockchat.control.requests import AppQuery, WebhookRequest, WebhookUrl
from mockchat.core.errors import Evidence
from mockchat.core.webhooks import MAX_WEBHOOKS

table = OperationTable(access=Access.CONTROL, returns=WebhookSchema, evidence=Evidence.ASSUMED)

_WEBHOOKS = f"{CONTROL_PREFIX}/webhooks"


def _shown(call: Call) -> list[dict[str, Any]]:
    return [
        {"id": id_, "app": app.id, "url": url}
        for app in call.apps
        for id_, url in app.webhooks.urls.items()
    ]


@table.get(_WEBHOOKS, query=AppQuery)
def list_webhooks(call: Call) -> list[dict[str, Any]]:
    """List the webhooks of an app, or of all apps."""
    return _shown(call)


@table.post(_WEBHOOKS, body=WebhookRequest)
def add_webhook(call: Call) -> list[dict[str, Any]]:
    """Post the events of an app, or of all apps there are, to a URL, until the app is reset.

    The events are users that come online or go, and users that block or unblock others.
    """
    url = call.body["url"]
    if any(app.webhooks.is_full for app in call.apps):
        raise refuse("url", "plain", reason=f"is one too many: an app has up to {MAX_WEBHOOKS}")
    for app in call.apps:
        app.webhooks.add(url)
    return _shown(call)


@table.delete(_WEBHOOKS, query=WebhookUrl, body=WebhookUrl)
def remove_webhooks(call: Call) -> Ack:
    """Remove a webhook of an app, or of all apps; without `url`, all webhooks."""
    url = call.body.get("url") or call.query.get("url")
    removed = sum(app.webhooks.remove(url) for app in call.apps)
    return Ack(f"Webhooks removed: {removed}.")

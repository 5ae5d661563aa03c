"""Control actions on settings: the rules of apps change, those of the start are shown."""

from dataclasses import replace
from typing import Any

from mockchat.api.access import Access
from mockchat.api.operation import CONTROL_PREFIX, Call, OperationTable
from mockchat.control.answers import StartSchema
from mockchat.control.requests import AppQuery, SettingsRequest
from mockchat.core.errors import Evidence
from mockchat.core.limits import Quota, Rules

table = OperationTable(access=Access.CONTROL, returns=StartSchema, evidence=Evidence.ASSUMED)

_SETTINGS = f"{CONTROL_PREFIX}/settings"
_SINGLE_USE = "single-use"
_PLAIN = ("any_key", "errors", "login_latency", "unbuilt")  # as Rules name and hold them
_LIMITS = ("max_users", "rate_limit", "token_ttl")  # None in Rules where they are 0


@table.get(_SETTINGS, query=AppQuery)
def get_settings(call: Call) -> dict[str, Any]:
    """Get the rules of an app, or of new apps, and the settings of the server's start."""
    rules, server = (call.only_app or call.server.store).rules, call.server
    shown = {
        "anyKey": rules.any_key,
        "errors": rules.errors,
        "loginLatency": rules.login_latency,
        "maxUsers": rules.max_users or 0,
        "rateLimit": rules.rate_limit or 0,
        "tokenTtl": rules.token_ttl or 0.0,
        "tokens": _SINGLE_USE if rules.single_use_tokens else "reusable",
        "unbuilt": rules.unbuilt,
    }
    urls = {"url": server.plain_url, "httpsUrl": server.https_url}
    return {
        "rules": shown,
        "settings": server.settings(),
        **{name: url for name, url in urls.items() if url},
        "hasCa": server.ca_path is not None,
    }


@table.patch(_SETTINGS, body=SettingsRequest)
def change_settings(call: Call) -> dict[str, Any]:
    """Change the rules of an app, or of all apps and of those to come; a reset keeps them."""
    wish = {name: value for name, value in call.body.items() if value not in (None, "")}
    store = call.server.store
    for app in call.apps:
        app.rules = _changed(app.rules, wish)
        if "rate_limit" in wish:
            app.quota = Quota(app.rules.rate_limit)
    if "token_ttl" in wish:
        store.clock.move()  # by nothing: WebSockets look anew how long their tokens live
    if call.every_app:
        store.rules = _changed(store.rules, wish)
    return dict(get_settings(call))


def _changed(rules: Rules, wish: dict[str, Any]) -> Rules:
    changes = {name: wish[name] for name in _PLAIN if name in wish}
    changes |= {name: wish[name] or None for name in _LIMITS if name in wish}
    if "tokens" in wish:
        changes["single_use_tokens"] = wish["tokens"] == _SINGLE_USE
    return replace(rules, **changes)

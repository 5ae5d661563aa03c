"""Control actions on rules and clocks of apps, and on the settings of the start."""

from datetime import UTC, datetime
from typing import Any

from mockchat.api.operation import Call
from mockchat.api.validation import refuse
from mockchat.control import answers, requests
from mockchat.core.clock import LATEST, Clock
from mockchat.core.ids import camel
from mockchat.core.limits import Quota, Rules

table = requests.ControlTable()

_LIMITS = ("max_users", "rate_limit", "token_ttl")  # None in Rules where they are 0
_RULES = ("any_key", "errors", "login_latency", *_LIMITS, "tokens", "unbuilt")


@table.get("/settings", returns=answers.StartSchema)
def get_settings(call: Call) -> dict[str, Any]:
    """Get the rules of an app, or of new apps, and the settings of the server's start."""
    rules, server = (call.only_app or call.server.store).rules, call.server
    shown = {camel(name): getattr(rules, name) for name in _RULES}
    urls = {"url": server.plain_url, "httpsUrl": server.https_url}
    return {
        "rules": {name: value for name, value in shown.items() if value is not None},
        "settings": server.settings(),
        **{name: url for name, url in urls.items() if url},
        "hasCa": server.ca_path is not None,
    }


@table.patch("/settings", body=requests.SettingsRequest, returns=answers.StartSchema)
def change_settings(call: Call) -> dict[str, Any]:
    """Change the rules of an app, or of all apps and of those to come; a reset keeps them."""
    given = {name: call.body.get(name) for name in _RULES}
    wish = {name: value for name, value in given.items() if value not in (None, "")}
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
    limits = {name: wish[name] or None for name in _LIMITS if name in wish}
    return rules._replace(**{**wish, **limits})


# --- clocks ---------------------------------------------------------------------------------
@table.get("/clock", returns=answers.ClockSchema)
def get_clock(call: Call) -> dict[str, Any]:
    """Get the time of an app, or of the server, which new apps follow."""
    clock = _clock(call)
    now = clock.now()
    time = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
    return {"now": now, "time": time.replace("+00:00", "Z"), "frozen": clock.frozen}


def _clock(call: Call) -> Clock:
    return (call.only_app or call.server.store).clock


@table.patch("/clock", body=requests.ClockRequest, returns=answers.ClockSchema)
def move_clock(call: Call) -> dict[str, Any]:
    """Freeze a clock (now, or `at` an instant), advance it, or resume it.

    Without an app, the clocks of all apps change, and new apps follow. Auth tokens, timestamps and
    rate-limit windows depend on them. `resume` comes first, `advance` last.
    """
    wish = call.body
    resume, freeze, at = bool(wish.get("resume")), bool(wish.get("freeze")), wish.get("at")
    try:
        _clock(call).move(resume=resume, freeze=freeze, at=at, advance=wish.get("advance") or 0.0)
    except ValueError:
        raise refuse("advance", "plain", reason=f"leads beyond {LATEST} unix seconds") from None
    return dict(get_clock(call))

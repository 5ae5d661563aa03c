"""The table of probes by group, and what cannot be asked."""

from mockchat.verify.of_credentials import API_KEYS, AUTH_TOKENS, CLIENT, REFUSALS, ROLES
from mockchat.verify.of_users import BLOCKED, CREATE, FRIENDS, IMPORTS, LISTS, USERS
from mockchat.verify.probe import Probe

# Each group creates what it needs: if a connection breaks, it is played anew with other names.
GROUPS: dict[str, tuple[Probe, ...]] = {
    "refusals": REFUSALS,
    "create": CREATE,
    "users": USERS,
    "lists": LISTS,
    "tokens": AUTH_TOKENS,
    "client": CLIENT,
    "friends": FRIENDS,
    "blocked": BLOCKED,
    "keys": API_KEYS,
    "roles": ROLES,
    "imports": IMPORTS,
}

# Things that no probe asks for, each with the reason. The keys are codes, operations, names of
# sentences, or names of assumptions in docs/differences.py.
NOT_ASKED = {
    "ERR_TOO_MANY_REQUESTS": "it would use up the rate limit of the app",
    "ERR_PLAN_QUOTA_RESTRICTION": "it would fill the app up to the limit of its plan",
    "ERR_ROLE_DELETE_DENIED": "if the live service did not refuse, the default role would be gone",
    "ping_analytics": "analytics have a host of their own, which counts what it is sent",
    "create_call_token": "calls are a service of their own",
    "get_call_token": "calls are a service of their own",
    **dict.fromkeys(
        ("login", "get_login", "logout", "ERROR_LOGIN_IN_PROGRESS"),
        "it is mockchat's own, for clients without an SDK",
    ),
    **dict.fromkeys(
        ("ERR_AUTHTOKEN_UNAVAILABLE", "single-use auth tokens"),
        "it is not known how an app comes by such tokens",
    ),
    **dict.fromkeys(
        ("broken", "bytes that are no HTTP", "several Content-Type headers"),
        "no HTTP client sends it",
    ),
    "silent WebSockets": "it would wait for minutes",
    "WebSockets after a logout": "the order of two connections is a matter of chance",
    "webhooks": "webhooks need an address that the live service reaches",
    **dict.fromkeys(
        ("assumed texts", "statuses of errors"),
        "each has a probe of its own",
    ),
}

"""The control API under `/_mock`: what only a mock can do."""

from mockchat.control import (
    about,
    clock,
    dashboard,
    events,
    faults,
    journal,
    logins,
    settings,
    state,
    users,
    webhooks,
)

_MODULES = (
    *(about, state, users, faults, journal, events, clock, logins, settings, webhooks),
    dashboard,
)
CONTROL_OPERATIONS = tuple(row for module in _MODULES for row in module.table)

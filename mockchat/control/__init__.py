"""The control API under `/_mock`: what only a mock can do."""

from mockchat.control import about, clock, faults, journal, logins, state, webhooks

_MODULES = (about, state, faults, journal, clock, logins, webhooks)
CONTROL_OPERATIONS = tuple(row for module in _MODULES for row in module.table)

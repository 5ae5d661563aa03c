"""The control API under `/_mock`: what only a mock can do."""

from mockchat.control import about, events, faults, journal, settings, state, users

_MODULES = (about, state, users, faults, journal, events, settings)
CONTROL_OPERATIONS = tuple(row for module in _MODULES for row in module.table)

"""The control API under `/_mock`: what only a mock can do."""

from mockchat.control import about, clock, faults, journal, logins, state

CONTROL_OPERATIONS = (
    *about.table,
    *state.table,
    *faults.table,
    *journal.table,
    *clock.table,
    *logins.table,
)

"""What only a mock can do: the control API under `/_mock`."""

from mockchat.control import about, clock, faults, journal, logins, state

CONTROL_OPERATIONS = (
    *about.table,
    *state.table,
    *faults.table,
    *journal.table,
    *clock.table,
    *logins.table,
)

"""What only a mock can do: the control API under `/_mock`."""

from mockchat.control import actions

CONTROL_OPERATIONS = (*actions.table,)

"""What can be asked: the operations of the emulated API, gathered in one table."""

from mockchat.api import auth_tokens, login, me, sessions, users
from mockchat.api.unbuilt import UNBUILT

OPERATIONS = (
    *users.table,
    *auth_tokens.table,
    *me.table,
    *sessions.table,
    *login.table,
)

__all__ = ["OPERATIONS", "UNBUILT"]

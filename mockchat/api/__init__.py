"""What can be asked: the operations of the emulated API, gathered in one table."""

from mockchat.api import (
    after_login,
    api_keys,
    auth_tokens,
    calls,
    login,
    relations,
    roles,
    users,
)
from mockchat.api.unbuilt import UNBUILT

OPERATIONS = (
    *users.table,
    *auth_tokens.table,
    *login.table,
    *api_keys.table,
    *roles.table,
    *relations.table,
    *calls.table,
    *after_login.table,
)

__all__ = ["OPERATIONS", "UNBUILT"]

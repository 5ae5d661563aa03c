"""The operations of the emulated API, in one table."""

from mockchat.api import after_login, api_keys, auth_tokens, calls, login, relations, roles, users
from mockchat.api.unbuilt import MANAGEMENT, UNBUILT

_MODULES = (users, auth_tokens, login, api_keys, roles, relations, calls, after_login)
OPERATIONS = tuple(row for module in _MODULES for row in module.table)

__all__ = ["MANAGEMENT", "OPERATIONS", "UNBUILT"]

"""Roles: create, list, get, update and delete (reference section 7)."""

from collections.abc import Mapping
from typing import Any

from mockchat.api import requests, schemas
from mockchat.api.access import Access
from mockchat.api.operation import Ack, Call, OperationTable, Page
from mockchat.api.validation import refuse
from mockchat.core import errors
from mockchat.core.entities import DEFAULT_ROLE, Role
from mockchat.core.errors import Evidence

table = OperationTable(
    access=Access.FULL_KEY, returns=schemas.RoleSchema, evidence=Evidence.DOCUMENTED
)

MAX_ROLES = 25
_ROLES, _ROLE = "/roles", "/roles/{role}"


def _role_in_path(call: Call) -> Role:
    name = call.path["role"].lower()
    if name not in call.app.roles:
        raise errors.ROLE_NOT_FOUND(role=name)
    return call.app.roles[name]


def _changes(body: Mapping[str, Any]) -> dict[str, Any]:
    known = ("name", "description", "metadata", "settings")
    changes = {name: body[name] or None for name in known if name in body}
    return changes | dict.fromkeys(body.get("unset") or ())


@table.post(_ROLES, body=requests.RoleCreate, errors=(errors.QUOTA_REACHED,))
def create_role(call: Call) -> Role:
    """Create a role."""
    app, name = call.app, call.body["role"]
    if name in app.roles:
        raise refuse("role", "taken")
    if len(app.roles) >= MAX_ROLES:
        raise errors.QUOTA_REACHED(feature="Create Role", quota=MAX_ROLES)
    app.add(role := Role(**{"role": name, "created_at": app.now, **_changes(call.body)}))
    return role


@table.get(_ROLES, query=requests.Paging)
def list_roles(call: Call) -> Page:
    """List the app's roles, the newest first."""
    return call.page(list(reversed(call.app.roles.values())))


@table.get(_ROLE, errors=(errors.ROLE_NOT_FOUND,))
def get_role(call: Call) -> Role:
    """Get a role."""
    return _role_in_path(call)


@table.put(_ROLE, body=requests.RoleUpdate, errors=(errors.ROLE_NOT_FOUND,))
def update_role(call: Call) -> Role:
    """Update a role."""
    role = _role_in_path(call)
    for name, value in _changes(call.body).items():
        setattr(role, name, value)
    role.updated_at = call.app.now
    call.app.touch(role)
    return role


@table.delete(_ROLE, errors=(errors.ROLE_NOT_FOUND, errors.ROLE_DELETE_DENIED))
def delete_role(call: Call) -> Ack:
    """Delete a role; its users get the default role."""
    role = _role_in_path(call)
    if role.role == DEFAULT_ROLE:
        raise errors.ROLE_DELETE_DENIED(role=role.role)
    for user in call.app.all_users():
        if user.role == role.role:
            call.app.update_user(user, {"role": DEFAULT_ROLE})
    del call.app.roles[role.role]
    call.app.touch(role)
    return Ack(f"Role {role.role} has been deleted successfully.")

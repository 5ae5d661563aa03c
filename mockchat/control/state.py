"""Control actions on the contents of apps: reset, seed, snapshots, the whole state."""

import re
from typing import Any

from mockchat.api.operation import CONTROL_PREFIX, Access, Ack, Call, OperationTable
from mockchat.api.validation import refuse
from mockchat.control.answers import ContentsSchema, SeededSchema, SnapshotSchema, StateSchema
from mockchat.control.requests import AppQuery, SeedRequest, SnapshotRequest
from mockchat.control.stored import read_fixture
from mockchat.core import errors
from mockchat.core.errors import Evidence
from mockchat.core.seed import (
    MAX_FAKE_USERS,
    FixtureError,
    Sections,
    add_fake_users,
    add_fixture,
    check_fixture,
)
from mockchat.core.snapshot import SnapshotError
from mockchat.core.store import Apps, StoredSnapshot
from mockchat.core.words import counted

table = OperationTable(access=Access.CONTROL, evidence=Evidence.ASSUMED)

SNAPSHOT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_BREATH = 200  # made-up users between two pauses, in which other requests are answered
_ONE = f"{CONTROL_PREFIX}/snapshots/{{name}}"


@table.post(f"{CONTROL_PREFIX}/reset", body=AppQuery)
def reset(call: Call) -> Ack:
    """Reset an app, or all apps, to the seed, without journal, faults and held logins.

    The clock of the app follows the server's again. Without an app, the server's clock resumes.
    Snapshots stay.
    """
    store = call.server.store
    if call.every_app:
        store.clock.resume()
    for app in call.apps:
        store.reset(app)
    if call.every_app:
        store.faults.remove(store.faults.of(None))
        store.journals.clear()  # refused requests may name apps that there are not
    return Ack(f"{counted(len(call.apps), 'app', 'apps')} went back to the seed.")


@table.post(f"{CONTROL_PREFIX}/seed", body=SeedRequest, returns=SeededSchema)
async def seed(call: Call) -> dict[str, Any]:
    """Add a fixture's users, roles and api keys, or any number of plausible users.

    A user that exists already gets the values of the fixture and keeps its auth tokens. If one app
    cannot take the fixture, no app gets it.
    """
    apps, users = call.apps, call.body.get("users") or 0
    if users * len(apps) > MAX_FAKE_USERS:
        reason = f"would be more than {MAX_FAKE_USERS}, as there are {len(apps)} apps"
        raise refuse("users", "plain", reason=reason)
    added = _add_fixture(call, call.body["fixture"]) if call.body.get("fixture") else 0
    for app in apps if users else ():
        for at, _ in enumerate(add_fake_users(app, users)):
            added += 1
            if at % _BREATH == 0:
                await call.sleep(0)
    return {"users": added, "apps": [app.id for app in apps]}


def _add_fixture(call: Call, fixture: str | Sections) -> int:
    try:
        if isinstance(fixture, str):
            fixture = read_fixture(fixture, call.server.fixtures)
        for app in call.apps:
            check_fixture(app, fixture)
    except FixtureError as error:
        raise refuse("fixture", "plain", reason=f"is no good: {error}") from None
    return sum(add_fixture(app, fixture) for app in call.apps)


# --- snapshots ------------------------------------------------------------------------------
def _shown(name: str, owner: str | None, kept: StoredSnapshot) -> dict[str, Any]:
    shown = {"name": name, "apps": list(kept.app_ids), "users": kept.users}
    return shown if owner is None else {**shown, "app": kept.app_ids[0]}


def _found(call: Call) -> Apps:
    name = call.path["name"]
    apps = call.server.store.kept(name, call.only_app)
    if apps is None:
        raise errors.MOCK_NOT_FOUND(what="snapshot", name=name)
    return apps


@table.get(f"{CONTROL_PREFIX}/snapshots", query=AppQuery, returns=SnapshotSchema)
def list_snapshots(call: Call) -> list[dict[str, Any]]:
    """List the snapshots of an app and of the server."""
    app = call.only_app
    return [
        _shown(name, owner, kept)
        for (owner, name), kept in call.server.store.snapshots.items()
        if app is None or owner in (None, app.id.lower())
    ]


@table.put(_ONE, body=SnapshotRequest, returns=SnapshotSchema)
def take_snapshot(call: Call) -> dict[str, Any]:
    """Store the contents of an app, or of all apps, by a name; it replaces one of that name.

    With `apps`, it stores those contents, as `GET` answers them.
    """
    store, app, name = call.server.store, call.only_app, call.path["name"]
    if not SNAPSHOT_NAME.fullmatch(name):
        raise refuse("name", "plain", reason="must be 1 to 64 letters, digits, dots, - or _")
    given = call.body.get("apps")
    try:
        apps = store.take(app) if given is None else store.checked(given, app)
    except SnapshotError as error:
        raise refuse("apps", "plain", reason=f"is no snapshot: {error}") from None
    try:
        kept = store.keep(name, apps, app)
    except SnapshotError as error:
        raise refuse("name", "plain", reason=f"is one too many: {error}") from None
    return _shown(name, app.id if app else None, kept)


@table.get(_ONE, query=AppQuery, returns=ContentsSchema, errors=(errors.MOCK_NOT_FOUND,))
def get_snapshot(call: Call) -> dict[str, Any]:
    """Get the contents of a snapshot, which another server can store."""
    return {"apps": _found(call)}


@table.post(f"{_ONE}/restore", body=AppQuery, errors=(errors.MOCK_NOT_FOUND,))
def restore_snapshot(call: Call) -> Ack:
    """Replace the contents of an app, or of all apps, by those of a snapshot.

    Without an app, newer apps are removed. A WebSocket stays open if the snapshot has its auth
    token.
    """
    call.server.store.restore(_found(call), call.only_app)
    return Ack(f"The snapshot {call.path['name']} was restored.")


@table.delete(_ONE, query=AppQuery, body=AppQuery, errors=(errors.MOCK_NOT_FOUND,))
def delete_snapshot(call: Call) -> Ack:
    """Delete a snapshot."""
    name = call.path["name"]
    if not call.server.store.forget(name, call.only_app):
        raise errors.MOCK_NOT_FOUND(what="snapshot", name=name)
    return Ack(f"The snapshot {name} is forgotten.")


@table.get(f"{CONTROL_PREFIX}/state", query=AppQuery, returns=StateSchema)
def get_state(call: Call) -> dict[str, Any]:
    """Get all users, auth tokens, api keys and roles of an app, or of all apps.

    `evicted` counts the apps that made room for others.
    """
    store = call.server.store
    return {"apps": store.take(call.only_app), "evicted": store.evicted}

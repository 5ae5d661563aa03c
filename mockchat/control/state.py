"""Control actions on the contents of apps: reset, seed, snapshots, the whole state."""

import asyncio
import re
from collections.abc import AsyncGenerator
from functools import partial
from typing import Any

from marshmallow import ValidationError

from mockchat.api import json_text
from mockchat.api.json_text import exact
from mockchat.api.operation import Ack, Call, Stream
from mockchat.api.validation import details_of, refuse
from mockchat.control import answers, requests
from mockchat.control.stored import read_fixture, validate_apps
from mockchat.core import errors
from mockchat.core.changes import HEAD, SECTION_NAMES
from mockchat.core.errors import ApiError
from mockchat.core.seed import (
    MAX_FAKE_USERS,
    FixtureError,
    Sections,
    Seed,
    adding_fake_users,
)
from mockchat.core.snapshot import SnapshotError
from mockchat.core.steps import Steps, dropping, in_thread, pieces
from mockchat.core.store import MAX_SNAPSHOT_BYTES, Apps, StoredSnapshot
from mockchat.core.words import counted

table = requests.ControlTable()

SNAPSHOT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_DEPTH = 2**31  # of stored contents, which were checked before
_JSON = "application/json"
_ONE = "/snapshots/{name}"


@table.post("/reset")
async def reset(call: Call) -> Ack:
    """Reset an app, or all apps, to the seed, without journal, faults and held logins.

    The clock of the app follows the server's again. Without an app, the server's clock resumes.
    Snapshots stay.
    """
    store = call.server.store
    if call.every_app:
        store.clock.resume()
    apps = call.apps
    for app in apps:
        await call.in_turns(store.resetting(app))
    if call.every_app:
        store.faults.remove(store.faults.of(None))
        store.journals.clear()  # refused requests may name apps that there are not
    return Ack(f"{counted(len(apps), 'app', 'apps')} went back to the seed.")


@table.post("/seed", body=requests.SeedRequest, returns=answers.SeededSchema)
async def seed(call: Call) -> dict[str, Any]:
    """Add a fixture's users, roles and api keys, or any number of plausible users.

    A user that exists already gets the values of the fixture and keeps its auth tokens. If one app
    cannot take the fixture, no app gets it.
    """
    apps, users = call.apps, call.body.get("users") or 0
    if users * len(apps) > MAX_FAKE_USERS:
        reason = f"would be more than {MAX_FAKE_USERS}, as there are {len(apps)} apps"
        raise refuse("users", "plain", reason=reason)
    added = 0
    if call.body.get("fixture"):
        check = partial(_seeds, call, call.body["fixture"])
        for app, fixture in zip(apps, await call.in_turns(in_thread(check)), strict=True):
            await call.in_turns(fixture.adding(app))
            added += len(fixture.users)
    for app in apps if users else ():
        await call.in_turns(adding_fake_users(app, users))
        added += users
    return {"users": added, "apps": [app.id for app in apps]}


def _seeds(call: Call, fixture: str | Sections) -> list[Seed]:
    """Return the seed for each app; raise BAD_REQUEST if one cannot take it."""
    try:
        if isinstance(fixture, str):
            fixture = read_fixture(fixture, call.server.fixtures)
        return [Seed.of([("fixture", fixture)], app=app) for app in call.apps]
    except FixtureError as error:
        raise refuse("fixture", "plain", reason=f"is no good: {error}") from None


# --- snapshots ------------------------------------------------------------------------------
def _shown(name: str, owner: str | None, kept: StoredSnapshot) -> dict[str, Any]:
    apps = list(kept.users)
    shown = {"name": name, "apps": apps, "users": sum(kept.users.values())}
    return shown if owner is None else {**shown, "app": apps[0]}


def _snapshots(call: Call) -> dict[Any, StoredSnapshot]:
    """Return the snapshots of an app and of the server, or all, by owner and name."""
    app, snapshots = call.only_app, call.server.store.snapshots
    owners = None if app is None else (None, app.id.lower())
    return {key: kept for key, kept in snapshots.items() if owners is None or key[0] in owners}


def _no_snapshot(call: Call) -> ApiError:
    wanted = call.path["name"]
    known = {name for owner, name in _snapshots(call) if call.only_app or owner is None}
    return requests.not_found("snapshot", wanted, known - {wanted})


def _found(call: Call) -> StoredSnapshot:
    kept = call.server.store.kept(call.path["name"], call.only_app)
    if kept is None:
        raise _no_snapshot(call)
    return kept


@table.get("/snapshots", returns=answers.SnapshotSchema)
def list_snapshots(call: Call) -> list[dict[str, Any]]:
    """List the snapshots of an app and of the server."""
    return [_shown(name, owner, kept) for (owner, name), kept in _snapshots(call).items()]


@table.put(
    _ONE, body=requests.SnapshotRequest, returns=answers.SnapshotSchema, max_body=MAX_SNAPSHOT_BYTES
)
async def take_snapshot(call: Call) -> dict[str, Any]:
    """Store the contents of an app, or of all apps, by a name; it replaces one of that name.

    With `apps`, it stores those contents, as `GET` answers them.
    """
    store, app, name = call.server.store, call.only_app, call.path["name"]
    if not SNAPSHOT_NAME.fullmatch(name):
        raise refuse("name", "plain", reason="must be 1 to 64 letters, digits, dots, - or _")
    if call.body.get("apps") is not None:
        apps = await _given(call, call.body["apps"])
    else:
        apps = await call.in_turns(store.taking(app))
    kept = await call.in_turns(storing(apps))
    try:
        store.keep(name, kept, app)
    except SnapshotError as error:
        raise refuse("name", "plain", reason=f"is one too many: {error}") from None
    return _shown(name, app.id if app else None, kept)


async def _given(call: Call, apps: Any) -> Apps:
    try:
        await asyncio.to_thread(validate_apps, apps)
        return await call.in_turns(call.server.store.checking(apps, call.only_app))
    except ValidationError as error:
        raise errors.BAD_REQUEST(details=details_of({"apps": error.messages})) from None
    except SnapshotError as error:
        raise refuse("apps", "plain", reason=f"is no snapshot: {error}") from None


@table.get(_ONE, returns=answers.ContentsSchema, errors=(errors.MOCK_NOT_FOUND,))
def get_snapshot(call: Call) -> Stream:
    """Get the contents of a snapshot, which another server can store."""
    return Stream(_written(_found(call)), _JSON)


@table.post(f"{_ONE}/restore", errors=(errors.MOCK_NOT_FOUND,))
async def restore_snapshot(call: Call) -> Ack:
    """Replace the contents of an app, or of all apps, by those of a snapshot.

    Without an app, newer apps are removed. A WebSocket stays open if the snapshot has its auth
    token.
    """
    apps = await call.in_turns(reading(_found(call)))
    await call.in_turns(call.server.store.restoring(apps, call.only_app))
    await call.in_turns(_emptying(apps))
    return Ack(f"The snapshot {call.path['name']} was restored.")


@table.delete(_ONE, errors=(errors.MOCK_NOT_FOUND,))
def delete_snapshot(call: Call) -> Ack:
    """Delete a snapshot."""
    name = call.path["name"]
    if not call.server.store.forget(name, call.only_app):
        raise _no_snapshot(call)
    return Ack(f"The snapshot {name} is forgotten.")


@table.get("/state", returns=answers.StateSchema)
async def get_state(call: Call) -> Stream:
    """Get all users, auth tokens, api keys and roles of an app, or of all apps.

    `evicted` counts the apps that made room for others.
    """
    store = call.server.store
    apps = await call.in_turns(store.taking(call.only_app))
    kept = await call.in_turns(storing(apps))
    return Stream(_written(kept, b',"evicted":%d' % store.evicted), _JSON)


async def _written(kept: StoredSnapshot, more: bytes = b"") -> AsyncGenerator[bytes, None]:
    """Yield the JSON of contents, and of `more` members."""
    before = b'{"apps":{'
    for app_id, sections in kept.contents.items():
        for section, texts in sections.items():
            if section == HEAD:
                yield before + exact(app_id) + b":" + texts[0][:-1]
            else:
                yield b"," + exact(section) + b":["
                for at, text in enumerate(texts):
                    yield (b"," if at else b"") + text[1:-1]
                yield b"]"
        before = b"},"
    yield (b"}}" if kept.contents else before + b"}") + more + b"}"


def storing(apps: Apps) -> Steps[StoredSnapshot]:
    """Return contents as they are stored, and empty them."""
    kept = StoredSnapshot({app_id: len(one["users"]) for app_id, one in apps.items()}, {})
    for app_id, one in apps.items():
        head = {key: value for key, value in one.items() if key not in SECTION_NAMES}
        kept.contents[app_id] = stored = {HEAD: [exact(head)]}
        for section in SECTION_NAMES:
            stored[section] = []
            for piece in pieces(one[section]):
                stored[section].append(exact(piece))
                yield
    yield from _emptying(apps)
    return kept


def reading(kept: StoredSnapshot) -> Steps[Apps]:
    """Return contents that were stored."""
    apps: Apps = {}
    for app_id, sections in kept.contents.items():
        apps[app_id] = one = json_text.parse(sections[HEAD][0], _DEPTH)
        for section in SECTION_NAMES:
            one[section] = []
            for text in sections[section]:
                one[section] += json_text.parse(text, _DEPTH)
                yield
    return apps


def _emptying(apps: Apps) -> Steps[None]:
    for one in apps.values():
        yield from dropping(*(value for value in one.values() if isinstance(value, list)))

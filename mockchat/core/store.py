"""The store: all apps of a server, with their journals, faults and snapshots."""

import logging
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import NamedTuple

from mockchat.core import errors, snapshot
from mockchat.core.changes import Change, Changes
from mockchat.core.clock import Clock
from mockchat.core.entities import Event
from mockchat.core.faults import Faults
from mockchat.core.holds import Holds
from mockchat.core.ids import Ids
from mockchat.core.journal import Journals
from mockchat.core.limits import Quota, Rules
from mockchat.core.setting_kinds import APP_ID
from mockchat.core.snapshot import Contents, SnapshotError
from mockchat.core.state import App
from mockchat.core.steps import Steps, dropping, finish
from mockchat.core.sweep import dumping, sweep
from mockchat.core.webhooks import Webhooks

log = logging.getLogger("mockchat")

MAX_SNAPSHOTS = 100  # of an app, and of the server
MAX_SNAPSHOT_BYTES = 512 * 2**20  # all together
_can_be_id = re.compile(APP_ID).fullmatch


def _owner(app: App | None) -> str | None:
    return None if app is None else app.key


Seeder = Callable[[App], Steps[None]]  # fills a new app
Apps = dict[str, snapshot.Plain]  # the contents of apps, by app id


class StoredSnapshot(NamedTuple):
    """A named snapshot: the number of users of each app, and its contents as JSON.

    The contents are in short texts, as one long text would keep other requests waiting.
    """

    users: dict[str, int]  # by app id
    # By app id and section: lists of some entities, and in HEAD the app's own values.
    contents: dict[str, dict[str, list[bytes]]]

    @property
    def size(self) -> int:
        """The bytes that it takes."""
        sections = chain.from_iterable(one.values() for one in self.contents.values())
        return sum(map(len, chain.from_iterable(sections)))

    def part(self, app: App) -> "StoredSnapshot | None":
        """Return the part of an app, if there is one."""
        for app_id, contents in self.contents.items():
            if app_id.lower() == app.key:
                return StoredSnapshot({app_id: self.users[app_id]}, {app_id: contents})
        return None


class Store:
    """All apps of a server, found by id in any case, bounded in number."""

    def __init__(
        self,
        default_app_id: str,
        seed: Seeder,
        rules: Rules,
        clock: Clock,
        ids: Ids,
        journals: Journals,
    ) -> None:
        self._apps: OrderedDict[str, App] = OrderedDict()
        self._seeds: dict[str, Seeder] = {}  # of apps that have a seed of their own
        self._seed = seed
        self.rules = rules
        self.clock = clock
        self.ids = ids
        self.journals = journals
        self.faults = Faults()
        change = self.journals.watchers.change
        for listeners in (self.faults.on_added, self.faults.on_removed, clock.listeners):
            listeners.append(change)
        # By app id (None: those of the server) and name.
        self.snapshots: dict[tuple[str | None, str], StoredSnapshot] = {}
        self.listeners: list[Callable[[Event], None]] = [change]
        self.evicted = 0  # apps that made room for others
        self.trackers: list[Changes] = []  # of all apps
        self.default = self._add(default_app_id)

    # --- apps ---------------------------------------------------------------------------
    def app(self, app_id: str) -> App:
        """Return the app, a new one for a new id, and let it stay; raise APP_ID_INVALID."""
        with self.opening(self.draft(app_id), stays=True) as app:
            return app

    def named(self, app_id: str | None) -> App:
        """Return the result of `draft`, without an id the default app."""
        return self.draft(app_id) if app_id else self.default

    def draft(self, app_id: str) -> App:
        """Return the app, or one that is to be filled; raise APP_ID_INVALID.

        Unlike production, an unknown id adds an app, as parallel tests use an app each. But a
        request that is refused neither adds an app nor closes another one.
        """
        key = app_id.lower()
        if app := self._apps.get(key):
            if app is not self.default:  # which is the first one of every list
                self._apps.move_to_end(key)
            return app
        self._check_id(app_id, self.rules)
        return self._empty(app_id)

    def filling(self, app: App) -> Steps[None]:
        """Give a drafted app the contents of its seed, unless it has them."""
        if not app.seeded:
            yield from self._planting(app)
            app.seeded = app.version

    async def filled(self, app: App, sleep: Callable[[float], Awaitable[None]]) -> App:
        """Return an app with the contents of its seed, which may be many.

        Other requests are served in between; if one of them added the app, it returns that one.
        """
        for _ in self.filling(app):
            await sleep(0)
        return self.find(app.id) or app

    @contextmanager
    def opening(self, app: App, *, stays: bool = False) -> Iterator[App]:
        """Add a drafted app for a request; it goes again if the request and all others fail.

        Yields the app, or the one that another request added meanwhile. One app too many closes
        another one. With `stays`, it neither makes room for another app nor needs room.
        """
        app = self.find(app.id) or app
        if app.is_draft:
            self._put(app)
            if not stays:
                self._make_room(app)
        app.calls += 1
        try:
            yield app
            app.is_settled = True
            if stays:
                self._keep(app)
        finally:
            app.calls -= 1
            if not (app.is_settled or app.calls) and self._apps.get(app.key) is app:
                self._drop(app)

    @staticmethod
    def _keep(app: App) -> None:
        if not app.stays:
            app.stays = True
            app.note_head()

    def find(self, app_id: str) -> App | None:
        """Return the app if there is one."""
        return self._apps.get(app_id.lower())

    def open(self, app_id: str, rules: Rules | None = None, seed: Seeder | None = None) -> App:
        """Return a new app that stays, with rules and a seed of its own if they are given.

        It replaces an app of the same id. Raises APP_ID_INVALID.
        """
        self._check_id(app_id)
        self.close(app_id)
        if seed is not None:
            self._seeds[app_id.lower()] = seed
        app = self._add(app_id, rules)
        if app.key == self.default.key:
            self.default = app
        return app

    def close(self, app_id: str) -> None:
        """Remove an app if there is one; its sessions end."""
        app = self.find(app_id)
        if app is None:
            return
        self._drop(app)
        self._seeds.pop(app.key, None)
        app.holds.release_all()
        for token in tuple(app.tokens.values()):
            app.destroy_token(token)  # ends its sessions, too
        app.journal.close()
        self.faults.remove(self.faults.of(app.id))
        for key in [key for key in self.snapshots if key[0] == app.key]:
            del self.snapshots[key]

    @property
    def is_single(self) -> bool:
        """Whether the default app is the only one."""
        return len(self._apps) == 1

    def apps(self) -> Iterable[App]:
        """Return all apps."""
        return tuple(self._apps.values())

    def app_with_token(self, value: str) -> App | None:
        """Return the app that has this auth token; no two apps have the same."""
        return next((app for app in self._apps.values() if value in app.tokens), None)

    def app_with_key(self, value: str) -> App | None:
        """Return the only app that has this api key; None if several have it."""
        found = (app for app in self._apps.values() if value in app.keys)
        first = next(found, None)
        return first if next(found, None) is None else None

    def resetting(self, app: App) -> Steps[None]:
        """Return an app to its seed and the server's time, without journal, faults and holds."""
        app.clock.follow(self.clock)
        new = App(app.id, app.rules, app.clock, Ids(), app.emit)
        new.secret = app.secret
        yield from self._planting(new)
        app.holds.release_all()
        old = app.replace(new.contents())
        app.seeded = app.version
        app.quota = Quota(app.rules.rate_limit)
        app.webhooks = Webhooks(app.rules.webhook)
        app.journal.clear()
        self.faults.remove(self.faults.of(app.id))
        yield from old

    def _planting(self, app: App) -> Steps[None]:
        return self._seeds.get(app.key, self._seed)(app)

    def _check_id(self, app_id: str, rules: Rules | None = None) -> None:
        if not _can_be_id(app_id) or (rules and rules.strict_apps):
            raise errors.APP_ID_INVALID(app_id=app_id, region=self.rules.region)

    def _make_room(self, new: App) -> None:
        """Close an app if requests alone added too many, at best one that they did not change.

        Apps with open WebSockets or requests in flight stay.
        """
        others = [app for app in self.apps() if not app.stays and app is not new]
        if len(others) < self.rules.max_apps:
            return
        unused = [app for app in others if not (app.sockets or app.calls)]  # the longest first
        if not unused:
            return
        app = next((app for app in unused if app.is_untouched), unused[0])
        self.evicted += 1
        if not app.is_untouched:
            log.warning(
                "the app %s and its users made room for %s, as more than %d apps were added by"
                " requests (--max-apps)", app.id, new.id, self.rules.max_apps,
            )  # fmt: skip
        self.close(app.id)

    def _add(self, app_id: str, rules: Rules | None = None) -> App:
        app = self._empty(app_id, rules)
        app.is_settled = app.stays = True
        self._put(app)
        return app

    def _put(self, app: App) -> None:
        """Add a drafted app."""
        finish(self.filling(app))
        app.is_draft = False
        app.clock.follow(self.clock)
        app.trackers = self.trackers
        app.note_all()
        self._apps[app.key] = app

    def _drop(self, app: App) -> None:
        del self._apps[app.key]
        self.clock.followers.discard(app.clock)
        app.note_all()

    def _empty(self, app_id: str, rules: Rules | None = None) -> App:
        journal, ids = self.journals.of(app_id), self.ids.of(app_id.lower())
        clock = Clock(self.clock.wall)
        clock.setting = self.clock.setting
        app = App(app_id, rules or self.rules, clock, ids, self._emit, journal)
        app.holds = Holds(self.journals.watchers.change)
        return app

    def _emit(self, event: Event) -> None:
        for listener in self.listeners:
            listener(event)

    # --- snapshots ----------------------------------------------------------------------
    def taking(self, app: App | None = None) -> Steps[Apps]:
        """Return the contents of an app, or of all apps, as they are at the end of the steps."""
        changes = Changes(only=app.key if app else None)
        self.trackers.append(changes)
        for one in (app,) if app else self.apps():
            changes.note(Change(one.key))
        find = (lambda _key: app) if app else self.find
        try:
            return (yield from dumping(sweep(changes, find, taken=Changes())))
        finally:
            self.trackers.remove(changes)

    def restoring(self, plain: Apps, app: App | None = None) -> Steps[None]:
        """Restore a snapshot: one app of it, or all its apps and no others.

        Raises SnapshotError, and changes nothing, if it is not valid.
        """
        new = yield from self._reading(plain, app)
        if app is None:
            keys = {app_id.lower() for app_id in new}
            for other in self.apps():
                if other.key not in keys and other is not self.default:
                    self.close(other.id)
        for app_id, contents in new.items():
            yield from (self.find(app_id) or self.open(app_id)).replace(contents)

    def checking(self, plain: Apps, app: App | None = None) -> Steps[Apps]:
        """Return the apps of a snapshot, or just `app`; raise SnapshotError if it is not valid."""
        found = yield from self._reading(plain, app)
        if app is not None and not found:
            raise SnapshotError(f"the app {app.id} is not in it")
        for contents in found.values():
            yield from dropping(contents.users, contents.tokens, contents.listed)
        return {app_id: plain[app_id] for app_id in found}

    @staticmethod
    def _reading(plain: Apps, app: App | None) -> Steps[dict[str, Contents]]:
        read: dict[str, Contents] = {}
        seen: set[str] = set()
        for app_id, one in plain.items():
            if app is not None and app_id.lower() != app.key:
                continue
            if not _can_be_id(app_id):
                raise SnapshotError(f"{app_id!r:.80} cannot be an app id")
            if app_id.lower() in seen:
                raise SnapshotError(f"the app {app_id} stands there twice")
            seen.add(app_id.lower())
            read[app_id] = yield from snapshot.reading(one, app_id)
        return read

    def keep(self, name: str, kept: StoredSnapshot, app: App | None = None) -> None:
        """Store a snapshot by name, of an app or of the server, in place of one of that name.

        Raises SnapshotError if there are too many.
        """
        owner = _owner(app)
        others = {key: one for key, one in self.snapshots.items() if key != (owner, name)}
        if sum(key[0] == owner for key in others) >= MAX_SNAPSHOTS:
            raise SnapshotError(f"there are {MAX_SNAPSHOTS} snapshots already; delete some")
        if sum(one.size for one in (kept, *others.values())) > MAX_SNAPSHOT_BYTES:
            size = f"{MAX_SNAPSHOT_BYTES >> 20} MiB"
            raise SnapshotError(f"all snapshots may take {size} together; delete some")
        self.snapshots[(owner, name)] = kept

    def forget(self, name: str, app: App | None = None) -> bool:
        """Delete a stored snapshot; return whether there was one."""
        return self.snapshots.pop((_owner(app), name), None) is not None

    def kept(self, name: str, app: App | None = None) -> StoredSnapshot | None:
        """Return a stored snapshot, an app's own one before the server's.

        From the server's snapshot, an app gets its own part, if there is one.
        """
        whole = self.snapshots.get((None, name))
        if app is None:
            return whole
        own = self.snapshots.get((app.key, name))
        return own or (whole and whole.part(app))

"""Sweeps: all entities of apps, read in pieces while requests go on, as of one moment."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from mockchat.core.changes import HEAD, SECTIONS, Changes
from mockchat.core.snapshot import Plain, plain_of
from mockchat.core.state import App
from mockchat.core.steps import STEP, Steps

_NAMES = dict(SECTIONS.values())


class Row(NamedTuple):
    """An entity of an app; without a value it is gone, and without a name its app was emptied."""

    app: str
    section: str | None = None
    name: str | None = None
    value: Plain | None = None


def head_of(app: App) -> Plain:
    """Return what is kept of an app besides its entities."""
    return {"id": app.id, "secret": app.secret, "serial": app.serial, "stays": app.stays}


class Sweep:
    """Takes the changes of apps and yields how things are, until there are no more changes.

    All rows together tell how it is at the end, whatever changed while others were read. `taken`
    has the changes that were read.
    """

    def __init__(self, changes: Changes, find: Callable[[str], App | None]) -> None:
        self.taken = Changes()
        self._changes = changes
        self._find = find

    def __iter__(self) -> Iterator[Row]:
        changes = self._changes
        while changes:
            if changes.apps:
                key, _ = changes.apps.popitem(last=False)
                self.taken.note_app(key)
                yield from self._app(key)
            else:
                key, section, name, new = changes.pop_entity()
                self.taken.note(key, section, name, new=new)
                yield from self._entity(key, section, name, new=new)

    def _app(self, key: str) -> Iterator[Row]:
        yield Row(key)
        if app := self._find(key):
            yield Row(key, HEAD, "", head_of(app))
            for section, entities in app.sections().items():
                name = _NAMES[section]
                for one in list(entities.values()):
                    yield Row(key, section, getattr(one, name), plain_of(one))

    def _entity(self, key: str, section: str, name: str, *, new: bool) -> Iterator[Row]:
        app = self._find(key)
        if app is None:
            return
        if section == HEAD:
            yield Row(key, section, name, head_of(app))
            return
        entity = app.sections()[section].get(name)
        if new or entity is None:  # a new one goes to the end, as it does in memory
            yield Row(key, section, name)
        if entity is not None:
            yield Row(key, section, name, plain_of(entity))


def dumping(rows: Iterable[Row]) -> Steps[dict[str, Plain]]:
    """Return the contents of apps, by app id, from the rows of a sweep."""
    apps: dict[str, dict[str, Any]] = {}
    for at, (app, section, name, value) in enumerate(rows):
        if section is None:
            apps[app] = {kind: {} for kind, _ in SECTIONS.values()}
        elif section == HEAD:
            apps[app][HEAD] = value
        elif value is None:
            apps[app][section].pop(name, None)
        else:
            apps[app][section][name] = value
        if at % STEP == 0:
            yield
    dumped = {}
    for one in apps.values():
        if head := one.pop(HEAD, None):
            del head["stays"]
            dumped[head["id"]] = {
                **head,
                **{kind: list(held.values()) for kind, held in one.items()},
            }
    return dumped

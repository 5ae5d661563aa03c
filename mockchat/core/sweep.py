"""Sweeps: all entities of apps, read in pieces while requests go on, as of one moment."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from mockchat.core.changes import HEAD, SECTIONS, Changes, Entities
from mockchat.core.snapshot import Plain, plain_of
from mockchat.core.steps import STEP, Steps

_NAMES = dict(SECTIONS.values())


class Row(NamedTuple):
    """An entity of an app; without a value it is gone, and without a section its app is empty."""

    app: str
    section: str | None = None
    name: str = ""
    value: Plain | None = None


def sweep(
    changes: Changes, find: Callable[[str], Entities | None], taken: Changes
) -> Iterator[Row]:
    """Take the changes of apps and yield how things are, until there are no more changes.

    All rows together tell how it is at the end, whatever changed while others were read. Those
    that were read are added to `taken`.
    """
    while changes:
        change = changes.pop()
        taken.note(change)
        app = find(change.app)
        if change.section is None:
            yield Row(change.app)
            yield from _all(app) if app else ()
        elif app and change.section == HEAD:
            yield _head(app)
        elif app:
            entity = app.sections()[change.section].get(change.name)
            if change.new or entity is None:  # a new one goes to the end, as it does in memory
                yield Row(*change[:3])
            if entity is not None:
                yield Row(*change[:3], plain_of(entity))


def _all(app: Entities) -> Iterator[Row]:
    yield _head(app)
    for section, entities in app.sections().items():
        left = list(entities.values())[::-1]
        while left:  # one by one: if they are dropped meanwhile, they are not freed all at once
            one = left.pop()
            yield Row(app.key, section, getattr(one, _NAMES[section]), plain_of(one))


def _head(app: Entities) -> Row:
    """Return the row of an app's own values."""
    head = {"id": app.id, "secret": app.secret, "serial": app.serial, "stays": app.stays}
    return Row(app.key, HEAD, value=head)


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

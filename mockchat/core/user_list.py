"""User lists: their filters and orders."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from mockchat.core.entities import User
from mockchat.core.state import App
from mockchat.core.steps import Steps, pieces, sorting

KEPT_SELECTIONS = 16  # of an app: clients read a selection page by page


class Span(NamedTuple):
    """A span of unix seconds, open where None."""

    start: int | None = None
    end: int | None = None

    def holds(self, moment: int | None) -> bool:
        """Whether the span holds a moment; None (never) is in the open span only."""
        if moment is None:
            return self.start is None and self.end is None
        return (self.start is None or self.start <= moment) and (
            self.end is None or moment <= self.end
        )


_ANY_TIME = Span()


class UserFilter(NamedTuple):
    """The filter and the order of a list; `viewer` is the key of the calling user."""

    search_key: str = ""
    search_in: tuple[str, ...] = ("uid", "name")
    statuses: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    uids: tuple[str, ...] = ()
    created: Span = _ANY_TIME
    updated: Span = _ANY_TIME
    deactivated: bool | None = False  # None: whether or not
    friends_only: bool = False
    hide_blocked: bool = False
    sort_by: tuple[str, ...] = ()  # attributes; none: the newest first
    descending: bool = False
    viewer: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether the list has neither a filter nor an order."""
        return self == UserFilter(viewer=self.viewer)

    def key(self, user: User) -> tuple[Any, ...]:
        """Return the place of a user in the list; the newest of equal users is the first."""
        sign = 1 if self.descending else -1
        attributes = [getattr(user, name).lower() for name in self.sort_by]
        return (*attributes, sign * user.created_at, sign * user.serial)

    def matches(self, user: User) -> bool:
        """Whether the list shows a user, relations to the viewer aside."""
        return (
            self.deactivated in (None, user.deactivated_at is not None)
            and self._found_by_search(user)
            and (not self.statuses or user.status in self.statuses)
            and (not self.roles or user.role in self.roles)
            and (not self.tags or not set(self.tags).isdisjoint(user.tags))
            and self.created.holds(user.created_at)
            and self.updated.holds(user.updated_at)
        )

    def _found_by_search(self, user: User) -> bool:
        key = self.search_key.lower()
        return not key or any(
            getattr(user, where).lower().startswith(key) for where in self.search_in
        )


def selecting(app: App, wanted: UserFilter) -> Steps[Sequence[User]]:
    """Return all users that fit a filter, in its order.

    It keeps the result until the app changes, so that later pages need no new search.
    """
    version, kept = app.version, app.selections.get(wanted)
    if kept and kept[0] == version:
        return kept[1]
    found: list[User] = []
    viewer = app.find_user(wanted.viewer)
    for piece in pieces(_candidates(app, wanted, viewer)):
        found += [
            user for user in piece if _is_shown(user, wanted, viewer) and wanted.matches(user)
        ]
        yield
    found = yield from sorting(found, wanted.key, reverse=wanted.descending)
    if len(app.selections) >= KEPT_SELECTIONS:
        app.selections.clear()
    app.selections[wanted] = (version, found)
    return found


def _candidates(app: App, wanted: UserFilter, viewer: User | None) -> Sequence[User]:
    """Return the users to filter."""
    if wanted.uids:
        named: Iterable[str] = dict.fromkeys(map(str.lower, wanted.uids))
    elif wanted.friends_only and viewer:
        named = viewer.friends
    else:
        return app.all_users()
    return [user for key in named if (user := app.find_user(key))]


def _is_shown(user: User, wanted: UserFilter, viewer: User | None) -> bool:
    if viewer is None:
        return not wanted.friends_only
    return (
        user is not viewer
        and not (wanted.friends_only and user.key not in viewer.friends)
        and not (wanted.hide_blocked and (user.key in viewer.blocked or viewer.key in user.blocked))
    )

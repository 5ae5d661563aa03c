"""User lists: their filters and orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter

from mockchat.core.entities import User
from mockchat.core.state import App

_KEPT_SELECTIONS = 16  # of an app: clients read a selection page by page


class Deactivated(StrEnum):
    """Whether a list shows deactivated users."""

    WITHOUT = "without"
    WITH = "with"
    ONLY = "only"


_WITHOUT, _WITH, _ONLY = Deactivated


@dataclass(frozen=True, slots=True)
class Span:
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


@dataclass(frozen=True, slots=True)
class UserFilter:
    """The filter and the order of a list; `viewer` is the key of the calling user."""

    search_key: str = ""
    search_in: tuple[str, ...] = ("uid", "name")
    statuses: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    uids: tuple[str, ...] = ()
    created: Span = _ANY_TIME
    updated: Span = _ANY_TIME
    deactivated: Deactivated = Deactivated.WITHOUT
    friends_only: bool = False
    hide_blocked: bool = False
    sort_by: str = ""
    descending: bool = False
    viewer: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether the list has neither a filter nor an order."""
        return self == UserFilter(viewer=self.viewer)

    def matches(self, user: User) -> bool:
        """Whether the list shows a user, relations to the viewer aside."""
        gone = user.deactivated_at is not None
        return (
            self.deactivated in ((_WITH, _ONLY) if gone else (_WITHOUT, _WITH))
            and self._found_by_search(user)
            and (not self.statuses or user.status in self.statuses)
            and (not self.roles or user.role in self.roles)
            and (not self.tags or not set(self.tags).isdisjoint(user.tags))
            and self.created.holds(user.created_at)
            and self.updated.holds(user.updated_at)
        )

    def _found_by_search(self, user: User) -> bool:
        key = self.search_key.lower()
        texts = {"uid": user.uid, "name": user.name}
        return not key or any(texts[where].lower().startswith(key) for where in self.search_in)


def select(app: App, wanted: UserFilter) -> Sequence[User]:
    """Return all users that fit a filter, in its order.

    It keeps the result until the app changes, so that later pages need no new search.
    """
    kept = app.selections.get(wanted)
    if kept and kept[0] == app.version:
        return kept[1]
    found = [user for user in _candidates(app, wanted) if wanted.matches(user)]
    if wanted.sort_by:
        key = attrgetter(wanted.sort_by)
        found.sort(key=lambda user: key(user).lower(), reverse=wanted.descending)
    if len(app.selections) >= _KEPT_SELECTIONS:
        app.selections.clear()
    app.selections[wanted] = (app.version, found)
    return found


def _candidates(app: App, wanted: UserFilter) -> list[User]:
    """Return the users to filter, newest first, without the viewer."""
    viewer = app.find_user(wanted.viewer)
    if wanted.uids:
        named = {uid.lower(): app.find_user(uid) for uid in wanted.uids}
        users = [user for user in named.values() if user]
    elif wanted.friends_only and viewer:
        users = [user for key in viewer.friends if (user := app.find_user(key))]
    else:
        users = app.all_users()
    if wanted.friends_only:
        users = [user for user in users if viewer and user.key in viewer.friends]
    if viewer:
        users = [user for user in users if user is not viewer]
    if wanted.hide_blocked and viewer:
        users = [
            user
            for user in users
            if user.key not in viewer.blocked and viewer.key not in user.blocked
        ]
    return sorted(users, key=lambda user: user.order, reverse=True)

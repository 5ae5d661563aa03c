"""The entities of an app, and the changes that a state file has to save."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import NamedTuple

from mockchat.core.entities import ApiKey, AuthToken, Entity, Role, User
from mockchat.core.words import AdviceError

# The section of a snapshot that has the entities of a class, and the attribute that is their id.
SECTIONS: dict[type[Entity], tuple[str, str]] = {
    ApiKey: ("apiKeys", "value"),
    Role: ("roles", "role"),
    User: ("users", "key"),
    AuthToken: ("authTokens", "value"),
}
SECTION_NAMES = tuple(section for section, _ in SECTIONS.values())
HEAD = "app"  # the section of an app's own values


class StateFileError(AdviceError):
    """The state file cannot be used, or lacks the last changes; says its name and the reason."""


class Change(NamedTuple):
    """A change of an app: of an entity, or without a section of all contents."""

    app: str  # its key
    section: str | None = None
    name: str = ""  # the id of the entity
    new: bool = False  # whether it was added just now


class Changes:
    """The changes that are not saved yet; `tell` is called at the first one."""

    def __init__(self, tell: Callable[[], None] = lambda: None, only: str | None = None) -> None:
        # By the key of an app: section and id, and whether it is new; None for all contents. To
        # take the first entry of a plain dict again and again takes ever longer.
        self._apps: OrderedDict[str, OrderedDict[tuple[str, str], bool] | None] = OrderedDict()
        self._tell = tell
        self._only = only  # the key of the app whose changes are noted

    def __bool__(self) -> bool:
        return bool(self._apps)

    def note(self, change: Change) -> None:
        """Note an entity that was added, changed or removed, or that all contents changed."""
        app, section, name, new = change
        if self._only not in (None, app):
            return
        is_first = not self._apps
        if section is None:
            self._apps[app] = None
        elif (entities := self._apps.setdefault(app, OrderedDict())) is not None:
            if new:  # to the end: their order is kept
                entities.pop((section, name), None)
            entities.setdefault((section, name), new)
        if is_first:
            self._tell()

    def pop(self) -> Change:
        """Take the first one."""
        app, entities = next(iter(self._apps.items()))
        if entities is None:
            del self._apps[app]
            return Change(app)
        (section, name), new = entities.popitem(last=False)
        if not entities:
            del self._apps[app]
        return Change(app, section, name, new)


class Entities:
    """The entities of an app by their ids; every change is noted."""

    def __init__(self, app_id: str, secret: str) -> None:
        self.id = app_id
        self.key = app_id.lower()
        self.secret = secret  # of it the secrets of WebSocket channels are made
        self.serial = 0  # of the newest user
        self.stays = False  # whether it never makes room for another app
        self.keys: dict[str, ApiKey] = {}
        self.roles: dict[str, Role] = {}
        self.tokens: dict[str, AuthToken] = {}
        self._users: dict[str, User] = {}
        self.version = 0  # counts changes, those of tokens aside
        self.trackers: list[Changes] = []  # that are told of changes

    def touch(self, *changed: Entity) -> None:
        """Note a change of these entities."""
        self.version += 1
        self.note(*changed)

    def note(self, *changed: Entity, new: bool = False) -> None:
        """Note changes that the state file is to save; `new` entities were added just now."""
        for tracker in self.trackers:
            for entity in changed:
                section, name = SECTIONS[entity.__class__]
                tracker.note(Change(self.key, section, getattr(entity, name), new))

    def note_all(self) -> None:
        """Note that it was opened, or that all its contents changed."""
        for tracker in self.trackers:
            tracker.note(Change(self.key))

    def note_head(self) -> None:
        """Note that the secret, the serial or `stays` changed."""
        for tracker in self.trackers:
            tracker.note(Change(self.key, HEAD))

    def add(self, *added: ApiKey | Role) -> None:
        """Add api keys and roles, in place of those with the same value or name."""
        for one in added:
            if isinstance(one, ApiKey):
                self.note(one, new=one.value not in self.keys)
                self.keys[one.value] = one
            else:
                self.note(one, new=one.role not in self.roles)
                self.roles[one.role] = one
        self.touch()

    def sections(self) -> dict[str, Mapping[str, Entity]]:
        """Return the entities by their section of a snapshot and their id."""
        held: dict[str, Mapping[str, Entity]]
        held = {"apiKeys": self.keys, "roles": self.roles, "users": self._users}
        return {**held, "authTokens": self.tokens}

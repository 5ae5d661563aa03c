"""The entities of an app, and the changes that a state file has to save."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from mockchat.core.entities import ApiKey, AuthToken, Entity, Role, User
from mockchat.core.steps import Steps, pieces

# The section of a snapshot that has the entities of a class, and the attribute that is their id.
SECTIONS: dict[type[Entity], tuple[str, str]] = {
    ApiKey: ("apiKeys", "value"),
    Role: ("roles", "role"),
    User: ("users", "key"),
    AuthToken: ("authTokens", "value"),
}
HEAD = "app"  # the section of what an app itself holds


class Changes:
    """The changes that are not saved yet; `tell` is called at the first one."""

    def __init__(self, tell: Callable[[], None] = lambda: None, only: str | None = None) -> None:
        # By key, those that were opened, replaced or closed. To take the first entry of a plain
        # dict again and again takes ever longer.
        self.apps: OrderedDict[str, None] = OrderedDict()
        # By the key of an app, those of other apps: section and id, and whether it is new.
        self.entities: dict[str, OrderedDict[tuple[str, str], bool]] = {}
        self._tell = tell
        self._only = only  # the key of the app whose changes are noted

    def __bool__(self) -> bool:
        return bool(self.apps or self.entities)

    def note_app(self, app: str) -> None:
        """Note that all contents of an app changed."""
        if self._only not in (None, app):
            return
        is_first = not self
        self.entities.pop(app, None)
        self.apps[app] = None
        if is_first:
            self._tell()

    def note(self, app: str, section: str, name: str, *, new: bool = False) -> None:
        """Note an entity that was added, changed or removed."""
        if app in self.apps or self._only not in (None, app):
            return
        is_first = not self
        entities = self.entities.setdefault(app, OrderedDict())
        if new:  # to the end: their order is kept
            entities.pop((section, name), None)
        entities.setdefault((section, name), new)
        if is_first:
            self._tell()

    def pop_entity(self) -> tuple[str, str, str, bool]:
        """Take the first of the entities: its app, section and id, and whether it is new."""
        app, entities = next(iter(self.entities.items()))
        (section, name), new = entities.popitem(last=False)
        if not entities:
            del self.entities[app]
        return app, section, name, new


class Entities:
    """The entities of an app by their ids; every change is noted."""

    def __init__(self, app_id: str) -> None:
        self.id = app_id
        self.key = app_id.lower()
        self.secret = ""
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
        """Note what the state file is to save; `new` entities were added just now."""
        for tracker in self.trackers:
            for entity in changed:
                section, name = SECTIONS[entity.__class__]
                tracker.note(self.key, section, getattr(entity, name), new=new)

    def note_all(self) -> None:
        """Note that it was opened, or that all its contents changed."""
        for tracker in self.trackers:
            tracker.note_app(self.key)

    def note_head(self) -> None:
        """Note that the secret, the serial or `stays` changed."""
        for tracker in self.trackers:
            tracker.note(self.key, HEAD, "")

    def add(self, *added: ApiKey | Role) -> None:
        """Add api keys and roles, in place of those with the same value or name."""
        for one in added:
            if isinstance(one, ApiKey):
                self.note(one, new=one.value not in self.keys)
                self.keys[one.value] = one
            else:
                self.note(one, new=one.role not in self.roles)
                self.roles[one.role] = one
        self.version += 1

    def sections(self) -> dict[str, Mapping[str, Entity]]:
        """Return the entities by their section of a snapshot and their id."""
        held: dict[str, Mapping[str, Entity]]
        held = {"apiKeys": self.keys, "roles": self.roles, "users": self._users}
        return {**held, "authTokens": self.tokens}


class Replacement(NamedTuple):
    """Contents for an app, by id; `online` has the users of clients without a WebSocket."""

    secret: str
    serial: int
    keys: dict[str, ApiKey]
    roles: dict[str, Role]
    users: dict[str, User]
    tokens: dict[str, AuthToken]
    listed: list[User]  # the active ones, oldest first
    online: list[User]


def preparing(
    secret: str,
    serial: int,
    keys: Iterable[ApiKey],
    roles: Iterable[Role],
    users: Sequence[User],
    tokens: Sequence[AuthToken],
) -> Steps[Replacement]:
    """Return the contents that App.replace takes; the caller has checked that they fit together."""
    by_value, by_role = {key.value: key for key in keys}, {role.role: role for role in roles}
    new = Replacement(secret, serial, by_value, by_role, {}, {}, [], [])
    ordered: list[tuple[int, int, User]] = []
    for piece in pieces(users):
        new.users.update((user.key, user) for user in piece)
        ordered += [(*user.order, user) for user in piece if user.deactivated_at is None]
        yield
    for some in pieces(tokens):
        for token in some:
            user = new.users[token.uid.lower()]
            new.tokens[token.value] = user.tokens[token.value] = token
            if token.online_since is not None:
                new.online.append(user)
        yield
    ordered.sort()
    new.listed.extend(user for _, _, user in ordered)
    return new

"""The entities of an app, and the changes that a state file has to save."""

from collections.abc import Callable, Mapping

from mockchat.core.entities import ApiKey, AuthToken, Entity, Role, User

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

    def __init__(self, tell: Callable[[], None] = lambda: None) -> None:
        self.apps: dict[str, None] = {}  # by key, those that were opened, replaced or closed
        # By the key of an app, those of other apps: section and id, and whether it is new.
        self.entities: dict[str, dict[tuple[str, str], bool]] = {}
        self._tell = tell

    def __bool__(self) -> bool:
        return bool(self.apps or self.entities)

    def note_app(self, app: str) -> None:
        """Note that all contents of an app changed."""
        is_first = not self
        self.entities.pop(app, None)
        self.apps[app] = None
        if is_first:
            self._tell()

    def note(self, app: str, section: str, name: str, *, new: bool = False) -> None:
        """Note an entity that was added, changed or removed."""
        if app in self.apps:
            return
        is_first = not self
        entities = self.entities.setdefault(app, {})
        if new:  # to the end: their order is kept
            entities.pop((section, name), None)
        entities.setdefault((section, name), new)
        if is_first:
            self._tell()

    def pop_entity(self) -> tuple[str, str, str, bool]:
        """Take the first of the entities: its app, section and id, and whether it is new."""
        app, entities = next(iter(self.entities.items()))
        section, name = next(iter(entities))
        new = entities.pop((section, name))
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
        self.changes: Changes | None = None  # to be saved, if a state file is kept

    def touch(self, *changed: Entity) -> None:
        """Note a change of these entities."""
        self.version += 1
        self.note(*changed)

    def note(self, *changed: Entity, new: bool = False) -> None:
        """Note what the state file is to save; `new` entities were added just now."""
        if self.changes is not None:
            for entity in changed:
                section, name = SECTIONS[entity.__class__]
                self.changes.note(self.key, section, getattr(entity, name), new=new)

    def note_all(self) -> None:
        """Note that it was opened, or that all its contents changed."""
        if self.changes is not None:
            self.changes.note_app(self.key)

    def note_head(self) -> None:
        """Note that the secret, the serial or `stays` changed."""
        if self.changes is not None:
            self.changes.note(self.key, HEAD, "")

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

    def entity(self, section: str, name: str) -> Entity | None:
        """Return an entity by its section of a snapshot and its id, if there is one."""
        held: Mapping[str, Mapping[str, Entity]]
        held = {"apiKeys": self.keys, "roles": self.roles, "users": self._users}
        return {**held, "authTokens": self.tokens}[section].get(name)

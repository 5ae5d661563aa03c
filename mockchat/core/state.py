"""The state of an app: its users, tokens, keys and roles, with their invariants and indexes."""

import string
from bisect import bisect_left, insort
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from mockchat.core import errors
from mockchat.core.changes import Entities
from mockchat.core.clock import Clock
from mockchat.core.entities import (
    ApiKey,
    AppRestored,
    AuthToken,
    ConnectionChanged,
    Event,
    KeyCaller,
    Scope,
    Status,
    TokenDestroyed,
    User,
    UserCaller,
    by_order,
)
from mockchat.core.holds import Holds
from mockchat.core.ids import Ids
from mockchat.core.journal import Journal, Journals
from mockchat.core.limits import SINGLE_USE, Quota, Rules
from mockchat.core.snapshot import Contents
from mockchat.core.steps import Steps, dropping
from mockchat.core.webhooks import Webhooks

MAX_TOKENS_PER_USER = 100
MAX_UID_LENGTH = 100
UID_CHARACTERS = frozenset(string.ascii_letters + string.digits + "-_")


def as_in_path(uid: str) -> str:
    """Return the uid as the live service prints it: lower-case, encoded as a path has it."""
    return quote(uid, safe="!$&'()*+,;=:@", errors="surrogateescape").lower()


class App(Entities):
    """One CometChat app, which shares nothing with any other."""

    def __init__(
        self,
        app_id: str,
        rules: Rules,
        clock: Clock,
        ids: Ids,
        emit: Callable[[Event], None],
        journal: Journal | None = None,
    ) -> None:
        super().__init__(app_id, ids.hex(64))
        self.rules = rules
        self.clock = clock
        self.ids = ids
        self.quota = Quota(rules.rate_limit)
        self.logins: set[str] = set()  # the logins in progress, by device, uid or token
        self.holds = Holds()
        self.webhooks = Webhooks(rules.webhook)
        self.journal = Journal(Journals(0, 0)) if journal is None else journal
        self.is_draft = True  # whether the store does not have it
        self.is_settled = False  # whether a request was not refused
        self.calls = 0  # requests in flight before it is settled
        self.sockets = 0  # live WebSockets of all users
        self.seeded = 0  # the version after the seed
        self.selections: dict[Any, tuple[int, list[User]]] = {}  # the cache of user_list
        self._listed: list[User] = []  # the active ones, oldest first
        self.emit = emit

    @property
    def now(self) -> int:
        """The unix time in whole seconds, as the wire counts it."""
        return int(self.clock.now())

    @property
    def is_untouched(self) -> bool:
        """Whether it is as its seed left it."""
        return self.version == self.seeded and not self.tokens

    # --- callers ------------------------------------------------------------------------
    def key_caller(self, key: str) -> KeyCaller:
        """Return the owner of an api key; raise KEY_MISSING or KEY_UNKNOWN."""
        if not key.strip():
            raise errors.KEY_MISSING()
        if row := self.keys.get(key):
            return KeyCaller(key, row.scope)
        if self.rules.any_key:
            return KeyCaller(key, Scope.FULL_ACCESS)
        raise errors.KEY_UNKNOWN(key=errors.mask(key))

    def user_caller(self, value: str) -> UserCaller:
        """Return the owner of an auth token; raise the AUTH_TOKEN_* errors."""
        if not value.strip():
            raise errors.AUTH_TOKEN_MISSING()
        token = self.live_token(value)
        if token is None:
            if any(character.isspace() for character in value):
                raise errors.AUTH_TOKEN_WITH_SPACE(token=value)
            raise errors.AUTH_TOKEN_UNKNOWN(token=value)
        return UserCaller(self._users[token.uid.lower()], token)

    def add_key(self, name: str, scope: Scope) -> ApiKey:
        """Add an api key with a new value of 40 hexadecimal digits."""
        while (value := self.ids.hex(40)) in self.keys:
            pass  # the same random seed draws the keys of a restored app again
        self.add(key := ApiKey(value, name, scope, self.now))
        return key

    def contents(self) -> Contents:
        """Return everything that it holds, for another app to take."""
        held = (self.keys, self.roles, self._users, self.tokens, self._listed)
        return Contents(self.secret, self.serial, *held)

    def replace(self, new: Contents) -> Steps[None]:
        """Replace all contents at once; then free the old ones, step by step.

        Sessions end unless their tokens are among the new ones.
        """
        old = (self._users, self.tokens, self._listed)
        self.secret, self.serial = new.secret, new.serial
        self.keys, self.roles = new.keys, new.roles
        self._users, self.tokens, self._listed = new.users, new.tokens, new.listed
        self.selections = {}
        for user in new.online:
            self.rejoin_session(user)
        self.touch()
        self.note_all()
        for value in old[1].keys() - self.tokens.keys():
            self.emit(TokenDestroyed(self.id, value))
        self.emit(AppRestored(self.id))
        return dropping(*old)

    # --- users --------------------------------------------------------------------------
    def user(self, uid: str) -> User:
        """Return the active user with this uid, whatever its case; raise UID_NOT_FOUND."""
        user = self.find_user(uid)
        if user is None or user.deactivated_at is not None:
            raise errors.UID_NOT_FOUND(uid=as_in_path(uid))
        return user

    def user_in_path(self, uid: str) -> User:
        """Return the user that a path names; raise UID_NOT_FOUND or one of PATH_UID_*.

        An existing user may have any uid, as fixtures may break the rules for uids.
        """
        user = self.find_user(uid)
        if user is not None and user.deactivated_at is None:
            return user
        printed = as_in_path(uid)
        if not uid.strip() or len(uid) > MAX_UID_LENGTH:
            raise errors.PATH_UID_INVALID(uid=printed)
        if any(map(str.isspace, uid)):
            raise errors.PATH_UID_WITH_SPACE(uid=printed)
        if not UID_CHARACTERS.issuperset(uid):
            raise errors.PATH_UID_INVALID(uid=printed)
        raise errors.UID_NOT_FOUND(uid=printed)

    def find_user(self, uid: str) -> User | None:
        """Return the user with this uid, active or deactivated, if there is one."""
        return self._users.get(uid.lower())

    def check_user_quota(self) -> None:
        """Raise QUOTA_REACHED if the app may have no further user."""
        most = self.rules.max_users
        if most is not None and len(self._users) >= most:
            raise errors.QUOTA_REACHED(feature="Create User", quota=most)

    def add_user(self, user: User) -> User:
        """Add a new user; raise UID_ALREADY_EXISTS."""
        key = user.key
        if key in self._users:
            raise errors.UID_ALREADY_EXISTS(uid=key)
        self.serial += 1
        user.serial = self.serial
        self._users[key] = user
        if user.deactivated_at is None:
            self._list(user)
        self.version += 1
        if self.trackers:
            self.note(user, new=True)
            self.note_head()
        return user

    def update_user(self, user: User, changes: dict[str, Any]) -> User:
        """Set attributes of a user by name and note the time."""
        for name, value in changes.items():
            setattr(user, name, value)
        user.updated_at = self.now
        self.touch(user)
        return user

    def delete_user(self, user: User) -> None:
        """Remove a user with its tokens, friendships and blocks."""
        self.flush_tokens(user)
        self._unlist(user)
        del self._users[user.key]
        for key in user.friends:
            self._users[key].friends.discard(user.key)
        for key in user.blocked:
            self._users[key].blocked_by.discard(user.key)
        for key in user.blocked_by:
            self._users[key].blocked.pop(user.key, None)
        self.touch(user, *(self._users[key] for key in user.friends | user.blocked_by))

    def deactivate_user(self, user: User) -> None:
        """Hide a user from look-ups and lists and destroy its tokens."""
        self.flush_tokens(user)
        self._unlist(user)
        user.deactivated_at = self.now
        self.touch(user)

    def reactivate_user(self, user: User) -> None:
        """Bring a deactivated user back."""
        user.deactivated_at = None
        self._list(user)
        self.touch(user)

    def all_users(self) -> list[User]:
        """Return every user, the deactivated ones, too."""
        return list(self._users.values())

    def newest_change(self) -> int | None:
        """Return the time of the newest user's last change, the cursor of every user list."""
        if not self._listed:
            return None
        return self._listed[-1].updated_at or self._listed[-1].created_at

    def list_users(self, page: int, per_page: int, *, but: User | None = None) -> list[User]:
        """Return a page of the active users, newest first, without the user `but`.

        The time depends on the size of the page, not on the number of users.
        """
        users, total = self._listed, self.count_users(but=but)
        gap = len(users) if but is None else len(users) - 1 - self._place(but)
        places = range((page - 1) * per_page, min(page * per_page, total))
        return [users[-1 - place - (place >= gap)] for place in places]

    def count_users(self, *, but: User | None = None) -> int:
        """Return the number of active users without `but`."""
        return len(self._listed) - (but is not None)

    def _place(self, user: User) -> int:
        return bisect_left(self._listed, by_order(user), key=by_order)

    def _list(self, user: User) -> None:
        if self._listed and by_order(user) < by_order(self._listed[-1]):
            insort(self._listed, user, key=by_order)
        else:  # most are new, and need no search
            self._listed.append(user)

    def _unlist(self, user: User) -> None:
        if user.deactivated_at is None:
            del self._listed[self._place(user)]

    # --- auth tokens --------------------------------------------------------------------
    def issue_token(
        self, user: User, *, force: bool = False, device: str | None = None
    ) -> AuthToken:
        """Return a token for `user`, the device's still valid one unless forced.

        A user has at most 100 tokens; a new one destroys the oldest (reference section 3).
        """
        if not force and self.rules.tokens != SINGLE_USE:
            for value in reversed(list(user.tokens)):
                if user.tokens[value].device == device and (token := self.live_token(value)):
                    return token
        now = self.now
        while (value := self.ids.auth_token(user.key, now)) in self.tokens:
            pass  # the same random seed draws the tokens of a restored app again
        token = AuthToken(value, user.uid, now, device)
        self.tokens[token.value] = user.tokens[token.value] = token
        self.note(token, new=True)
        if len(user.tokens) > MAX_TOKENS_PER_USER:
            self.destroy_token(next(iter(user.tokens.values())))
        return token

    def live_token(self, value: str) -> AuthToken | None:
        """Return the token if it exists and has not expired; an expired one is destroyed."""
        token = self.tokens.get(value)
        ttl = self.rules.token_ttl
        if token and ttl is not None and self.clock.now() >= token.created_at + ttl:
            self.destroy_token(token)
            return None
        return token

    def live_tokens(self, user: User) -> list[AuthToken]:
        """Return a user's tokens, newest first."""
        return [token for value in reversed(list(user.tokens)) if (token := self.live_token(value))]

    def token_of(self, user: User, value: str) -> AuthToken:
        """Return the token of that user; raise TOKEN_NOT_FOUND or AUTH_TOKEN_NOT_ACCESSIBLE."""
        token = self.live_token(value)
        if token is None:
            raise errors.TOKEN_NOT_FOUND()
        if value not in user.tokens:
            raise errors.AUTH_TOKEN_NOT_ACCESSIBLE(token=value, uid=user.key)
        return token

    def use_token(self, token: AuthToken, device: str, *, logs_in: bool = True) -> None:
        """Note the use of `token` by a device; raise AUTH_TOKEN_BOUND for a used single-use token.

        A single-use token logs in once. Its device may log in with it again; a client without a
        device counts as a new one at each login.
        """
        if self.rules.tokens != SINGLE_USE or not (device or logs_in):
            return
        if token.bound_to is None:
            token.bound_to = device
            self.note(token)
        elif not device or token.bound_to != device:
            raise errors.AUTH_TOKEN_BOUND()

    def destroy_token(self, token: AuthToken, *, by_logout: bool = False) -> None:
        """Destroy a token; the sessions that it opened end."""
        del self.tokens[token.value]
        user = self._users[token.uid.lower()]
        del user.tokens[token.value]
        self.note(token)
        self.emit(TokenDestroyed(self.id, token.value, by_logout))
        if token.online_since is not None:
            self._disconnect(UserCaller(user, token), token.online_since)

    def flush_tokens(self, user: User) -> None:
        """Destroy all tokens of a user."""
        for token in list(user.tokens.values()):
            self.destroy_token(token)

    # --- logins and sessions ------------------------------------------------------------
    def begin_login(self, slot: str) -> None:
        """Note a login in progress until `end_login`; raise LOGIN_IN_PROGRESS for a second one."""
        if slot in self.logins:
            raise errors.LOGIN_IN_PROGRESS()
        self.logins.add(slot)

    def end_login(self, slot: str) -> None:
        """Note that a login is over."""
        self.logins.discard(slot)

    def open_session(self, caller: UserCaller) -> None:
        """Add a WebSocket of a user; the first connection brings the user online."""
        self.sockets += 1
        self._connect(caller, self.clock.now())
        if caller.token.online_since is not None:  # the client has a WebSocket after all
            caller.token.online_since = None
            self.note(caller.token)
            caller.user.sessions -= 1

    def rejoin_session(self, user: User) -> None:
        """Add an open connection to a user that a restore brought back."""
        user.sessions += 1
        user.status = Status.AVAILABLE

    def close_session(self, caller: UserCaller, since: float) -> None:
        """Remove a WebSocket that opened at `since`; the last connection takes the user offline."""
        self.sockets -= 1
        self._disconnect(caller, since)

    def go_online(self, caller: UserCaller) -> None:
        """Bring a user online whose client opens no WebSocket, until its token is destroyed."""
        if caller.token.online_since is None:
            caller.token.online_since = self.now
            self.note(caller.token)
            self._connect(caller, caller.token.online_since)

    def _connect(self, caller: UserCaller, since: float) -> None:
        caller.user.sessions += 1
        self._note_connection(caller, since, connected=True)

    def _disconnect(self, caller: UserCaller, since: float) -> None:
        user = caller.user
        user.sessions -= 1
        if self._users.get(user.key, user) is user:  # else another user has this uid now
            self._note_connection(caller, since, connected=False)

    def _note_connection(self, caller: UserCaller, since: float, *, connected: bool) -> None:
        user, now = caller.user, self.clock.now()
        changes_presence = user.sessions == connected  # the first, or the last one is gone
        if changes_presence:
            user.status = Status.AVAILABLE if connected else Status.OFFLINE
            user.last_active_at = int(now)
            self.touch(user)
        self.emit(
            ConnectionChanged(self.id, user, caller.token, now, since, connected, changes_presence)
        )

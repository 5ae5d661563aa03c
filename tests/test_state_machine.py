"""An app against a plain model: any row of user and token commands leaves both alike."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mockchat.core import errors, relations
from mockchat.core.changes import Change, Changes
from mockchat.core.clock import Clock
from mockchat.core.entities import DEFAULT_ROLE, Event, Role, Scope, TokenDestroyed, User
from mockchat.core.errors import ApiError
from mockchat.core.ids import Ids
from mockchat.core.limits import Rules
from mockchat.core.snapshot import reading
from mockchat.core.state import App
from mockchat.core.steps import finish
from mockchat.core.sweep import Row, dumping, sweep

NOW = 1_700_000_000
CAP = 100

# Few, so that they collide, in either case.
uids = st.sampled_from(["a", "A", "b", "c", "Z9", "z9"])
devices = st.sampled_from([None, "phone"])
delays = st.sampled_from([1, 3, 4, 60])
places = st.integers(0, 200)  # which of those there are, counted round and round
acts = st.sampled_from(["befriend", "unfriend", "block", "unblock"])


@dataclass
class ModelToken:
    value: str
    device: str | None
    born: int


@dataclass
class ModelUser:
    uid: str
    created_at: int
    serial: int
    active: bool
    tokens: list[ModelToken] = field(default_factory=list)  # oldest first, expired ones, too


class AppAgainstModel(RuleBasedStateMachine):
    """Drives `App` and a dict of `ModelUser` by the same commands."""

    ttl: int | None = None

    @initialize(
        single_use=st.sampled_from([False, False, True]),
        first=st.lists(uids, min_size=1, max_size=3),
    )
    def start(self, first: list[str], *, single_use: bool) -> None:
        self.clock = Clock()
        self.clock.freeze(NOW)
        self.events: list[Event] = []
        rules = Rules(tokens="single-use" if single_use else "reusable", token_ttl=self.ttl)
        self.app = App("APP_ID", rules, self.clock, Ids(1), self.events.append)
        self.app.add(Role(DEFAULT_ROLE, "Default", NOW))
        self.changes, self.saved = Changes(), [*self.rows_of_all()]
        self.app.trackers.append(self.changes)
        self.single_use = single_use
        self.users: dict[str, ModelUser] = {}
        self.dead: set[str] = set()
        self.serial = 0
        for uid in first:
            self.add_user(uid, 0, active=True)

    # --- the model's own answers --------------------------------------------------------
    def pick(self, place: int, *, active: bool = True) -> ModelUser | None:
        """One of the users that are active or not, if there are any."""
        found = [user for user in self.users.values() if user.active is active]
        return found[place % len(found)] if found else None

    def real(self, uid: str) -> User:
        user = self.app.find_user(uid)
        assert user is not None
        return user

    def alive(self, token: ModelToken) -> bool:
        return self.ttl is None or self.clock.now() < token.born + self.ttl

    def live(self, user: ModelUser) -> list[str]:
        """The values of a user's live tokens, newest first."""
        return [token.value for token in reversed(user.tokens) if self.alive(token)]

    def listed(self, but: str | None = None) -> list[str]:
        """The uids that a list shows, newest first."""
        active = [user for key, user in self.users.items() if user.active and key != but]
        active.sort(key=lambda user: (user.created_at, user.serial), reverse=True)
        return [user.uid for user in active]

    def kill(self, user: ModelUser) -> None:
        self.dead |= {token.value for token in user.tokens}
        user.tokens.clear()

    # --- users --------------------------------------------------------------------------
    @rule(uid=uids, age=st.integers(0, 2), active=st.just(value=True) | st.booleans())
    def add_user(self, uid: str, age: int, *, active: bool) -> None:
        born = self.app.now - age
        user = User(uid, uid, born, deactivated_at=None if active else NOW)
        if uid.lower() in self.users:
            with pytest.raises(ApiError) as refused:
                self.app.add_user(user)
            assert refused.value.definition is errors.UID_ALREADY_EXISTS
        else:
            self.app.add_user(user)
            self.serial += 1
            self.users[uid.lower()] = ModelUser(uid, born, self.serial, active)

    @rule(place=places)
    def deactivate(self, place: int) -> None:
        if user := self.pick(place):
            self.app.deactivate_user(self.real(user.uid))
            user.active = False
            self.kill(user)

    @rule(place=places)
    def reactivate(self, place: int) -> None:
        if user := self.pick(place, active=False):
            self.app.reactivate_user(self.real(user.uid))
            user.active = True

    @rule(place=places, active=st.booleans(), again=st.booleans())
    def delete(self, place: int, *, active: bool, again: bool) -> None:
        if user := self.pick(place, active=active):
            self.app.delete_user(self.real(user.uid))
            self.kill(user)
            del self.users[user.uid.lower()]
            if again:
                self.add_user(user.uid, 0, active=active)

    @rule(seconds=delays)
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    # --- tokens -------------------------------------------------------------------------
    @rule(place=places, device=devices, force=st.booleans())
    def issue(self, place: int, device: str | None, *, force: bool) -> None:
        if user := self.pick(place):
            self.issue_one(user, device, force=force)

    @rule(place=places, device=devices, seconds=delays)
    def come_back_later(self, place: int, device: str | None, seconds: int) -> None:
        if user := self.pick(place):
            self.issue_one(user, device, force=False)
            self.clock.advance(seconds)
            self.issue_one(user, device, force=False)

    @rule(place=places, count=st.sampled_from([2, CAP, CAP + 3]))
    def issue_many(self, place: int, count: int) -> None:
        if user := self.pick(place):
            for _ in range(count):
                self.issue_one(user, "phone", force=True)

    def issue_one(self, user: ModelUser, device: str | None, *, force: bool) -> None:
        known = [t.value for t in reversed(user.tokens) if t.device == device and self.alive(t)]
        issued = self.app.issue_token(self.real(user.uid), force=force, device=device)
        if known and not force and not self.single_use:
            assert issued.value == known[0]
            return
        assert issued.value not in self.dead | {token.value for token in user.tokens}
        assert issued.value.startswith(f"{user.uid.lower()}_")
        user.tokens.append(ModelToken(issued.value, device, self.app.now))
        if len(live := self.live(user)) > CAP:
            self.end_token(user, live[-1])

    @rule(place=places, which=places)
    def destroy(self, place: int, which: int) -> None:
        user = self.pick(place)
        if user and (values := self.live(user)):
            value = values[which % len(values)]
            self.app.destroy_token(self.app.token_of(self.real(user.uid), value))
            self.end_token(user, value)

    def end_token(self, user: ModelUser, value: str) -> None:
        user.tokens = [token for token in user.tokens if token.value != value]
        self.dead.add(value)

    @rule(place=places)
    def flush(self, place: int) -> None:
        if user := self.pick(place):
            self.app.flush_tokens(self.real(user.uid))
            self.kill(user)

    @rule(place=places, which=places)
    def look_up_a_token(self, place: int, which: int) -> None:
        user = self.pick(place)
        if user and user.tokens:
            token = user.tokens[which % len(user.tokens)]
            assert (self.app.live_token(token.value) is not None) is self.alive(token)

    @rule(place=places)
    def list_tokens(self, place: int) -> None:
        if user := self.pick(place):
            tokens = self.app.live_tokens(self.real(user.uid))
            assert [token.value for token in tokens] == self.live(user)

    # --- what else a state file keeps ---------------------------------------------------
    @rule(place=places, other=places, act=acts)
    def relate(self, place: int, other: int, act: str) -> None:
        one, two = self.pick(place), self.pick(other)
        if one and two and one is not two:
            getattr(relations, act)(self.app, self.real(one.uid), self.real(two.uid))

    @rule(place=places)
    def update(self, place: int) -> None:
        if user := self.pick(place):
            self.app.update_user(self.real(user.uid), {"tags": [f"{self.app.version}"]})

    @rule(place=places, act=st.sampled_from(["use", "open", "go_online"]))
    def log_in(self, place: int, act: str) -> None:
        user = self.pick(place)
        if not user:
            return
        self.issue_one(user, None, force=False)
        self.save()
        caller = self.app.user_caller(self.live(user)[0])
        (real, token), was_online = caller, caller.token.online_since is not None
        sessions = real.sessions
        if act == "use":
            self.app.use_token(token, "phone")
        elif act == "open":
            self.app.open_session(caller)
            assert (real.sessions, token.online_since) == (sessions + 1 - was_online, None)
        else:
            self.app.go_online(caller)
            assert real.sessions == sessions + (not was_online)
            assert token.online_since is not None

    @rule()
    def add_key_and_role(self) -> None:
        self.app.add_key("k", Scope.AUTH_ONLY)
        self.app.add(Role(f"role-{self.app.version}", "R", NOW))

    @rule()
    def save(self) -> None:
        self.saved += sweep(self.changes, {self.app.key: self.app}.get, Changes())

    def rows_of_all(self) -> Iterator[Row]:
        changes = Changes()
        changes.note(Change(self.app.key))
        return sweep(changes, {self.app.key: self.app}.get, Changes())

    def check_what_is_saved(self) -> None:
        """All that was saved bit by bit is what there is, in the same order, and can be read."""
        self.save()
        whole = finish(dumping(self.rows_of_all()))
        assert finish(dumping(self.saved)) == whole
        finish(self.app.replace(finish(reading(whole["APP_ID"], "APP_ID"))))
        assert finish(dumping(self.rows_of_all())) == whole

    # --- laws ---------------------------------------------------------------------------
    @invariant()
    def active_users_and_no_others_are_found(self) -> None:
        for key, model in self.users.items():
            assert self.real(key.upper()).uid == model.uid
            if model.active:
                assert self.app.user(key) is self.real(key)
            else:
                with pytest.raises(ApiError):
                    self.app.user(key)

    @invariant()
    def pages_make_up_the_list_of_everyone(self) -> None:
        expected = self.listed()
        pages = [self.app.list_users(page, 2) for page in range(1, 5)]

        assert [user.uid for page in pages for user in page] == expected
        assert [len(page) for page in pages] == [len(expected[n : n + 2]) for n in (0, 2, 4, 6)]
        assert self.app.count_users() == len(expected)

    @invariant()
    def pages_make_up_the_list_without_any_one(self) -> None:
        for uid in self.listed():
            but, expected = self.real(uid), self.listed(uid.lower())
            pages = [self.app.list_users(page, 2, but=but) for page in range(1, 5)]

            assert [user.uid for page in pages for user in page] == expected
            assert self.app.count_users(but=but) == len(expected)

    @invariant()
    def no_one_has_more_tokens_than_the_cap(self) -> None:
        assert all(len(self.real(key).tokens) <= CAP for key in self.users)
        assert len(self.app.tokens) == sum(len(self.real(key).tokens) for key in self.users)

    @invariant()
    def no_token_ends_twice_or_unheard(self) -> None:
        ended = [event.token for event in self.events if isinstance(event, TokenDestroyed)]

        assert len(ended) == len(set(ended))
        assert self.dead >= set(ended) - self.expired()
        assert not self.dead & self.app.tokens.keys()

    def expired(self) -> set[str]:
        tokens = [token for user in self.users.values() for token in user.tokens]
        return {token.value for token in tokens if not self.alive(token)}

    def teardown(self) -> None:
        if not hasattr(self, "users"):
            return
        for user in self.users.values():
            for value in self.live(user):
                assert self.app.user_caller(value).user.uid == user.uid
        for value in self.dead:
            assert self.app.live_token(value) is None
        self.check_what_is_saved()


class AppWithExpiryAgainstModel(AppAgainstModel):
    """The same where tokens expire after a few seconds."""

    ttl = 4


TestApp = AppAgainstModel.TestCase
TestApp.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestAppWithExpiry = AppWithExpiryAgainstModel.TestCase
TestAppWithExpiry.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)

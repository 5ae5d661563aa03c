"""Hypothesis strategies: what answers are printed from, and whatever JSON a client may send."""

import json
from functools import cache
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from marshmallow import Schema

from mockchat.api import json_text
from mockchat.api.operation import Ack
from mockchat.api.schemas import (
    AckSchema,
    ActivationSchema,
    ApiKeySchema,
    Me,
    MeSchema,
    Profile,
    RoleSchema,
    TokenDetailSchema,
    TokenSchema,
    UserSchema,
)
from mockchat.api.users import Activation
from mockchat.core.entities import DEFAULT_ROLE, ApiKey, AuthToken, Role, Scope, Status, User

# For properties over HTTP: the client is one for all examples, and what they leave behind is
# hostile, too.
hostile = settings(max_examples=7, suppress_health_check=[HealthCheck.function_scoped_fixture])

texts = st.text(max_size=8)
maybe_text = st.none() | texts
seconds = st.integers(0, 2**33)
maybe_seconds = st.none() | seconds
text_lists = st.lists(texts, max_size=3)

leaves: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from(["true", "0", " ", "superhero1", "https://a.example", "[1]", "{}", "\x00"])
)
json_values: st.SearchStrategy[Any] = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=4,
)
# As entities hold them once they are read: an integer beyond 64 bits is a float then.
objects = st.dictionaries(texts, json_values, max_size=3).map(
    lambda value: json_text.parse(json.dumps(value).encode())
)

users = st.builds(
    User,
    uid=texts,
    name=texts,
    created_at=seconds,
    avatar=maybe_text,
    link=maybe_text,
    metadata=st.none() | objects,
    role=texts,
    status_message=maybe_text,
    status=st.sampled_from(Status),
    last_active_at=maybe_seconds,
    updated_at=maybe_seconds,
    deactivated_at=maybe_seconds,
    tags=text_lists,
    preferences=st.none() | objects,
    timezone=maybe_text,
)
tokens = st.builds(
    AuthToken,
    value=texts,
    uid=texts,
    created_at=seconds,
    platform=maybe_text,
    user_agent=maybe_text,
    app_info=maybe_text,
    push_tokens=st.dictionaries(texts, texts, max_size=2),
)
api_keys = st.builds(
    ApiKey,
    value=texts,
    name=texts,
    scope=st.sampled_from(Scope),
    created_at=seconds,
    updated_at=maybe_seconds,
)
roles = st.builds(
    Role,
    role=texts,
    name=texts,
    created_at=seconds,
    description=maybe_text,
    metadata=st.none() | objects,
    settings=st.none() | objects,
    updated_at=maybe_seconds,
)


Contents = tuple[str, int, list[ApiKey], list[Role], list[User], list[AuthToken]]


@st.composite
def contents(draw: st.DrawFn) -> Contents:
    """Whatever an app may hold: users with roles, friends, blocks and tokens, and its keys."""
    spellings = st.text("abAB1-_ü", min_size=1, max_size=4)
    named = draw(st.lists(spellings, unique_by=str.lower, max_size=4))
    held_roles = draw(st.lists(roles, unique_by=lambda role: role.role, max_size=2))
    held_roles = [
        Role(DEFAULT_ROLE, "Default", 0),
        *(role for role in held_roles if role.role != DEFAULT_ROLE),
    ]
    held = [draw(users) for _ in named]
    serials = draw(st.permutations(range(1, len(named) + 1)))
    for user, uid, serial in zip(held, named, serials, strict=True):
        user.uid, user.serial = uid, serial
        user.role = draw(st.sampled_from([role.role for role in held_roles]))
    for user in held:
        others = [other for other in held if other is not user]
        for friend in draw(st.lists(st.sampled_from(others))) if others else ():
            user.friends.add(friend.key)
            friend.friends.add(user.key)
        for blocked in draw(st.lists(st.sampled_from(others))) if others else ():
            user.blocked[blocked.key] = draw(seconds)
            blocked.blocked_by.add(user.key)
    active = [user.uid for user in held if user.deactivated_at is None]
    issued = draw(st.lists(tokens, unique_by=lambda one: one.value, max_size=3)) if active else []
    for token in issued:
        token.uid = draw(st.sampled_from(active))
    keys = draw(st.lists(api_keys, unique_by=lambda key: key.value, max_size=2))
    serial = len(named) + draw(st.integers(0, 3))
    return draw(texts), serial, keys, held_roles, held, issued


profiles = st.builds(
    Profile,
    user=users,
    status=texts,
    metadata=st.none() | objects,
    tags=st.none() | text_lists,
    auth_token=maybe_text,
    blocked_by_me=st.none() | st.booleans(),
    blocked_by_me_at=maybe_seconds,
    blocked_at=maybe_seconds,
    has_blocked_me=st.none() | st.booleans(),
    conversation_id=maybe_text,
)
logins = st.builds(
    Me,
    user=users,
    auth_token=texts,
    jwt=texts,
    ws_channel=st.dictionaries(texts, texts, max_size=2),
    settings=objects,
)
activations = st.builds(
    Activation,
    deactivated=text_lists,
    already_deactivated=text_lists,
    reactivated=text_lists,
    not_deactivated=text_lists,
    not_found=text_lists,
)

# What each schema of an answer prints.
PRINTED: dict[type[Schema], st.SearchStrategy[Any]] = {
    UserSchema: profiles,
    MeSchema: logins,
    TokenSchema: tokens,
    TokenDetailSchema: tokens,
    ApiKeySchema: api_keys,
    RoleSchema: roles,
    AckSchema: st.builds(Ack, message=texts, success=st.booleans()),
    ActivationSchema: activations,
}


@cache
def bodies_for(schema: type[Schema]) -> st.SearchStrategy[dict[str, Any]]:
    """Bodies with the schema's own fields, each holding any JSON whatever."""
    names = [field.data_key or name for name, field in schema().fields.items()]
    return st.dictionaries(st.sampled_from(names), json_values, max_size=4)

"""Relations between two users of an app: friends and blocked users (reference section 8)."""

from mockchat.core.entities import User
from mockchat.core.state import App

MAX_FRIENDS = 1000  # of one user


def conversation_id(one: User, other: User) -> str:
    """Return the id of two users' conversation: both uids, in lower case, in ascending order."""
    first, second = sorted((one.key, other.key))
    return f"{first}_user_{second}"


def befriend(app: App, user: User, other: User) -> None:
    """Make two different users friends."""
    user.friends.add(other.key)
    other.friends.add(user.key)
    app.touch(user, other)


def unfriend(app: App, user: User, other: User) -> None:
    """End a friendship if there is one."""
    if other.key in user.friends:
        user.friends.remove(other.key)
        other.friends.remove(user.key)
        app.touch(user, other)


def block(app: App, user: User, other: User) -> bool:
    """Block another user on behalf of `user`; return False if it is blocked already."""
    if other.key in user.blocked:
        return False
    user.blocked[other.key] = app.now
    other.blocked_by.add(user.key)
    app.touch(user)
    return True


def unblock(app: App, user: User, other: User) -> bool:
    """Unblock another user on behalf of `user`; return False if it is not blocked."""
    if user.blocked.pop(other.key, None) is None:
        return False
    other.blocked_by.remove(user.key)
    app.touch(user)
    return True

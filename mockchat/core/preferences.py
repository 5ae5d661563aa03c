"""Notification preferences: their defaults and their changes."""

from collections.abc import Mapping
from typing import Any

Preferences = dict[str, Any]

DEFAULT_TIMEZONE = "UTC"
_ON, _OFF = 2, 1  # `subscribe to all` and `do not subscribe`, as the SDKs number them
_MEMBER_EVENTS = ("Left", "Added", "Joined", "Kicked", "Banned", "Unbanned", "ScopeChanged")
_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MESSAGES = ("Messages", "Replies", "QuotedReplies", "Reactions")
# Some SDKs read all of these without a check, so all are always there.
DEFAULTS: Preferences = {
    "groupPreferences": {
        **{f"group{event}": _ON for event in _MESSAGES},
        **{f"groupMember{event}": _OFF for event in _MEMBER_EVENTS},
    },
    "oneOnOnePreferences": {f"oneOnOne{event}": _ON for event in _MESSAGES},
    "mutePreferences": {
        "dnd": _OFF,
        "schedule": {day: {"from": 0, "to": 2359, "dnd": False} for day in _DAYS},
    },
    "usePrivacyTemplate": True,
}


def changed(current: Preferences, changes: Mapping[str, Any]) -> Preferences:
    """Return `current` with the changes; unknown ones and those of another type are left out."""
    fitting = {key: one for key, one in changes.items() if type(one) is type(current.get(key))}
    return current | {
        key: changed(current[key], one) if isinstance(one, dict) else one
        for key, one in fitting.items()
    }

"""Notification preferences: what a user starts with, and what a change makes of them."""

from collections.abc import Mapping
from typing import Any

Preferences = dict[str, Any]

DEFAULT_TIMEZONE = "UTC"
_ON, _OFF = 2, 1  # `subscribe to all` and `do not subscribe`, as the SDKs number them
_MEMBER_EVENTS = ("Left", "Added", "Joined", "Kicked", "Banned", "Unbanned", "ScopeChanged")
_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_MESSAGES = ("Messages", "Replies", "QuotedReplies", "Reactions")
# Some SDKs read every one of these unguarded, so all are always there.
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
    """Return `current` with the changes in it; what is not known or of another type is left out."""
    fitting = {key for key in current.keys() & changes if type(current[key]) is type(changes[key])}
    return current | {
        key: changed(current[key], changes[key]) if isinstance(changes[key], dict) else changes[key]
        for key in fitting
    }

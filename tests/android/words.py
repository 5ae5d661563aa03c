"""What an app does with the SDK, in 24 words, and what has to come of each."""

from typing import NamedTuple

ABSENT = "ABSENT"  # what the driver says of a method that the version does not have
CONNECTED = {"status connected": "connected"}
LOGIN = {"login andrew AUTH_KEY": "andrew=Andrew"}
LOGGED_OUT = {"logout": "User logged out successfully.", "me": "null"}
USERS = ("andrew", "george", "nancy")


class Word(NamedTuple):
    """The driver's commands and the answers they must have; `$` stands before what the run does."""

    name: str
    script: dict[str, str]


WORDS = (
    Word("init", {"init": "Init Successful"}),
    Word("login of an unknown uid", {"login nobody AUTH_KEY": "ERR_UID_NOT_FOUND"}),
    Word("login by a wrong key", {"login andrew WRONG": "AUTH_ERR_APIKEY_NOT_FOUND"}),
    Word("login", LOGIN),
    Word("socket", CONNECTED),
    Word("logged-in user", {"me": "andrew=Andrew"}),
    Word("users", {"users": "george,nancy"}),
    Word("getUser", {"get george": "george=George"}),
    Word("createUser", {"create susan Susan": "susan=Susan"}),
    Word("updateUser", {"update susan Sue": "susan=Sue"}),
    Word(
        "updateCurrentUserDetails", {"rename Andy": "andrew=Andy", "rename Andrew": "andrew=Andrew"}
    ),
    Word("block", {"block nancy": "{nancy=success}"}),
    Word("blocked users", {"blocked": "nancy"}),
    Word("unblock", {"unblock nancy": "{nancy=success}"}),
    Word("conversations", {"conversations": ""}),
    Word("presence", {"$george comes and goes": "online george, offline george"}),
    Word("online count", {"count": "1"}),
    Word(
        "push token",
        {
            "push a-token": "Token Registration successful.",
            "register a-token": "Token registered successfully",
        },
    ),
    Word(
        "disconnect, connect",
        {"disconnect": "null", "status disconnected": "disconnected", "connect": "null"}
        | CONNECTED,
    ),
    Word("logout", LOGGED_OUT),
    Word("login again", LOGIN | CONNECTED),
    Word("login of another user", {"login george AUTH_KEY": "george=George"} | CONNECTED),
    Word("login by token", {"$token of nancy": "nancy=Nancy"} | CONNECTED),
    Word("restart", {"$restart": "", "init": "Init Successful", "me": "nancy=Nancy"} | CONNECTED),
)

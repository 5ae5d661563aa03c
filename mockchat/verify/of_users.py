"""The probes of users, user lists, friends and blocked users."""

from typing import Any

from mockchat.verify.probe import AUTH_KEY, KEY, WRONG_KEY, Probe, Raw

_LINK = "https://example.com/profile"
_AVATAR = "https://example.com/avatar.png"
_FORM = "application/x-www-form-urlencoded"
_FOR_A, _FOR_B = {**KEY, "onBehalfOf": "$a"}, {**KEY, "onBehalfOf": "$b"}
_FOR_NOBODY = {**KEY, "onBehalfOf": "$nobody"}
_CREATE = "POST /users"


def _user(uid: str, **fields: Any) -> dict[str, Any]:
    return {"uid": uid, "name": "Verify", **fields}


_A, _B = _user("$a", name="Verify A"), _user("$b", name="Verify B")

# fmt: off
CREATE = (
    Probe("Create a user with every field", _CREATE,
        {"uid": "$A", "name": "Verify Ä/é", "avatar": _AVATAR, "link": _LINK,
         "metadata": {"level": 3, "@private": {"email": "verify@example.com"}},
         "statusMessage": "verifying", "tags": ["one", "two"], "withAuthToken": True},
        keeps="token=data.authToken", settles="text beyond ASCII", base=True),
    Probe("Create the auth token that withAuthToken has created", "POST /users/$a/auth_tokens",
        settles="withAuthToken"),
    Probe("Create a user by the auth key", _CREATE, _B, AUTH_KEY),
    Probe("Create a user by a form", _CREATE, Raw(_FORM, "uid=$c&name=Verify+C")),
    Probe("Create a user by a file", _CREATE, Raw("multipart/form-data; boundary=x",
        '--x\r\nContent-Disposition: form-data; name="uid"; filename="x"\r\n\r\n$d\r\n--x--\r\n')),
    Probe("Create a user whose uid exists", _CREATE, _A),
    Probe("Create a user without a body", _CREATE),
    Probe("Create a user by an empty object", _CREATE, {}),
    Probe("Create a user with a blank uid", _CREATE, _user(" ")),
    Probe("Create a user with a blank name", _CREATE, _user("$d", name="")),
    Probe("Create a user whose uid has a space", _CREATE, _user("$d d")),
    Probe("Create a user whose uid has a dot", _CREATE, _user("$d.d")),
    Probe("Create a user whose uid is too long", _CREATE, _user("${d}x" + "x" * 99)),
    Probe("Create a user whose name is too long", _CREATE, _user("$d", name="x" * 101)),
    Probe("Create a user whose name is a number", _CREATE, _user("$d", name=7)),
    Probe("Create a user whose name is an object", _CREATE, _user("$e", name={"x": 1})),
    Probe("Create a user with a wrong avatar and link", _CREATE,
        _user("$f", avatar="URL", link="URL")),
    Probe("Create a user whose avatar is too long", _CREATE,
        _user("$g", avatar=f"{_AVATAR}?{'x' * 3000}")),
    Probe("Create a user with an unknown role", _CREATE, _user("$h", role="$nobody")),
    Probe("Create a user whose metadata is a text", _CREATE, _user("$i", metadata="text")),
    Probe("Create a user whose metadata is too large", _CREATE,
        _user("$j", metadata={"x": "x" * 5200})),
    Probe("Create a user whose tags are an object", _CREATE, _user("$k", tags={"x": 1})),
    Probe("Create a user with 26 tags", _CREATE,
        _user("$l", tags=[f"tag{number}" for number in range(26)])),
    Probe("Create a user whose withAuthToken is a word", _CREATE,
        _user("$m", withAuthToken="maybe")),
    Probe("Create a user by a body that is not JSON", _CREATE,
        Raw("application/json", '{"uid": "$n"'), settles="bodies that are no object"),
    Probe("Create a user by a JSON list", _CREATE, [_user("$o")]),
    Probe("Create a user by a body over 10 KB", _CREATE, _user("$p", statusMessage="x" * 11_000)),
    Probe("Create a user by a body nested deeply", _CREATE,
        Raw("application/json", '{"uid":"$q","name":"Verify","metadata":{"x":' + "[" * 600
            + "]" * 600 + "}}")),
    Probe("Create an invalid user by a wrong key", _CREATE, {}, WRONG_KEY),
)

USERS = (
    Probe("Create a user", _CREATE,
        {**_A, "avatar": _AVATAR, "link": _LINK, "metadata": {"level": 3}, "tags": ["one"]},
        base=True),
    Probe("Create another user", _CREATE, _B, base=True),
    Probe("Get a user", "GET /users/$a", settles="tags in answers"),
    Probe("Get a user by its uid in capitals", "GET /users/$A"),
    Probe("Get a user by the older name of the header", "GET /users/$a", headers={
        "apiKey": "$rest_key"}),
    Probe("Get a user on behalf of another", "GET /users/$a", headers=_FOR_B),
    Probe("Get a user on behalf of an unknown one", "GET /users/$a",
        headers=_FOR_NOBODY, settles="unknown onBehalfOf"),
    Probe("Update a user", "PUT /users/$a", {"name": "Verify again", "tags": ["two"],
        "statusMessage": "busy", "uid": "$b"}),
    Probe("Update a user by an empty list", "PUT /users/$a", []),
    Probe("Update a user without a body", "PUT /users/$a"),
    Probe("Update a user with a blank name", "PUT /users/$a", {"name": ""}),
    Probe("Update a user with a wrong avatar", "PUT /users/$a", {"avatar": "URL"}),
    Probe("Update a user with a blank tag", "PUT /users/$a", {"tags": [" "]}),
    Probe("Update a user with an unknown role", "PUT /users/$a", {"role": "$nobody"}),
    Probe("Update a user with a metadata text", "PUT /users/$a", {"metadata": '{"level": 4}'}),
    Probe("Empty the avatar of a user", "PUT /users/$a", {"avatar": ""}),
    Probe("Unset the link and the metadata of a user", "PUT /users/$a",
        {"unset": ["link", "metadata"]}),
    Probe("Unset the name of a user", "PUT /users/$a", {"unset": ["name"]}),
    Probe("Update an unknown user", "PUT /users/$nobody", {"name": "Verify"}),
    Probe("Deactivate a user", "DELETE /users/$b", base=True),
    Probe("Get a deactivated user", "GET /users/$b", settles="deactivated users"),
    Probe("Create a user whose uid is deactivated", _CREATE, _B),
    Probe("Create an auth token of a deactivated user", "POST /users/$b/auth_tokens"),
    Probe("List deactivated users", "GET /users?onlyDeactivated=true&searchKey=$base"),
    Probe("List users with the deactivated ones", "GET /users?withDeactivated=true&searchKey=$b"),
    Probe("Deactivate a user again", "DELETE /users/$b", settles="deletion of deactivated users"),
    Probe("Deactivate many users", "DELETE /users", {"uidsToDeactivate": ["$a", "$b", "$nobody"]}),
    Probe("Deactivate no users", "DELETE /users", {}),
    Probe("Reactivate many users", "PUT /users", {"uidsToActivate": ["$a", "$b", "$NOBODY"]}),
    Probe("Reactivate active users", "PUT /users", {"uidsToActivate": ["$a"]}),
    Probe("Reactivate users by a number", "PUT /users", {"uidsToActivate": 7}),
    Probe("Delete a user permanently", "DELETE /users/$a", {"permanent": True}, base=True),
    Probe("Get a deleted user", "GET /users/$a"),
    Probe("Delete a deleted user", "DELETE /users/$a", {"permanent": True}),
    Probe("Delete a user, permanently by the query", "DELETE /users/$b?permanent=true"),
    Probe("Create a user whose uid was deleted", _CREATE, _A),
)

_LIST, _RANGE = "GET /users?searchKey=$base", "pages out of range"
LISTS = (
    Probe("Create the first user of a list", _CREATE, {**_A, "tags": ["one"]}, base=True),
    Probe("Create the second user of a list", _CREATE, {**_B, "tags": ["two"]}, base=True,
        pause=1.1),
    Probe("Create the third user of a list", _CREATE, _user("$c", name="Other"),
        base=True, pause=1.1),
    Probe("List users by the start of the uid", _LIST),
    Probe("List users by the middle of the uid", "GET /users?searchKey=$middle"),
    Probe("List users by name", f"{_LIST}&searchIn=name"),
    Probe("List users by name or uid", f"{_LIST}&searchIn=uid,name"),
    Probe("List the first page", f"{_LIST}&perPage=2&page=1"),
    Probe("List the second page", f"{_LIST}&perPage=2&page=2"),
    Probe("List a page after the last", f"{_LIST}&perPage=2&page=9"),
    Probe("List by the SDKs' name of perPage", f"{_LIST}&per_page=2"),
    Probe("List page 0", f"{_LIST}&page=0", settles=_RANGE),
    Probe("List page -1", f"{_LIST}&page=-1", settles=_RANGE),
    Probe("List 0 users a page", f"{_LIST}&perPage=0", settles=_RANGE),
    Probe("List 1001 users a page", f"{_LIST}&perPage=1001", settles=_RANGE),
    Probe("List a word of users a page", f"{_LIST}&perPage=many"),
    Probe("List the page of a word", f"{_LIST}&page=first"),
    Probe("List no users", "GET /users?searchKey=$nobody", settles="pages of an empty list"),
    Probe("Count users", f"{_LIST}&count=true", settles="count of users"),
    Probe("List users with their tags", f"{_LIST}&withTags=true", settles="tags in answers"),
    Probe("List users by tag", f"{_LIST}&tags=one"),
    Probe("List users by two tags", f"{_LIST}&tags=one,two"),
    Probe("List users by status", f"{_LIST}&status=offline"),
    Probe("List users by two statuses", f"{_LIST}&status=available,offline"),
    Probe("List users by an unknown status", f"{_LIST}&status=asleep"),
    Probe("List users by role", f"{_LIST}&role=default"),
    Probe("List users by roles", f"{_LIST}&roles=default,$nobody"),
    Probe("List users by time", f"{_LIST}&createdAt%5Bfrom%5D=1&updatedAt%5Bto%5D=1"),
    Probe("List users by a wrong flag", f"{_LIST}&withTags=maybe"),
    Probe("List users on behalf of one of them", _LIST, headers=_FOR_A),
    Probe("List users on behalf of an unknown one", _LIST, headers=_FOR_NOBODY),
    Probe("List users by the auth key", _LIST, headers=AUTH_KEY),
)

_FRIENDS = "/users/$a/friends"
_TEXTS = "texts of friends and blocks"
_NONE_NEW = "friends already, or not"
FRIENDS = (
    Probe("Create a user that has friends", _CREATE, _A, base=True),
    Probe("Create a user that becomes a friend", _CREATE, _B, base=True),
    Probe("Add friends", f"POST {_FRIENDS}", {"accepted": ["$b", "$nobody"]},
        settles=_TEXTS, base=True),
    Probe("Add a friend again", f"POST {_FRIENDS}", {"accepted": ["$b"]}, settles=_NONE_NEW),
    Probe("Add oneself as a friend", f"POST {_FRIENDS}", {"accepted": ["$a"]}),
    Probe("Add no friends", f"POST {_FRIENDS}", {}),
    Probe("Add 26 friends", f"POST {_FRIENDS}",
        {"accepted": [f"${{nobody}}{number}" for number in range(26)]}),
    Probe("List friends", f"GET {_FRIENDS}"),
    Probe("List friends of the other user", "GET /users/$b/friends"),
    Probe("List friends by name", f"GET {_FRIENDS}?searchKey=$nobody"),
    Probe("Remove friends", f"DELETE {_FRIENDS}", {"friends": ["$b", "$nobody"]}),
    Probe("Remove a friend that is none", f"DELETE {_FRIENDS}", {"friends": ["$b"]},
        settles=_NONE_NEW),
    Probe("List no friends", f"GET {_FRIENDS}"),
    Probe("Add friends to an unknown user", "POST /users/$nobody/friends", {"accepted": ["$b"]}),
    Probe("List friends of an unknown user", "GET /users/$nobody/friends"),
    Probe("Remove friends of an unknown user", "DELETE /users/$nobody/friends",
        {"friends": ["$b"]}),
)

_BLOCKS, _DIRECTION = "/users/$a/blockedusers", "direction of blocks"
BLOCKED = (
    Probe("Create a user that blocks", _CREATE, _A, base=True),
    Probe("Create a user that is blocked", _CREATE, _B, base=True),
    Probe("Create another user that is blocked", _CREATE, _user("$c", name="Verify C"),
        base=True, pause=1.1),
    Probe("Block users", f"POST {_BLOCKS}", {"blockedUids": ["$c", "$nobody"]},
        settles=_TEXTS, base=True),
    Probe("Block another user", f"POST {_BLOCKS}", {"blockedUids": ["$b"]}, pause=1.1),
    Probe("Block a user again", f"POST {_BLOCKS}", {"blockedUids": ["$b"]}, settles=_TEXTS),
    Probe("Block oneself", f"POST {_BLOCKS}", {"blockedUids": ["$a"]}),
    Probe("Block nobody", f"POST {_BLOCKS}", {}),
    Probe("List blocked users", f"GET {_BLOCKS}", settles=_DIRECTION),
    Probe("List blocked users page by page", f"GET {_BLOCKS}?perPage=1",
        settles="order of blocked users"),
    Probe("List users that blocked the user", "GET /users/$b/blockedusers?direction=hasBlockedMe"),
    Probe("List blocked users by a wrong direction", "GET /users/$b/blockedusers?direction=up"),
    Probe("Get a blocked user on behalf of the blocker", "GET /users/$b", headers=_FOR_A),
    Probe("Get the blocker on behalf of a blocked user", "GET /users/$a", headers=_FOR_B),
    Probe("Unblock users", f"DELETE {_BLOCKS}", {"blockedUids": ["$b", "$nobody"]}, settles=_TEXTS),
    Probe("Unblock a user again", f"DELETE {_BLOCKS}", {"blockedUids": ["$b"]}, settles=_TEXTS),
    Probe("Block users of an unknown user", "POST /users/$nobody/blockedusers",
        {"blockedUids": ["$b"]}),
    Probe("List blocked users of an unknown user", "GET /users/$nobody/blockedusers"),
    Probe("Unblock users of an unknown user", "DELETE /users/$nobody/blockedusers",
        {"blockedUids": ["$b"]}),
)

_IMPORT = "POST /data_import/users"
IMPORTS = (
    Probe("Import users", _IMPORT, {"users": {
        "$A": {"name": "Verify A", "avatar": _AVATAR, "tags": ["one"], "createdAt": 1_600_000_000},
        "$b": {"metadata": {"level": 3}}}}, base=True),
    Probe("Get an imported user", "GET /users/$a"),
    Probe("Import a user that exists", _IMPORT, {"users": {"$a": {"name": "Verify"}}},
        settles="errors of imports"),
    Probe("Import users by wrong values", _IMPORT, {"users": {"$c": "Verify",
        "$d": _user("$e"), "$f": {"name": "Verify", "role": "$nobody"}}}),
    Probe("Import no users", _IMPORT, {}),
    Probe("Import a list of users", _IMPORT, {"users": [_A]}),
    Probe("Import 51 users", _IMPORT,
        {"users": {f"${{base}}-{number}": {"name": "Verify"} for number in range(51)}}),
    Probe("Import users by the auth key", _IMPORT, {"users": {"$g": {"name": "V"}}}, AUTH_KEY),
)

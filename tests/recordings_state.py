"""The state of an app before a recording, as far as the recording shows it."""

import re
from collections.abc import Iterator
from itertools import count
from typing import Any

from mockchat.core.entities import ApiKey, AuthToken, Role, Scope, Status, User
from mockchat.core.relations import befriend, block
from mockchat.core.state import App
from tests.recordings import Json, Recorded

_CLOSE = 5  # seconds that a time in an answer may differ from the time of the answer
_ATTRIBUTES = {
    "uid": "uid", "name": "name", "createdAt": "created_at", "avatar": "avatar", "link": "link",
    "metadata": "metadata", "role": "role", "statusMessage": "status_message", "status": "status",
    "lastActiveAt": "last_active_at", "updatedAt": "updated_at", "tags": "tags",
    "deactivatedAt": "deactivated_at",
}  # fmt: skip


def moment(one: Recorded) -> float:
    """Return when the service answered: by the answer's own times, else by its date."""
    data = (one.received or {}).get("data") if isinstance(one.received, dict) else None
    told = [data.get(key) for key in ("updatedAt", "createdAt")] if isinstance(data, dict) else []
    close = [at for at in told if at and one.at and abs(at - one.at) <= _CLOSE]
    return float(close[0]) if close else one.at or 0.0


def arrange(app: App, recording: list[Recorded]) -> None:
    """Fill an empty app with the keys, users, tokens and relations that the recording found."""
    past = _Past()
    for one in recording:
        past.look_at(one)
    past.fill(app, before=moment(recording[0]) - 1)


class _Past:
    """What was there before a recording; what the recording itself made is not in it."""

    def __init__(self) -> None:
        self.users: dict[str, Json] = {}
        self.tokens: dict[str, Json] = {}
        self.blocks: dict[tuple[str, str], float] = {}
        self.friends: list[tuple[str, str]] = []
        self.keys: dict[str, Scope] = {}
        self.made: set[str] = set()  # uids
        self.made_tokens: set[str | None] = set()
        self.total = 0  # of the users
        self.quota: int | None = None

    def look_at(self, one: Recorded) -> None:
        """Note what an exchange tells of the time before it."""
        answer = one.received if isinstance(one.received, dict) else {}
        path = one.path.strip("/").split("/")[1:]  # without the version
        data = answer.get("data")
        self._look_at_refusal(one, path, answer.get("error", {}).get("code", ""))
        if one.method == "POST" and path == ["users"]:
            if isinstance(data, dict):
                self.made.add(data["uid"].lower())
                self.made_tokens.add(data.get("authToken"))
            return
        if one.method == "GET" and path == ["users"]:
            total = answer.get("meta", {}).get("pagination", {}).get("total", 0)
            self.total = max(self.total, total - len(self.made))
        for row in data if isinstance(data, list) else [data] if isinstance(data, dict) else []:
            self._look_at_row(one, path, row)
        if path[2:] and isinstance(data, dict):
            self._look_at_outcomes(one, path[1].lower(), data.get("accepted", data))

    def _look_at_refusal(self, one: Recorded, path: list[str], code: str) -> None:
        """Note the key and the users that a request names and a refusal does not deny."""
        if code not in ("AUTH_ERR_APIKEY_NOT_FOUND", "ERR_API_NOT_FOUND"):
            only_logs_in = code == "AUTH_ERR_NO_ACCESS"
            scope = Scope.AUTH_ONLY if only_logs_in else Scope.FULL_ACCESS
            self.keys[one.headers.get("apikey", "")] = scope
        names_user = path[0] == "users" and path[1:] and one.method != "PATCH"
        if names_user and code != "ERR_UID_NOT_FOUND" and not code.startswith("AUTH_ERR"):
            self._user({"uid": path[1].lower()})
        if code == "ERR_PLAN_QUOTA_RESTRICTION":
            self.quota = int(re.findall(r"is ([0-9]+)\.", one.received["error"]["message"])[0])
        if code == "ERR_UID_ALREADY_EXISTS":
            self._user({"uid": one.sent["uid"]})

    def _look_at_row(self, one: Recorded, path: list[str], row: Json) -> None:
        if "authToken" in row:
            is_new = one.method == "POST" and abs(row["createdAt"] - (one.at or 0)) <= _CLOSE
            if is_new:
                self.made_tokens.add(row["authToken"])
            elif row["authToken"] not in self.made_tokens:
                self.tokens.setdefault(row["authToken"], row)
        elif "uid" in row:
            if one.method == "PUT":  # the update itself is not of the past
                row = {key: row[key] for key in ("uid", "name", "createdAt") if key in row}
            self._user(row)
        if row.get("blockedAt") and path[1:]:
            self.blocks.setdefault((path[1].lower(), row["uid"]), row["blockedAt"])
        elif path[2:] == ["friends"] and "uid" in row:
            self.friends.append((path[1].lower(), row["uid"]))

    def _look_at_outcomes(self, one: Recorded, owner: str, outcomes: Json) -> None:
        """Read who was blocked, befriended or freed, and who was so already."""
        for uid, outcome in outcomes.items():
            if not isinstance(outcome, dict) or "success" not in outcome:
                continue
            text = outcome["message"]
            if outcome["success"] or "already" in text:
                self._user({"uid": uid})
            if "blocked" in text and (one.method == "DELETE") == outcome["success"]:
                self.blocks.setdefault((owner, uid), (one.at or 1) - 1)
            elif "already" in text:
                self.friends.append((owner, uid))

    def _user(self, shown: Json) -> None:
        key = shown["uid"].lower()
        if key not in self.made:
            self.users[key] = {**shown, **self.users.get(key, {})}

    # --- into the app -------------------------------------------------------------------
    def fill(self, app: App, before: float) -> None:
        app.rules = app.rules._replace(max_users=self.quota)
        self.total = max(self.total, (self.quota or 0) - len(self.made))
        app.keys = {
            value: ApiKey(value, "Recorded", scope, 0) for value, scope in self.keys.items()
        }
        for user in self._entities(int(before)):
            app.roles.setdefault(user.role, Role(user.role, user.role, 0))
            app.add_user(user)
        for (uid, other), at in sorted(self.blocks.items(), key=lambda row: row[1]):
            if {uid, other} & self.made:  # which were not there yet
                continue
            block(app, app.user(uid), app.user(other))
            app.user(uid).blocked[other.lower()] = int(at)
        for uid, other in self.friends:
            if not {uid, other} & self.made:
                befriend(app, app.user(uid), app.user(other))
        for value, row in sorted(self.tokens.items(), key=lambda pair: pair[1]["createdAt"]):
            user = app.user(row["uid"])  # live lists more than the 100 that a user may have today
            app.tokens[value] = user.tokens[value] = AuthToken(value, user.uid, row["createdAt"])

    def _entities(self, before: int) -> Iterator[User]:
        """Yield the users, oldest first; those listed earlier are newer where times are equal."""
        told = [row["createdAt"] for row in self.users.values() if "createdAt" in row]
        before = min([before, *told]) - 1
        rows = [{"name": row["uid"], "createdAt": before, **row} for row in self.users.values()]
        rows.reverse()
        rows.sort(key=lambda row: row["createdAt"])
        for number in count(len(rows)):
            if number >= self.total:
                break
            yield User(
                f"unlisted-{number}", "Unlisted", rows[0]["createdAt"] - 1 if rows else before
            )
        for row in rows:
            values: dict[str, Any] = {
                attribute: row[key] for key, attribute in _ATTRIBUTES.items() if key in row
            }
            yield User(**values | {"status": Status(row.get("status", "offline"))})

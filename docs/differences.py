"""Every known difference from the live service: docs/fidelity.md shows this table."""

from typing import NamedTuple


class Difference(NamedTuple):
    """How mockchat differs in one respect; `live` is empty where that behaviour is not known.

    `asked` is then the name by which `mockchat verify` asks for it: the `settles` of probes, or a
    row of NOT_ASKED in mockchat/verify/table.py.
    """

    area: str
    live: str
    mockchat: str
    why: str
    asked: str = ""


_TESTS = "tests need no account"
_UNKNOWN = "no recording, no statement of the vendor"

DIFFERENCES = (
    # --- known, and different on purpose ----------------------------------------------------
    Difference(
        "apps",
        "an app is made in the dashboard, an unknown id is refused",
        "any id is an app of its own with the default keys and users; `--strict-apps` refuses",
        f"{_TESTS}, parallel ones have an app each",
    ),
    Difference(
        "apps",
        "the region is part of the host and of the app",
        "any region and host leads to the same app",
        "local addresses have no region",
    ),
    Difference(
        "errors",
        "one code for a condition, that of the REST service",
        "two dialects: `documented` is that of the SDK pages, `live` that of the REST service. "
        "Chat SDKs and clients that come by a live host name get `live`",
        "the two differ; `--errors` and the header `X-Mock-Errors` choose",
    ),
    Difference(
        "errors",
        "`devMessage` has a text of its own",
        "it repeats `message` and names the other dialect's code where no live text is known",
        "the reader learns both codes",
    ),
    Difference(
        "groups",
        "a conversation is had with a group that exists and has its members",
        "any guid has an empty conversation and nobody online",
        "mockchat has no groups, and an opened chat asks for both",
    ),
    Difference(
        "rate limits",
        "more than the limit is refused with 429",
        "requests are counted, but refuse nobody unless `--rate-limit` is set",
        "a test suite is no attacker",
    ),
    Difference(
        "headers",
        "`Content-Encoding: none`, an empty `Server`",
        "no `Content-Encoding`, `Server: mockchat`",
        "`none` is no valid coding",
    ),
    Difference(
        "headers",
        "`Upgrade: h2,h2c` with most answers",
        "none",
        "mockchat speaks HTTP/1.1 only",
    ),
    Difference(
        "headers",
        "`Access-Control-Allow-Origin: *`",
        "the page's own origin",
        "some clients refuse `*`",
    ),
    Difference(
        "login",
        "a login takes an SDK: a token by key, then `PUT /me`",
        "`POST /login`, `GET /login` and `POST /logout` do it in one request, too",
        "clients without an SDK have something to test",
    ),
    Difference(
        "sessions",
        "the JWT and the channel secret open the live WebSocket and XMPP",
        "the JWT has the recorded claims, of `data` the app, the region and the auth token. Its "
        "key is mockchat's own, public at `/_mock/jwks.json`. It dies with its auth token, too",
        "the live keys are secret; one JWT was recorded, and its other data are not known",
    ),
    Difference(
        "analytics",
        "SDKs are told to ping the analytics host",
        "`settings` switches pings off; they are answered all the same",
        "a test should not wait for them",
    ),
    Difference(
        "quotas",
        "limits and their texts follow the plan of the account",
        "25 api keys, 25 roles and 1,000 friends for every app. Users are counted only with "
        "`--max-users`, deactivated ones too. The plan is always the recorded `free-2023-01`",
        "there is no account",
    ),
    Difference(
        "beyond login",
        "messages, groups, conversations, calls, moderation, notifications, statistics",
        "lists are empty, anything else is 501 `MOCK_NOT_BUILT`, or with `--unbuilt accept` writes "
        "answer what was sent; call tokens lead to no media",
        "mockchat stands in for users and authentication",
    ),
    Difference(
        "XMPP",
        "the SDKs of 2018 to 2020 (1.x to 2.1.2) finish a login over XMPP",
        "there is none: their login stops after the REST part",
        "no SDK since uses it",
    ),
    Difference(
        "uids",
        "every uid is printed in lower case",
        "in the `documented` dialect a user of a fixture keeps its capitals (`SUPERHERO1`); an "
        "`sdk` header or a session JWT as `Authorization` makes it `superhero1`",
        "the SDK pages print them so",
    ),
    # --- not known, and therefore chosen ----------------------------------------------------
    Difference(
        "auth tokens",
        "",
        "without `force` each `deviceId` of the body gets its token again; so does a missing one",
        "it is known only that a token comes again; SDKs and back ends never share one so",
        asked="reuse of auth tokens",
    ),
    Difference(
        "auth tokens",
        "",
        "`withAuthToken` at creation issues a token, another login returns it again",
        _UNKNOWN,
        asked="withAuthToken",
    ),
    Difference(
        "auth tokens",
        "",
        "the message after the deletion of a token",
        "the vendor's sample shows the message of another operation",
        asked="text of a deleted auth token",
    ),
    Difference(
        "auth tokens",
        "",
        "with `--tokens single-use` only the device of a token's first login may log in "
        "with it again. A login that names no device is a new one",
        "the oldest SDK page says that a token logs in once; the error code tells of devices",
        asked="single-use auth tokens",
    ),
    Difference(
        "users",
        "",
        "deactivating a user destroys its auth tokens; the uid stays taken and is not found",
        "the texts of the live service imply it",
        asked="deactivated users",
    ),
    Difference(
        "users",
        "",
        "`PUT /users/{uid}` takes an auth key, too; `GET` of a user refuses it, as recorded",
        "the pages of four SDKs say so; the recordings have full-access keys only",
        asked="updates by the auth key",
    ),
    Difference(
        "users",
        "a `role` that does not exist is 400 `ERR_BAD_REQUEST`",
        "the same, with a text of its own in `details`",
        "the text is not known",
    ),
    Difference(
        "users",
        "",
        "a single user comes with its tags, a list only `withTags`",
        _UNKNOWN,
        asked="tags in answers",
    ),
    Difference(
        "webhooks",
        "HTTPS, set up in the dashboard, events of users, messages, groups and calls",
        "any URL, by `--webhook` and the control API; events of users: connections and blocks",
        "mockchat stands in for users and authentication",
    ),
    Difference(
        "webhooks",
        "",
        "a delivery has 5 seconds and three tries; its URL gets no other event before it is done",
        _UNKNOWN,
        asked="webhooks",
    ),
    Difference(
        "user lists",
        "",
        "a client's list leaves the client's own user out, and its order ignores case",
        "the SDKs show others, and their pages name the order: status, name, uid",
        asked="user list of a client",
    ),
    Difference(
        "user lists",
        "",
        "a `page` below 1 is page 1, a `perPage` below 1 is 100; a `perPage` above 1000 is refused",
        "Android SDKs ask for page -1 first, and `setLimit(0)` of an app sends `per_page=0`",
        asked="pages out of range",
    ),
    Difference(
        "user lists",
        "",
        "`total_pages` of an empty list is 1",
        _UNKNOWN,
        asked="pages of an empty list",
    ),
    Difference(
        "user lists", "", '`count=true` answers `{"count": n}`', _UNKNOWN, asked="count of users"
    ),
    Difference(
        "blocked users",
        "",
        "the oldest block comes first, among equal times the lower uid",
        "in the recording time, block and uid rise together",
        asked="order of blocked users",
    ),
    Difference(
        "blocked users",
        "",
        "without `direction` an api key gets the users that the user blocked, a client both lists",
        "SDKs ask in this way",
        asked="direction of blocks",
    ),
    Difference(
        "friends, blocked users",
        "",
        "the texts for an unknown uid, and for one that is a friend or blocked already",
        "seen in a re-implementation only",
        asked="texts of friends and blocks",
    ),
    Difference(
        "presence",
        "a Calls SDK alone shows its user online",
        "a `PUT /me` with a platform and without `appInfo` and the headers `sdk` and `resource` "
        "is the login of a Calls SDK alone. Its user is online until the token is destroyed",
        "such a client opens no WebSocket in mockchat, and nothing else tells it from others",
    ),
    Difference(
        "presence",
        "",
        "a login shows `online`; elsewhere `available` while a WebSocket is open, else `offline`",
        "SDKs read these as online",
        asked="presence",
    ),
    Difference(
        "errors",
        "",
        "the statuses of the errors whose evidence is `vendor`",
        "the vendor's client has a table of codes and texts, without statuses",
        asked="statuses of errors",
    ),
    Difference(
        "friends",
        "",
        "a request is refused if all its users are friends already, or none is; otherwise each "
        "uid has its outcome",
        "the codes are known, their conditions are not",
        asked="friends already, or not",
    ),
    Difference(
        "onBehalfOf",
        "",
        "a uid that does not exist is 404 `ERR_ON_BEHALF_OF_UID_NOT_FOUND`, and its text",
        "back ends branch on the code; no text is known",
        asked="unknown onBehalfOf",
    ),
    Difference(
        "imports",
        "",
        "a user that cannot be imported has the error of `POST /users`",
        "the documents name `ERR_IMPORT_*` without the codes",
        asked="errors of imports",
    ),
    Difference(
        "api keys",
        "",
        "keys of up to ten characters are printed unmasked in errors, auth tokens always",
        "the known rule stars the middle of a key, a short one has none",
        asked="masked keys",
    ),
    Difference(
        "order of checks",
        "",
        "path and method, app, rate limit, credentials, query and body, user of the path",
        "it is known only that the api key comes before the uid",
        asked="order of checks",
    ),
    Difference(
        "requests",
        "",
        "a body that is no JSON object, or is over 10 KB, is `ERR_BAD_REQUEST` with `details.body`",
        "the limit is documented, the answer is not",
        asked="bodies that are no object",
    ),
    Difference(
        "requests",
        "",
        "a wrong method for a known path is 404 `ERR_API_NOT_FOUND`, not 405",
        "the code is documented, the status follows that of unknown paths",
        asked="wrong methods",
    ),
    Difference(
        "answers",
        "",
        "text beyond ASCII travels as UTF-8, not escaped",
        _UNKNOWN,
        asked="text beyond ASCII",
    ),
    Difference(
        "texts",
        "",
        "every text, status and sentence that is marked `assumed` in docs/fidelity.md",
        "written in the style of the known ones",
        asked="assumed texts",
    ),
    Difference(
        "requests",
        "",
        "the HTTP parser refuses bytes that are no HTTP with a plain-text 400",
        _UNKNOWN,
        asked="bytes that are no HTTP",
    ),
    Difference(
        "users",
        "",
        "`DELETE` of a deactivated user deletes it for good, or lists it as already deactivated",
        "else nothing could free its uid",
        asked="deletion of deactivated users",
    ),
    Difference(
        "roles",
        "",
        "`settings` of a role are stored as they are given",
        _UNKNOWN,
        asked="settings of roles",
    ),
    Difference(
        "WebSocket",
        "",
        "a socket that has not authenticated in 30 seconds is closed",
        _UNKNOWN,
        asked="silent WebSockets",
    ),
    Difference(
        "WebSocket",
        "",
        "after a logout a client has 2 seconds to close its socket. If another client revokes the "
        "token, mockchat closes the socket with 1008 and cuts an Android SDK's connection",
        "Android SDKs take a server's close at logout for a lost connection, and otherwise notice "
        "no close frame",
        asked="WebSockets after a logout",
    ),
    Difference(
        "headers",
        "",
        "several `Content-Type` headers are read as one, `a, b`; the one that fits the body counts",
        "Android SDKs up to 3.0.11 send two",
        asked="several Content-Type headers",
    ),
)

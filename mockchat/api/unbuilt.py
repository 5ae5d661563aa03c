"""Known but unbuilt: the operations of the live service that mockchat does not have.

A `GET` of a list answers an empty page, so that an app boots past login; everything else answers
501 by name. An app that accepts unbuilt writes answers what was sent, so that a back end goes on
after creating users. (Reference section 14 and the SDKs' own endpoint tables.)
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from mockchat.api.access import Access
from mockchat.api.operation import Call, Operation, OperationTable, Page
from mockchat.api.plain import AnySchema
from mockchat.api.requests import Anything, Paging
from mockchat.core import errors
from mockchat.core.errors import Evidence
from mockchat.core.state import App

# Methods and a path a line; a star after GET marks a list.
_SURFACE = """
GET* POST               /groups
GET PUT DELETE          /groups/{guid}
GET* POST PUT DELETE    /groups/{guid}/members
PUT DELETE              /groups/{guid}/members/{uid}
GET*                    /groups/{guid}/bannedusers
POST DELETE             /groups/{guid}/bannedusers/{uid}
PATCH                   /groups/{guid}/owner
PUT                     /groups/{guid}/promote
DELETE                  /groups/{guid}/demote
GET*                    /groups/{guid}/messages
GET*                    /groups/{guid}/threads
PUT DELETE              /groups/{guid}/conversation
DELETE                  /groups/{guid}/conversation/read
POST DELETE             /groups/{guid}/conversation/pin
GET* PUT                /groups/{guid}/scopes/{scope}/permissions
DELETE                  /groups/{guid}/scopes/{scope}/permissions/{permission}
GET* POST               /messages
GET PUT DELETE          /messages/{id}
GET*                    /messages/{id}/reactions
GET* POST DELETE        /messages/{id}/reactions/{reaction}
GET* POST               /messages/{id}/thread
POST DELETE             /messages/{id}/thread/subscription
POST                    /messages/{id}/flagged
PATCH                   /messages/{id}/interacted
POST DELETE             /messages/{id}/pin
POST DELETE             /messages/{id}/save
GET*                    /conversations
GET DELETE              /conversations/{conversationId}
PUT DELETE              /users/{uid}/conversation
DELETE                  /users/{uid}/conversation/read
POST DELETE             /users/{uid}/conversation/pin
GET*                    /users/{uid}/messages
POST GET* DELETE        /roles/{role}/restrictedfeatures
GET* PUT                /roles/{role}/permissions
DELETE                  /roles/{role}/permissions/{permission}
GET*                    /users/{uid}/threads
GET*                    /threads
POST                    /bots/{uid}/messages
GET* POST               /calls
GET PUT                 /calls/{sessionId}
PATCH                   /calls/{sessionId}/type
POST                    /files/upload-url
GET* POST               /user/friends
PUT                     /user/friends/{uid}/accept
DELETE                  /user/friends/{uid}/reject
DELETE                  /user/friends/{uid}/{gid}
GET                     /user/messages/{muid}
GET                     /ai/bots/{botId}/assistance/users/{uid}
GET                     /ai/bots/{botId}/assistance/groups/{guid}
GET                     /ai/conversation-starter/users/{uid}
GET                     /ai/conversation-starter/groups/{guid}
GET                     /ai/conversation-starters/users/{uid}
GET                     /ai/conversation-starters/groups/{guid}
GET                     /ai/conversation-summary/users/{uid}
GET                     /ai/conversation-summary/groups/{guid}
GET                     /ai/smart-replies/users/{uid}
GET                     /ai/smart-replies/groups/{guid}
GET*                    /campaigns/notification-feed
GET                     /campaigns/notification-feed/{feedItemId}
POST                    /campaigns/notification-feed/{feedItemId}/delivered
POST                    /campaigns/notification-feed/{feedItemId}/engagement
POST                    /campaigns/notification-feed/{feedItemId}/read
PUT                     /campaigns/push-notifications/{pushNotificationId}/clicked
PUT                     /campaigns/push-notifications/{pushNotificationId}/delivered
GET*                    /campaigns/templates/categories
GET PATCH DELETE        /notifications/v1/settings
PUT DELETE              /notifications/v1/preferences/mute
PUT DELETE              /notifications/push/v1/preferences/mute
GET* POST PUT           /notifications/push/v1/providers/fcm
DELETE                  /notifications/push/v1/providers/fcm/{providerId}
PUT                     /notifications/push/v1/providers/fcm/default/{providerId}
GET* POST PUT           /notifications/push/v1/providers/apns
DELETE                  /notifications/push/v1/providers/apns/{providerId}
PUT                     /notifications/push/v1/providers/apns/default/{providerId}
GET POST PUT DELETE     /notifications/push/v1/providers/custom
DELETE                  /notifications/push/v1/tokens/{pushToken}
GET PATCH DELETE        /notifications/v1/contact-details
GET POST PUT DELETE     /notifications/sms/v1/providers/twilio
GET POST PUT DELETE     /notifications/sms/v1/providers/custom
GET POST PUT DELETE     /notifications/email/v1/providers/sendgrid
GET POST PUT DELETE     /notifications/email/v1/providers/custom
GET*                    /notifications/v1/logs
POST                    /data_import/groups
POST                    /data_import/members
POST                    /data_import/messages
GET                     /stats
GET                     /stats/messages
GET* POST               /moderation/reasons
GET PUT DELETE          /moderation/reasons/{id}
GET*                    /moderation/flagged-messages
PATCH                   /moderation/flagged-messages/{id}
GET*                    /moderation/reviewed-messages
GET*                    /moderation/blocked-messages
PATCH                   /moderation/blocked-messages/{id}
GET* POST               /moderation/rules
GET PUT DELETE          /moderation/rules/{ruleId}
GET*                    /moderation/rules/{ruleId}/revisions
GET* POST               /moderation/keywords
GET PUT DELETE          /moderation/keywords/{keywordId}
"""

# The paths of the management host, as the vendor's pages of its management APIs name them.
_MANAGEMENT_SURFACE = """
GET POST                /apps
GET POST DELETE         /apps/{appId}/settings
GET POST                /apps/{appId}/extensions
GET POST PUT DELETE     /apps/{appId}/extensions/{extension}/{version}/settings
GET POST                /apps/{appId}/webhooks
GET PUT DELETE          /apps/{appId}/webhooks/{webhookId}
GET POST DELETE         /apps/{appId}/webhooks/{webhookId}/triggers
"""

_NOT_BUILT = (errors.NOT_BUILT,)


def empty_list(call: Call) -> Page:
    """List nothing: mockchat never has any."""
    return call.page([])


def accept_write(call: Call) -> dict[str, Any]:
    """Refuse by name; if the app accepts writes, answer what was sent, with an id and the time."""
    # The live ids of messages are whole numbers as text. Nothing is kept.
    new = {"id": call.path.get("id") or str(int(call.app.ids.hex(12), 16))}
    return {**new, **call.body, "createdAt": call.app.now}


def _admission(name: str) -> Callable[[App], None]:
    def admit(app: App) -> None:
        """Refuse by name, unless the app accepts writes."""
        if app.rules.unbuilt != "accept":
            raise errors.NOT_BUILT(operation=name)

    return admit


def _refusal(name: str) -> Callable[[Call], None]:
    def refuse(_call: Call) -> None:
        """Refuse by name: the live service has this operation, mockchat does not."""
        raise errors.NOT_BUILT(operation=name)

    return refuse


def _rows(surface: str) -> tuple[Operation, ...]:
    table = OperationTable(
        access=Access.FULL_KEY_OR_TOKEN, returns=AnySchema, evidence=Evidence.DOCUMENTED
    )
    for line in surface.strip().splitlines():
        *methods, path = line.split()
        for method in methods:
            if method == "GET*":
                table.get(path, query=Paging)(empty_list)
                continue
            name, row = f"{method} {path}", partial(table.add, method, path, errors=_NOT_BUILT)
            if method == "GET":
                row()(_refusal(name))
            else:
                row(body=Anything, admits=_admission(name))(accept_write)
    return tuple(table)


UNBUILT = _rows(_SURFACE)
MANAGEMENT = _rows(_MANAGEMENT_SURFACE)

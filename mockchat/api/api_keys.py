"""Api keys: create, list, get, update and delete (reference section 4)."""

from mockchat.api import requests, schemas
from mockchat.api.operation import Access, Ack, Call, OperationTable, Page, page_of
from mockchat.api.validation import refuse
from mockchat.core import errors
from mockchat.core.entities import ApiKey, KeyCaller, Scope
from mockchat.core.errors import Evidence
from mockchat.core.state import App

table = OperationTable()

MAX_KEYS = 25
_KEY = "/apikeys/{apiKey}"


def _key_in_path(call: Call) -> ApiKey:
    value = call.path["apiKey"]
    if value not in call.app.keys:
        raise errors.APIKEY_NOT_FOUND(key=value)
    return call.app.keys[value]


def _another_key(call: Call) -> ApiKey:
    key = _key_in_path(call)
    if isinstance(call.caller, KeyCaller) and call.caller.key == key.value:
        raise errors.APIKEY_SELF_ACTION(key=errors.mask(key.value))
    return key


def _check_name(app: App, name: str, but: ApiKey | None = None) -> None:
    if any(key.name == name for key in app.keys.values() if key is not but):
        raise refuse("name", "taken")


@table.add(
    "POST",
    "/apikeys",
    access=Access.FULL_KEY,
    body=requests.ApiKeyCreate,
    returns=schemas.ApiKeySchema,
    errors=(errors.QUOTA_REACHED,),
)
def create_api_key(call: Call) -> ApiKey:
    """Create an api key; it may create users and auth tokens unless its scope says more."""
    app, body = call.app, call.body
    _check_name(app, body["name"])
    if len(app.keys) >= MAX_KEYS:
        raise errors.QUOTA_REACHED(feature="Create Api Key", limit=MAX_KEYS)
    return app.add_key(body["name"], Scope(body["scope"]))


@table.add(
    "GET",
    "/apikeys",
    access=Access.FULL_KEY,
    query=requests.ApiKeyList,
    returns=schemas.ApiKeySchema,
)
def list_api_keys(call: Call) -> Page:
    """List the app's api keys, the newest first."""
    search, scope = (call.query.get("search_key") or "").lower(), call.query.get("scope")
    found = [
        key
        for key in reversed(call.app.keys.values())
        if search in key.name.lower() and scope in (None, "", key.scope)
    ]
    return page_of(found, call.query)


@table.add(
    "GET",
    _KEY,
    access=Access.FULL_KEY,
    returns=schemas.ApiKeySchema,
    errors=(errors.APIKEY_NOT_FOUND,),
)
def get_api_key(call: Call) -> ApiKey:
    """Get an api key."""
    return _key_in_path(call)


@table.add(
    "PUT",
    _KEY,
    access=Access.FULL_KEY,
    body=requests.ApiKeyUpdate,
    returns=schemas.ApiKeySchema,
    errors=(errors.APIKEY_NOT_FOUND, errors.APIKEY_SELF_ACTION),
)
def update_api_key(call: Call) -> ApiKey:
    """Change the name or the scope of an api key."""
    key = _another_key(call)
    if "name" in call.body:
        _check_name(call.app, call.body["name"], but=key)
        key.name = call.body["name"]
    if "scope" in call.body:
        key.scope = Scope(call.body["scope"])
    key.updated_at = call.app.now
    call.app.touch()
    return key


@table.add(
    "DELETE",
    _KEY,
    access=Access.FULL_KEY,
    returns=schemas.AckSchema,
    errors=(errors.APIKEY_NOT_FOUND, errors.APIKEY_SELF_ACTION),
    evidence=Evidence.DOCUMENTED,
)
def delete_api_key(call: Call) -> Ack:
    """Delete an api key."""
    key = _another_key(call)
    del call.app.keys[key.value]
    call.app.touch()
    return Ack(f"The Api Key {key.value} has been deleted successfully.")

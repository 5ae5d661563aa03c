"""Api keys: create, list, get, update and delete (reference section 4)."""

from mockchat.api import requests, schemas
from mockchat.api.access import Access
from mockchat.api.operation import Ack, Call, OperationTable, Page
from mockchat.api.validation import refuse
from mockchat.core import errors
from mockchat.core.entities import ApiKey, KeyCaller, Scope
from mockchat.core.errors import Evidence

table = OperationTable(
    access=Access.FULL_KEY, returns=schemas.ApiKeySchema, evidence=Evidence.DOCUMENTED
)

MAX_KEYS = 25
_KEYS, _KEY = "/apikeys", "/apikeys/{apiKey}"
_CHANGE_ERRORS = (errors.APIKEY_NOT_FOUND, errors.APIKEY_SELF_ACTION)


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


def _check_name(call: Call, but: ApiKey | None = None) -> None:
    name = call.body["name"]
    if any(key.name == name for key in call.app.keys.values() if key is not but):
        raise refuse("name", "taken")


@table.post(_KEYS, body=requests.ApiKeyCreate, errors=(errors.QUOTA_REACHED,))
def create_api_key(call: Call) -> ApiKey:
    """Create an api key; it may create users and auth tokens unless its scope says more."""
    _check_name(call)
    if len(call.app.keys) >= MAX_KEYS:
        raise errors.QUOTA_REACHED(feature="Create Api Key", quota=MAX_KEYS)
    return call.app.add_key(call.body["name"], Scope(call.body["scope"]))


@table.get(_KEYS, query=requests.ApiKeyList)
def list_api_keys(call: Call) -> Page:
    """List the app's api keys, the newest first."""
    search, scope = (call.query.get("search_key") or "").lower(), call.query.get("scope")
    found = [
        key
        for key in reversed(call.app.keys.values())
        if search in key.name.lower() and scope in (None, "", key.scope)
    ]
    return call.page(found)


@table.get(_KEY, errors=(errors.APIKEY_NOT_FOUND,))
def get_api_key(call: Call) -> ApiKey:
    """Get an api key."""
    return _key_in_path(call)


@table.put(_KEY, body=requests.ApiKeyUpdate, errors=_CHANGE_ERRORS)
def update_api_key(call: Call) -> ApiKey:
    """Change the name or the scope of an api key."""
    key = _another_key(call)
    if "name" in call.body:
        _check_name(call, but=key)
        key.name = call.body["name"]
    if "scope" in call.body:
        key.scope = Scope(call.body["scope"])
    key.updated_at = call.app.now
    call.app.touch(key)
    return key


@table.delete(_KEY, errors=_CHANGE_ERRORS)
def delete_api_key(call: Call) -> Ack:
    """Delete an api key."""
    key = _another_key(call)
    del call.app.keys[key.value]
    call.app.touch(key)
    return Ack(f"The Api Key {key.value} has been deleted successfully.")

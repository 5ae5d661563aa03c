"""The OpenAPI document, 3.1, made from the tables and schemas."""

import inspect
import re
import sys
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from marshmallow import Schema, fields

from mockchat.api import OPERATIONS, UNBUILT
from mockchat.api.access import Access
from mockchat.api.fields import FILLED, Object, Strings, Uid
from mockchat.api.operation import Ack, Operation, Page
from mockchat.api.plain import AnySchema, CountSchema, ErrorSchema, MetaSchema
from mockchat.api.schemas import AckSchema
from mockchat.api.validation import MAX_BODY, RequestSchema
from mockchat.control import CONTROL_OPERATIONS
from mockchat.control.requests import NamedFixture
from mockchat.control.state import SNAPSHOT_NAME
from mockchat.core import errors
from mockchat.core.errors import ErrorDef
from mockchat.version import __version__
from mockchat.wire.faults import DIALECTS
from mockchat.wire.head import MAX_CONTROL_BODY

if TYPE_CHECKING:
    from apispec import APISpec

Json = dict[str, Any]
AnyField = fields.Field[Any]

_JSON = "application/json"
_INFO = """\
A local stand-in for CometChat's user and authentication service.

The path prefix `/apps/{appId}`, the sub-domain, the header `appId` or the credential names the app
of a request. Without them it is the default one. Every error has two codes, one a dialect:
that of the vendor's SDK pages (`documented`) and that of its REST service (`live`). A path or
method that is not here is 404 `ERR_API_NOT_FOUND`.
`x-evidence` says how well a behaviour is known: recorded from the service (`live`), stated by the
vendor (`documented`) or ours (`assumed`)."""
_SERVERS = [
    {"url": "/v3"},
    {"url": "/apps/{appId}/v3", "variables": {"appId": {"default": "APP_ID"}}},
]
_ROOT = [{"url": "/"}]
_COERCED = """\
A value is also read where it comes as text or as another type that means the same. `"7"` is `7`,
`"true"` and `1` are `true`, a list or an object may be JSON text. A null is as good as no value."""
_BODY_NOTE = f"""\
At most {MAX_BODY} bytes of JSON, or the same fields form-encoded, with PHP's brackets for lists and
objects (`tags[]=a`, `metadata[key]=value`). {_COERCED}"""
_CONTROL_BODY_NOTE = f"""\
At most {MAX_CONTROL_BODY} bytes. The same fields are accepted in the query and form-encoded, and no
others. {_COERCED}"""
_SECURITY_SCHEMES: dict[str, Json] = {
    "apikey": {"type": "apiKey", "in": "header", "name": "apikey"},
    "authToken": {"type": "apiKey", "in": "header", "name": "authToken"},
    "controlToken": {"type": "http", "scheme": "bearer"},
}
_BY_KEY: Json = {"apikey": []}
_BY_TOKEN: Json = {"authToken": []}
_SECURITY: dict[Access, list[Json]] = {
    Access.PUBLIC: [],
    Access.LOGIN: [],  # the body or one of the headers below has the credential
    Access.ANY_KEY: [_BY_KEY],
    Access.FULL_KEY: [_BY_KEY],
    Access.TOKEN: [_BY_TOKEN],
    Access.FULL_KEY_OR_TOKEN: [_BY_KEY, _BY_TOKEN],
    Access.CONTROL: [{"controlToken": []}, {}],  # the token is required where the setting is set
}
_HEADERS = {
    "Authorization": "The session JWT, as it is.",
    "apikey": "The api key of a login by uid, if the body has none.",
    "authToken": "The auth token, if the body has none.",
    "callToken": "The call token.",
    "onBehalfOf": "The uid of the user that an api key acts for.",
    "sdk": "The SDK and its version; its name counts where the body has no `platform`.",
    "resource": "The device, if the body has no `deviceId`.",
}
_REQUIRED_HEADERS = {"Authorization", "callToken"}
_IN_PATH: dict[str, str] = {
    "uid": Uid.PATTERN,
    "name": f"^{SNAPSHOT_NAME.pattern}$",
    **dict.fromkeys(("exchange", "fault"), "^[0-9]+$"),
}
_LEFT = "The number of requests left in this minute."
_QUOTA_HEADERS = {
    "X-RateLimit-Limit": "Requests a minute of the operation's class.",
    "X-RateLimit-Remaining": _LEFT,
    "X-RateLimit-Limit-For-App": "Requests a minute of the app.",
    "X-RateLimit-Remaining-For-App": _LEFT,
}
_RETRY_HEADERS = {
    "Retry-After": "Seconds until the next minute.",
    "X-Rate-Limit-Reset": "The unix second at which it begins.",
}


def _object(**properties: Json) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


@cache
def document() -> Json:
    """Return the OpenAPI document, the same object at every call: it must not be changed."""
    from apispec import APISpec  # noqa: PLC0415  # with its plugin 50 ms that a start must not pay
    from apispec.ext.marshmallow import MarshmallowPlugin  # noqa: PLC0415

    plugin = MarshmallowPlugin()
    info = {"description": _INFO, "license": {"name": "MIT", "identifier": "MIT"}}
    spec = APISpec("mockchat", __version__, "3.1.0", [plugin], info=info, servers=_SERVERS)
    for name, scheme in _SECURITY_SCHEMES.items():
        spec.components.security_scheme(name, scheme)
    whole = {"required": True, "schema": {"type": "integer", "minimum": 0}}
    for name, note in (_QUOTA_HEADERS | _RETRY_HEADERS).items():
        spec.components.header(name, {"description": note, **whole})
    _Writer(spec, plugin.converter).write((*OPERATIONS, *CONTROL_OPERATIONS, *UNBUILT))
    return spec.to_dict()


def _property(_converter: Any, field: AnyField, ret: Json) -> Json:
    """Say that a fixture may be a name."""
    if not isinstance(field, NamedFixture):
        return {}
    return {"anyOf": [{"type": "string", "pattern": FILLED}, {"$ref": ret.pop("$ref")}]}


def _parameter(_converter: Any, field: AnyField, **_: Any) -> Json:
    """Say how a query writes lists and objects."""
    if isinstance(field, Strings):
        return {"style": "form", "explode": False}
    return {"style": "deepObject"} if isinstance(field, Object) else {}


class _Writer:
    """Adds operations to a spec, and the components they share."""

    def __init__(self, spec: "APISpec", converter: Any) -> None:
        self._spec = spec
        self._converter = converter
        converter.attribute_functions.remove(converter.field2nullable)  # null is no value
        converter.add_attribute_function(_property)
        converter.add_parameter_attribute_function(_parameter)
        self._ids: set[str] = set()

    def write(self, rows: tuple[Operation, ...]) -> None:
        """Describe operations, their tags and the schemas that they use."""
        for module in dict.fromkeys(map(_module, rows)):
            note = _note(sys.modules[module]).partition("\n")[0]
            self._spec.tag({"name": module.rpartition(".")[2], "description": note})
        for row in rows:
            self._spec.path(row.path, operations={row.method.lower(): self._operation(row)})
        for key, name in self._converter.refs.items():
            self._spec.components.schemas[name]["description"] = _note(key[0])

    def _operation(self, row: Operation) -> Json:
        first, _, rest = _note(row.handler).partition("\n")
        described = {
            "operationId": self._id(row),
            "tags": [_module(row).rpartition(".")[2]],
            "summary": first,
            "description": rest.strip(),
            "security": _SECURITY[row.access],
            "servers": _ROOT if row.is_control else None,
            "parameters": self._parameters(row),
            "requestBody": _request_body(row.body, row) if row.body else None,
            "responses": self._answers(row) | self._refusals(row),
            "x-evidence": row.evidence.value,
        }
        return {name: value for name, value in described.items() if value not in ("", None)}

    def _id(self, row: Operation) -> str:
        """Return the operation's own name, or one made of its path where several share it."""
        name = row.id
        if name in self._ids or row in UNBUILT:
            name = "_".join([row.method.lower(), *re.findall(r"\w+", row.path)])
        self._ids.add(name)
        return name

    def _parameters(self, row: Operation) -> list[Json]:
        found: list[Json] = [
            _parameter_of(name, "path", pattern=_IN_PATH.get(name, FILLED))
            for name in re.findall(r"\{(\w+)\}", row.path)
        ]
        query = (row.query or RequestSchema)()
        shown = self._converter.schema2parameters(query, location="query")
        for field, one in zip(query.fields.values(), shown, strict=True):
            names = (one["name"], *field.metadata.get("aliases", ()))
            found += [{**one, "name": name} for name in names]
        found += [_parameter_of(name, "header", _HEADERS[name]) for name in row.headers]
        if not row.is_control:
            note = f"The dialect of errors: {' or '.join(DIALECTS)}."
            found.append(_parameter_of("X-Mock-Errors", "header", note))
        return found

    def _answers(self, row: Operation) -> Json:
        hint = get_type_hints(row.handler)["return"]
        kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
        if kinds == (NoneType,):
            return {}
        schemas = [self._answer(row, kind) for kind in kinds]
        schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
        content = {"schema": schema} if row.produces == _JSON else {}
        headers = {} if row.is_control else {name: name for name in _QUOTA_HEADERS}
        done = {"description": "Done.", "headers": headers, "content": {row.produces: content}}
        return {"200": {name: value for name, value in done.items() if value}}

    def _answer(self, row: Operation, kind: Any) -> Json:
        schema = self._schema(row.returns)
        if kind is Page:
            return _object(data=_array(schema), meta=self._schema(MetaSchema))
        if getattr(kind, "__origin__", None) is list:
            schema = _array(schema)
        elif kind is Ack:
            schema = self._schema(AckSchema)
        elif kind == dict[str, int]:  # the answer of a list that is only counted
            schema = self._schema(CountSchema)
        elif kind is NoneType:
            schema = {"type": "null"}
        return schema if row.is_control else _object(data=schema)

    def _schema(self, schema: type[Schema] | None) -> Json:
        if schema is None or schema is AnySchema:
            return {}
        if each := getattr(schema, "each", None):  # an object with an entry for each uid
            return {"type": "object", "additionalProperties": self._schema(each)}
        found: Json = self._converter.resolve_nested_schema(schema)
        return found

    def _refusals(self, row: Operation) -> Json:
        by_status: dict[int, list[ErrorDef]] = {}
        for error in row.may_raise:
            for status in {error.documented.status, error.live.status}:
                by_status.setdefault(status, []).append(error)
        return {
            str(status): self._refusal(status, rows) for status, rows in sorted(by_status.items())
        }

    def _refusal(self, status: int, rows: list[ErrorDef]) -> str:
        """Return the name of the response of this status with any of these errors."""
        name = ".".join([str(status), *(row.name for row in rows)])
        if name in self._spec.components.responses:
            return name
        faces = (face for row in rows for face in (row.documented, row.live))
        codes = {"enum": sorted({face.code for face in faces if face.status == status})}
        error = {"allOf": [self._schema(ErrorSchema)], "properties": {"code": codes}}
        response: Json = {
            "description": "\n".join(f"* {row.name}: {row.when}" for row in rows),
            "content": {_JSON: {"schema": _object(error=error)}},
        }
        if errors.TOO_MANY_REQUESTS in rows:
            response["headers"] = {name: name for name in _RETRY_HEADERS}
        self._spec.components.response(name, response)
        return name


def _module(row: Operation) -> str:
    return "mockchat.control" if row.is_control else row.handler.__module__


def _array(items: Json) -> Json:
    return {"type": "array", "items": items}


def _parameter_of(name: str, where: str, note: str | None = None, **keywords: Any) -> Json:
    """Return a parameter that is a text."""
    required = where == "path" or name in _REQUIRED_HEADERS
    schema = {"type": "string", **keywords}
    described = {"description": note} if note else {}
    return {"in": where, "name": name, "required": required, **described, "schema": schema}


def _request_body(body: type[Schema], row: Operation) -> Json:
    variants = list(dict.fromkeys(getattr(body, "VARIANTS", {}).values()))
    schema: Any = {"oneOf": variants} if variants else body
    required = any(field.required for field in body().fields.values())
    note = _CONTROL_BODY_NOTE if row.is_control else _BODY_NOTE
    return {"description": note, "required": required, "content": {_JSON: {"schema": schema}}}


def _note(documented: Any) -> str:
    """Return a docstring without the references to the project's own notes."""
    note = inspect.getdoc(documented) or ""
    return re.sub(r"\s*\((?:reference|sdk-wire|product)[^)]*\)", "", note)

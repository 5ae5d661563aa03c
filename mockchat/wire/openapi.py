"""The OpenAPI document: what the tables and schemas say, in the words of OpenAPI 3.1."""

import inspect
import json
import re
import sys
from collections.abc import Iterable
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from marshmallow import Schema

from mockchat.api import OPERATIONS, UNBUILT
from mockchat.api.operation import Access, Ack, Operation, Page
from mockchat.api.plain import AnySchema, CountSchema
from mockchat.api.schemas import AckSchema, AcksSchema
from mockchat.api.validation import MAX_BODY
from mockchat.control import CONTROL_OPERATIONS
from mockchat.core.errors import ErrorDef, Face
from mockchat.version import __version__
from mockchat.wire import accepted, answers, shapes
from mockchat.wire.accepted import AnyField, Json
from mockchat.wire.body import MAX_CONTROL_BODY

if TYPE_CHECKING:
    from apispec import APISpec
    from apispec.ext.marshmallow import MarshmallowPlugin

_JSON = "application/json"
_INFO = """\
A local stand-in for CometChat's user and authentication service.

The app of a request is named by the path prefix `/apps/{appId}`, the sub-domain, the header `appId`
or the credential it shows; else it is the default one. Every error has two codes, one a dialect:
that of the vendor's SDK pages (`documented`) and that of its REST service (`live`). A path or
method that is not here is 404 `ERR_API_NOT_FOUND`.
`x-evidence` says how well a behaviour is known: recorded from the service (`live`), stated by the
vendor (`documented`) or ours (`assumed`)."""
_SERVERS = [
    {"url": "/v3"},
    {"url": "/apps/{appId}/v3", "variables": {"appId": {"default": "APP_ID"}}},
]
_ROOT = [{"url": "/"}]
_BODY_NOTE = (
    "The same fields are accepted form-encoded, with PHP's brackets for lists and objects "
    f"(`tags[]=a`, `metadata[key]=value`). At most {MAX_BODY} bytes."
)
_CONTROL_BODY_NOTE = (
    "The same fields are accepted in the query and form-encoded, and no others. At most "
    f"{MAX_CONTROL_BODY} bytes."
)
_SECURITY_SCHEMES: dict[str, Json] = {
    "apikey": {"type": "apiKey", "in": "header", "name": "apikey"},
    "authToken": {"type": "apiKey", "in": "header", "name": "authToken"},
    "controlToken": {"type": "http", "scheme": "bearer"},
}
_SECURITY: dict[Access, list[Json]] = {
    Access.PUBLIC: [],
    Access.LOGIN: [],  # the body or one of the headers below has the credential
    Access.ANY_KEY: [{"apikey": []}],
    Access.FULL_KEY: [{"apikey": []}],
    Access.TOKEN: [{"authToken": []}],
    Access.FULL_KEY_OR_TOKEN: [{"apikey": []}, {"authToken": []}],
    Access.CONTROL: [{"controlToken": []}, {}],  # asked for where the setting is set
}
_HEADERS = {
    "Authorization": "The session JWT, as it is.",
    "apikey": "The api key of a login by uid, if the body has none.",
    "authToken": "The auth token, if the body has none.",
    "callToken": "The call token.",
    "onBehalfOf": "The uid of the user through whose eyes an api key looks.",
    "resource": "The device, if the body has no `deviceId`.",
}
_REQUIRED_HEADERS = {"Authorization", "callToken"}
_DIALECT = "X-Mock-Errors"
_QUOTA_HEADERS = {
    "X-RateLimit-Limit": "Requests a minute of the operation's class.",
    "X-RateLimit-Remaining": "How many of them are left in this minute.",
    "X-RateLimit-Limit-For-App": "Requests a minute of the app.",
    "X-RateLimit-Remaining-For-App": "How many of them are left in this minute.",
}
_RETRY_HEADERS = {
    "Retry-After": "Seconds until the next minute.",
    "X-Rate-Limit-Reset": "The unix second at which it begins.",
}
_TOO_MANY = 429
_INTEGER = {"type": "integer", "minimum": 0}
_WIDTH = 100
_PAGINATION = ("total", "count", "per_page", "current_page", "total_pages")


def _object(properties: Json, *optional: str) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


_SCHEMAS: dict[str, Json] = {
    "Meta": _object(
        {
            "pagination": _object(dict.fromkeys(_PAGINATION, _INTEGER)),
            "cursor": _object(
                {"updatedAt": _INTEGER, "affix": {"const": "prepend"}}, "updatedAt", "affix"
            ),
        },
        "cursor",
    ),
    "Error": _object(
        {
            "message": {"type": "string"},
            "devMessage": {"type": "string"},
            "source": {"const": answers.SOURCE},
            "details": {
                "description": "What is wrong with which field.",
                "type": "object",
                "additionalProperties": {"type": "array", "items": {"type": "string"}},
            },
            "code": {"type": "string"},
        },
        "details",
    ),
}


@cache
def document() -> Json:
    """Return the OpenAPI document; whoever asks gets the same one and must not change it."""
    from apispec import APISpec  # noqa: PLC0415  # with its plugin 50 ms that a start must not pay
    from apispec.ext.marshmallow import MarshmallowPlugin  # noqa: PLC0415

    plugin = MarshmallowPlugin()
    info = {"description": _INFO, "license": {"name": "MIT", "identifier": "MIT"}}
    spec = APISpec("mockchat", __version__, "3.1.0", [plugin], info=info, servers=_SERVERS)
    writer = _Writer(spec, plugin)
    for row in (*OPERATIONS, *CONTROL_OPERATIONS, *UNBUILT):
        writer.add(row)
    writer.finish()
    return spec.to_dict()


def text() -> str:
    """Return the document for readers: JSON that has a line for whatever fits on one."""
    return _laid_out(document(), "\n") + "\n"


def _laid_out(value: Any, margin: str) -> str:
    flat = json.dumps(value, ensure_ascii=False)
    if len(margin) + len(flat) <= _WIDTH or not isinstance(value, dict | list):
        return flat
    inner = margin + "  "
    if isinstance(value, list):
        return "[" + ",".join(inner + _laid_out(one, inner) for one in value) + margin + "]"
    members = (f"{json.dumps(key)}: {_laid_out(one, inner)}" for key, one in value.items())
    return "{" + ",".join(inner + member for member in members) + margin + "}"


def _described(converter: Any, field: AnyField, ret: Json) -> Json:
    """Tell apispec of what it does not know: a request's fields, which coerce, and plain data."""
    if "holds" in field.metadata:
        ret.clear()
        found: Json = converter.resolve_nested_schema(field.metadata["holds"])
        return found
    if nested := field.metadata.get("takes_schema"):
        ret.clear()
        return {"anyOf": [converter.resolve_nested_schema(nested), {"type": "null"}]}
    if type(field).__module__ in accepted.MODULES or "takes" in field.metadata:
        ret.clear()
        return accepted.in_body(field)
    return {}


class _Writer:
    """Adds operations to a spec, and the components they share."""

    def __init__(self, spec: "APISpec", plugin: "MarshmallowPlugin") -> None:
        self._spec = spec
        assert plugin.converter is not None  # noqa: S101  # a spec has taken the plugin in
        self._converter = plugin.converter
        self._converter.add_attribute_function(_described)  # type: ignore[no-untyped-call]
        self._ids: set[str] = set()
        self._tags: set[str] = set()
        for name, schema in (_SCHEMAS | shapes.components()).items():
            spec.components.schema(name, schema)
        for name, scheme in _SECURITY_SCHEMES.items():
            spec.components.security_scheme(name, scheme)
        for name, note in (_QUOTA_HEADERS | _RETRY_HEADERS).items():
            header = {"description": note, "required": True, "schema": _INTEGER}
            spec.components.header(name, header)

    def add(self, row: Operation) -> None:
        """Describe one operation."""
        first, _, rest = (inspect.getdoc(row.handler) or "").partition("\n")
        described = {
            "operationId": self._id(row),
            "tags": [self._tag(row)],
            "summary": first,
            "description": _public(rest.strip()),
            "security": _SECURITY[row.access],
            "servers": _ROOT if row.is_control else None,
            "parameters": self._parameters(row),
            "requestBody": _request_body(row) if row.body else None,
            "responses": self._answers(row) | self._refusals(row),
            "x-evidence": row.evidence.value,
        }
        kept = {name: value for name, value in described.items() if value not in ("", None)}
        self._spec.path(row.path, operations={row.method.lower(): kept})

    def finish(self) -> None:
        """Describe the schemas that were used."""
        for key, name in self._converter.refs.items():
            note = inspect.getdoc(key[0]) or ""
            self._spec.components.schemas[name]["description"] = _public(note)

    def _id(self, row: Operation) -> str:
        """Return the operation's own name, or one made of its path where several share it."""
        name = row.id
        if name in self._ids or row in UNBUILT:
            name = "_".join([row.method.lower(), *re.findall(r"\w+", row.path)])
        self._ids.add(name)
        return name

    def _tag(self, row: Operation) -> str:
        module = row.handler.__module__
        tag = "control" if row.is_control else module.rpartition(".")[2]
        if tag not in self._tags:
            self._tags.add(tag)
            note = (sys.modules[module].__doc__ or "").partition("\n")[0]
            self._spec.tag({"name": tag, "description": _public(note)})
        return tag

    # --- what is asked ------------------------------------------------------------------
    def _parameters(self, row: Operation) -> list[Any]:
        found = [
            self._parameter(name, "path", {"schema": accepted.in_path(name)}, required=True)
            for name in re.findall(r"\{(\w+)\}", row.path)
        ]
        for name, field in (row.query().fields if row.query else {}).items():
            definition = {"schema": accepted.in_query(field), **accepted.query_style(field)}
            names = (field.data_key or name, *field.metadata.get("aliases", ()))
            found += [self._parameter(name, "query", definition) for name in names]
        for name in row.headers:
            definition = {"description": _HEADERS[name], "schema": {"type": "string"}}
            required = name in _REQUIRED_HEADERS
            found.append(self._parameter(name, "header", definition, required=required))
        if not row.is_control:
            note = f"The dialect of errors: auto, {' or '.join(answers.DIALECTS)}."
            definition = {"description": note, "schema": {"type": "string"}}
            found.append(self._parameter(_DIALECT, "header", definition))
        return found

    def _parameter(self, name: str, where: str, definition: Json, *, required: bool = False) -> Any:
        """Return a parameter: a component's name, or itself where the name is taken by another."""
        full = {"in": where, "name": name, "required": required, **definition}
        component = f"{where}.{name}"
        parameters = self._spec.components.parameters
        if component not in parameters:
            self._spec.components.parameter(component, where, {**full})
        return component if parameters[component] == full else full

    # --- what is answered ---------------------------------------------------------------
    def _answers(self, row: Operation) -> Json:
        hint = get_type_hints(row.handler)["return"]
        kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
        if kinds == (NoneType,):
            return {}
        headers = {} if row.is_control else {name: name for name in _QUOTA_HEADERS}
        schemas = [self._answer(row, kind) for kind in kinds]
        schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
        content = {"schema": schema} if row.produces == _JSON else {}
        answer = {"description": "Done.", "headers": headers, "content": {row.produces: content}}
        return {"200": {name: value for name, value in answer.items() if value}}

    def _answer(self, row: Operation, kind: Any) -> Json:
        schema = self._schema(row.returns)
        if kind is Page:
            meta = {"$ref": "#/components/schemas/Meta"}
            return _object({"data": {"type": "array", "items": schema}, "meta": meta})
        if getattr(kind, "__origin__", None) is list:
            schema = {"type": "array", "items": schema}
        elif kind is Ack:
            schema = self._schema(AckSchema)
        elif kind == dict[str, int]:  # what a list answers that is only counted
            schema = self._schema(CountSchema)
        elif kind is NoneType:
            schema = {"type": "null"}
        return schema if row.is_control else _object({"data": schema})

    def _schema(self, schema: type[Schema] | None) -> Json:
        if schema is None or schema is AnySchema:
            return {}
        if schema is AcksSchema:
            return {"type": "object", "additionalProperties": self._schema(AcksSchema.each)}
        found: Json = self._converter.resolve_nested_schema(schema)  # type: ignore[no-untyped-call]
        return found

    def _refusals(self, row: Operation) -> Json:
        faces: dict[int, dict[str, ErrorDef]] = {}
        for error in row.may_raise:
            for face in (error.documented, error.live):
                faces.setdefault(face.status, {})[error.name] = error
        return {
            str(status): self._refusal(status, rows.values())
            for status, rows in sorted(faces.items())
        }

    def _refusal(self, status: int, rows: Iterable[ErrorDef]) -> str:
        """Return the name of the response that tells of any of these errors."""
        rows = list(rows)
        name = ".".join([str(status), *(row.name for row in rows)])
        if name in self._spec.components.responses:
            return name
        codes = {
            face.code
            for row in rows
            for face in (row.documented, row.live)
            if face.status == status
        }
        error = {
            "allOf": [{"$ref": "#/components/schemas/Error"}],
            "properties": {"code": {"enum": sorted(codes)}},
        }
        response: Json = {
            "description": "\n".join(_told(row, status) for row in rows),
            "content": {_JSON: {"schema": _object({"error": error})}},
        }
        if status == _TOO_MANY:
            response["headers"] = {name: name for name in _RETRY_HEADERS}
        self._spec.components.response(name, response)
        return name


def _told(row: ErrorDef, status: int) -> str:
    def shown(face: Face) -> str:
        return f"`{face.code}` ({face.evidence.value})"

    faces = {"documented": row.documented, "live": row.live}
    told = {name: shown(face) for name, face in faces.items() if face.status == status}
    if not row.differs:
        return f"* {told['live']}: {row.when}"
    return f"* {', '.join(f'{name} {face}' for name, face in told.items())}: {row.when}"


def _request_body(row: Operation) -> Json:
    assert row.body is not None  # noqa: S101  # who asks has seen to it
    ways: list[Any] = [*getattr(row.body, "WAYS", ())] or [row.body]
    required = any(field.required for field in row.body().fields.values())
    if not required:  # PHP says [] for an object without fields
        ways += [{"type": "null"}, {"type": "array", "maxItems": 0}]
    content = {_JSON: {"schema": {"anyOf": ways} if len(ways) > 1 else ways[0]}}
    note = _CONTROL_BODY_NOTE if row.is_control else _BODY_NOTE
    return {"description": note, "required": required, "content": content}


def _public(note: str) -> str:
    """Return a docstring without the references to the project's own notes."""
    return re.sub(r"\s*\((?:reference|sdk-wire|product)[^)]*\)", "", note)

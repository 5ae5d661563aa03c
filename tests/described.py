"""How schemathesis sends a served mockchat what the OpenAPI document says.

All of schemathesis' checks are on but two. `unsupported_method` wants 405 for a method that a path
has not, where the live service answers 404 (ERR_API_NOT_FOUND): a check of our own on the same
requests stands in for it. `negative_data_rejection` is on for path parameters only: the document
has the type of each field of a body and a query, and the service reads other types as well, as the
live one does (`"7"` as 7, 7 as a text, null as no value). tests/test_openapi.py holds the fields to
the document instead.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis.checks import CheckContext, CheckFunction
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.transport import Response
from schemathesis.generation import GenerationMode
from schemathesis.generation.meta import CoveragePhaseData, CoverageScenario
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import ignored_auth, negative_data_rejection
from schemathesis.specs.openapi.schemas import OpenApiSchema

from mockchat.api.operation import Operation
from mockchat.core import errors
from mockchat.wire.openapi import document

KEY, UID, SNAPSHOT = "REST_API_KEY", "superhero1", "s1"
_FRIENDS = {"accepted": ["nobody"], "friends": ["superhero4"]}
# Fields that only together are enough, by path.
ENOUGH = {
    "/login": {"uid": UID, "authKey": KEY},
    "/notifications/push/v1/tokens": {"fcmToken": "t"},
    "/_mock/webhooks": {"url": "http://127.0.0.1:65535/"},  # no pattern tells too high a port
}
Case = schemathesis.Case[Any]
AnyOperation = APIOperation[Any, Any, Any, Any]

SETTINGS: dict[str, Any] = {
    "seed": 1,
    "checks": {"unsupported_method": {"enabled": False}},
    # Credentials are ours to show, and a parameter that nobody knows is ignored.
    "generation": {"with-security-parameters": False, "allow-extra-parameters": False},
    "phases": {"coverage": {"unexpected-methods": ["patch", "trace"]}},
    "operations": [
        {  # whether two users are friends, no description says
            "include-name": ["DELETE /friends", "DELETE /users/{uid}/friends"],
            "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "4xx"]}},
        },
        {
            "include-tag": "unbuilt",
            "checks": {"not_a_server_error": {"expected-statuses": ["2xx", "4xx", "501"]}},
        },
    ],
}

moments = st.datetimes(datetime(1970, 1, 2), datetime(2190, 1, 1))  # noqa: DTZ001  # in UTC
schemathesis.openapi.format("date-time", moments.map("{:%Y-%m-%dT%H:%M:%SZ}".format))


def api() -> OpenApiSchema:
    config = SchemathesisConfig.from_dict(SETTINGS)
    return schemathesis.openapi.from_dict(document(), config=config)


# --- how cases are sent ---------------------------------------------------------------------
@dataclass
class Visitor:
    """Sends cases; whatever changes something, to an app that nobody else has touched."""

    url: str
    session: requests.Session
    visits: Iterator[int] = field(default_factory=lambda: count(1))
    tokens: dict[str, str] = field(default_factory=dict)  # by the app's URL
    guarded: set[str] = field(default_factory=set)  # operations that were seen to ask who comes

    def send(self, case: Case) -> None:
        number = next(self.visits)
        base_url = f"{self.url}/apps/app{0 if case.method == 'GET' else number}/v3"
        ways = case.operation.definition.raw["security"] or [{}]
        way = next(iter(ways[number % len(ways)]), "")  # one at a time, where there are two
        self._name_what_exists(case, base_url)
        if case.meta and case.meta.generation.mode.is_positive:
            self._make_possible(case, base_url)
        response = case.call_and_validate(
            base_url=base_url,
            session=self.session,
            headers=self._credentials(way, base_url),
            additional_checks=[wrong_methods_are_no_operations],
            excluded_checks=self._settled(case),
        )
        if response.status_code == 200:
            self.guarded.add(case.operation.label)

    def _name_what_exists(self, case: Case, base_url: str) -> None:
        """Put in what a description cannot know: who and what there is."""
        assert case.meta
        case.headers.pop("X-Mock-Errors", None)  # one of three words; others have tests
        if not case.meta.is_negative_at(ParameterLocation.PATH):
            exist = {"uid": UID, "apiKey": "AUTH_KEY", "role": "default", "name": SNAPSHOT}
            exist |= {"operation": "list_users", "file": "index.html"}
            drawn = case.path_parameters or {}
            if "authToken" in drawn:
                exist["authToken"] = self._token(base_url)
            case.path_parameters = drawn | {name: exist[name] for name in exist if name in drawn}

    def _make_possible(self, case: Case, base_url: str) -> None:
        """Put in what belongs together, and what comes to an end."""
        if "wait" in (case.query or {}) or case.path == "/_mock/events":
            case.query = {**(case.query or {}), "wait": 0.01}  # what it waits for never comes
        if "operation" in (case.path_parameters or {}):
            case.body = {}
        if case.path == "/_mock/clock":  # it goes no further than to the year 2286
            self.session.patch(f"{self.url}/_mock/clock", json={"resume": True}, timeout=9)
        if "onBehalfOf" in case.headers or "after_login" in (case.operation.tags or ()):
            case.headers["onBehalfOf"] = "superhero2"
        if "callToken" in case.headers:
            case.headers["callToken"] = self._jwt(base_url)
        if isinstance(case.body, dict):
            if case.body.get("kind") == "error":
                case.body["status"] = 503  # as a code of no catalogue needs one
            self._fill(case.body, case.path, base_url)

    def _fill(self, body: dict[str, Any], path: str, base_url: str) -> None:
        role = body.get("role")
        if role is not None and str(role).strip() and path != "/roles":
            body["role"] = "default"
        body |= ENOUGH.get(path, {})
        if path == "/logout":
            body["authToken"] = self._token(base_url)
        if body.get("apps") is not None:
            body["apps"] = self.session.get(f"{base_url}/_mock/state", timeout=9).json()["apps"]
            body.pop("app", None)
        if path.endswith("/friends"):  # none that is a friend, or one that is
            friend = {"accepted": ["superhero4"]}
            url = f"{base_url}/users/{UID}/friends"
            self.session.post(url, json=friend, headers={"apikey": KEY}, timeout=9)
            body |= {name: uids for name, uids in _FRIENDS.items() if name in body}
        if body.get("users") and path != "/data_import/users":
            body["users"] = 3  # as many as it may be take their time
        if isinstance(fixture := body.get("fixture"), dict):
            known(fixture)
        elif fixture:
            body["fixture"] = "default"

    def _credentials(self, way: str, base_url: str) -> dict[str, str]:
        if way == "authToken":
            return {way: self._token(base_url)}
        return {way: KEY} if way == "apikey" else {}

    def _token(self, base_url: str) -> str:
        if base_url not in self.tokens:
            path = f"{base_url}/users/{UID}/auth_tokens"
            self.tokens[base_url] = self._data(path, {"apikey": KEY})["authToken"]
        return self.tokens[base_url]

    def _jwt(self, base_url: str) -> str:
        headers = {"authToken": self._token(base_url)}
        return str(self._data(f"{base_url}/me/jwt", headers)["token"])

    def _data(self, url: str, headers: dict[str, str]) -> Any:
        return self.session.post(url, headers=headers, timeout=9).json()["data"]

    def _settled(self, case: Case) -> list[CheckFunction]:
        """The checks that say nothing new of this case."""
        settled = []
        if case.operation.label in self.guarded:  # schemathesis' own runner asks only once, too
            settled.append(ignored_auth)
        assert case.meta
        if not case.meta.is_negative_at(ParameterLocation.PATH):
            settled.append(negative_data_rejection)
        return settled


def known(fixture: dict[str, Any]) -> None:
    """Let a fixture name nobody twice and no role or friend that is not there."""
    for section, key in (("users", "uid"), ("roles", "role"), ("apiKeys", "apiKey")):
        for number, row in enumerate(fixture.get(section, ())):
            row[key] = f"n{number}"
            if section == "users":
                row |= {"friends": [], "role": "default"}


def wrong_methods_are_no_operations(_context: CheckContext, response: Response, case: Case) -> None:
    assert case.meta
    scenario = getattr(case.meta.phase.data, "scenario", None)
    probed = scenario is CoverageScenario.UNSPECIFIED_HTTP_METHOD
    if probed and response.request.method != "OPTIONS":
        assert response.status_code == 404
        assert response.json()["error"]["code"] == errors.API_NOT_FOUND.live.code


def edge_of(case: Case) -> object:
    """What a case is at the edge of; schemathesis comes to most of them several times."""
    assert case.meta
    data = case.meta.phase.data
    assert isinstance(data, CoveragePhaseData)
    if data.parameter_location is not ParameterLocation.BODY:
        return (data.scenario, data.parameter_location, data.parameter)
    if data.scenario is CoverageScenario.OBJECT_REQUIRED_AND_OPTIONAL:  # every choice of fields
        return data.scenario
    value: Any = case.body
    if case.meta.generation.mode.is_negative:  # "match -> app: Incorrect type": of any other type
        for name in data.description.partition(":")[0].split(" -> "):
            value = value.get(name) if isinstance(value, dict) else value
    return (data.scenario, data.description, type(value))


def edges_of(api: OpenApiSchema, row: Operation, *, refused: bool) -> Iterator[Case]:
    """A case for each edge of what an operation takes, and if wanted of what it refuses."""
    modes = list(GenerationMode) if refused else [GenerationMode.POSITIVE]
    operation: AnyOperation = api[row.path][row.method]
    config = api.config.generation_for(operation=operation, phase="coverage")
    cases = api.iter_coverage_cases(
        operation=operation, generation_modes=modes, generation_config=config
    )
    known: set[object] = set()
    for case in cases:
        if (edge := edge_of(case)) not in known:
            known.add(edge)
            yield case

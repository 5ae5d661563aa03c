"""schemathesis against a served mockchat: what the OpenAPI document says, the server does."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import islice

import pytest
import requests

from mockchat import Config, MockChat
from mockchat.api import OPERATIONS, UNBUILT
from mockchat.api.operation import Operation
from mockchat.control import CONTROL_OPERATIONS
from mockchat.wire.openapi import document

BUILT = (*OPERATIONS, *CONTROL_OPERATIONS)
# What an operation is under another name needs no second look at every edge.
OWN = tuple({row.id: row for row in reversed(BUILT)}.values())[::-1]
OTHER_NAMES = tuple(row for row in BUILT if row not in OWN)
SOME_UNBUILT = UNBUILT[::8]  # they are all alike

Visit = Callable[..., None]


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    """Sends a case for each edge of an operation."""
    from tests import described  # noqa: PLC0415  # a second to load: one worker of two needs it

    api = described.api()
    ca_dir = str(tmp_path_factory.mktemp("ca"))
    server = MockChat(Config(port=0, https_port=0, ca_dir=ca_dir, login_latency=0.0))
    with server.in_thread() as mock, requests.Session() as session:
        session.trust_env = False
        assert mock.url
        mock.snapshot(described.SNAPSHOT)
        visitor = described.Visitor(mock.url, session)

        def visit(row: Operation, *, refused: bool = False, most: int | None = None) -> None:
            for case in islice(described.edges_of(api, row, refused=refused), most):
                visitor.send(case)

        yield visit


def own_areas() -> dict[str, list[Operation]]:
    """The operations by the areas of the document."""
    areas = defaultdict(list)
    for row in OWN:
        areas[document()["paths"][row.path][row.method.lower()]["tags"][0]].append(row)
    return areas


# --- the tests ------------------------------------------------------------------------------
@pytest.mark.parametrize("area", own_areas())
def test_at_every_edge_an_operation_is_as_described(area: str, visit: Visit) -> None:
    for row in own_areas()[area]:
        visit(row, refused=True)


def test_by_another_name_an_operation_is_as_described(visit: Visit) -> None:
    for row in OTHER_NAMES:
        visit(row)


def test_what_is_not_built_answers_as_described(visit: Visit) -> None:
    for row in SOME_UNBUILT:
        visit(row, most=1)

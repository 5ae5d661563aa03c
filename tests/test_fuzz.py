"""Some thousand pieces of rough input; `make fuzz` sends many more."""

import pytest

from mockchat.wire import connection
from tests.fuzz import fuzz


async def test_rough_input_is_refused_in_the_envelope_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "_IDLE_GLANCE", 0.001)  # its clients close their half
    findings = await fuzz(requests=2000, frames=2000, seed=7)

    assert findings.broken == []
    assert findings.statuses[101] == 100
    assert {200, 400, 401, 403, 404} <= findings.statuses.keys()

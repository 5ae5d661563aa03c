"""The chat SDK, unmodified, in two apps on two processes behind nginx (`examples/scale`)."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.scale import Scale, apps_of_both, scaled, session_for
from tests.sdk.conftest import RUN_LIMIT
from tests.sdk.harness import facts_from

Facts = dict[str, Any]

PACKAGE = "chat-4.2.0"


@pytest.fixture(scope="module")
def scale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scale]:
    with scaled(tmp_path_factory.mktemp("scale")) as scale:
        yield scale


@pytest.fixture
async def apps(scale: Scale) -> dict[str, str]:
    """An app on each process, in capitals as the default app's id is."""
    async with session_for(scale) as web:
        return await apps_of_both(web, scale, "SDK_SCALE")


@pytest.fixture
def runs(scale: Scale, apps: dict[str, str], node_modules: None) -> dict[str, Facts]:
    """What the SDK made of its whole round of steps in either app, both at the same time."""

    def run(app: str) -> Facts:
        facts: Facts = facts_from(
            ["node_runner.mjs", PACKAGE, "steps"],
            {
                **os.environ,
                "MOCKCHAT_APP_ID": app,
                "MOCKCHAT_URL": scale.url,
                "MOCKCHAT_HTTPS_URL": scale.https_url,
                "NODE_EXTRA_CA_CERTS": str(scale.ca_path),
            },
            RUN_LIMIT,
        )
        return facts

    with ThreadPoolExecutor() as pool:
        return dict(zip(apps, pool.map(run, apps.values()), strict=True))


def hosts_in(log: list[Facts]) -> set[str]:
    return {entry["host"] for entry in log}


def test_the_sdk_logs_in_and_stays_live_on_the_process_of_its_app(
    scale: Scale, runs: dict[str, Facts]
) -> None:
    assert set(runs) == {"1", "2"}
    for process, facts in runs.items():
        steps, own = facts["steps"], urlsplit(scale.of_process(process)).netloc

        assert steps["login"]["user"]["uid"] == "cometchat-uid-1"
        assert steps["login"]["connection"] == "connected"
        assert steps["presence"]["online"]["uid"] == "superhero2"
        assert steps["restored_session"]["connection"] == "connected"
        assert not [name for name, told in steps.items() if "unexpected" in told]
        assert hosts_in(facts["sockets"]) == {own}
        assert hosts_in(facts["fetches"]) == {own, urlsplit(scale.https_url).netloc}
        assert facts["unhandled"] == []

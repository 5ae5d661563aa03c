"""`examples/testcontainers/`, the parts that need no engine; `make image-check` runs them whole."""

import importlib
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import HTTPSHandler, ProxyHandler, build_opener

import pytest

from mockchat import Config, MockChat, config

FOLDER = Path(__file__).parent.parent / "examples" / "testcontainers"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(FOLDER / "python")
    return importlib.import_module("mockchat_container")


@pytest.fixture
def container(example: Any, tmp_path: Path) -> Iterator[Any]:
    """The example's container, whose ports are those of a server on this machine."""
    with MockChat(Config(port=0, https_port=0, ca_dir=str(tmp_path))).in_thread() as mock:
        ports = {8080: mock.url, 8443: mock.https_url}

        class Here(example.MockChatContainer):  # type: ignore[misc]
            def __init__(self) -> None: ...  # what it does needs an engine

            def get_container_host_ip(self) -> str:
                return "localhost"

            def get_exposed_port(self, port: int) -> int:
                return int(str(ports[port]).rpartition(":")[2])

            def __del__(self) -> None: ...

        yield Here()


def test_settings_become_the_variables_of_the_container(example: Any) -> None:
    names = dict.fromkeys(config.ROWS, "")

    assert set(example.environment(names)) == {config.variable(name) for name in names}


def test_what_trusts_the_container_trusts_it_and_whom_the_system_trusts(container: Any) -> None:
    trust = container.trust()

    ask = build_opener(ProxyHandler({}), HTTPSHandler(context=trust))
    with ask.open(f"{container.https_url}/_mock/health", timeout=10) as answer:
        assert answer.status == 200
    assert (
        trust.cert_store_stats()["x509_ca"]
        > ssl.create_default_context().cert_store_stats()["x509_ca"]
    )


def test_node_can_read_the_files_of_its_example() -> None:
    if shutil.which("node") is None:
        pytest.skip("no Node here")

    for name in ("mockchat.mjs", "login.test.mjs"):
        subprocess.run(["node", "--check", FOLDER / "node" / name], check=True, timeout=60)

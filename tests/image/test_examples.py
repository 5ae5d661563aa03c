"""The examples as they are run: `make image-check`, which needs a container engine."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.image.engine import IMAGE, PATIENCE, ROOT, Engine

EXAMPLES = ROOT / "examples"
NAME = f"localhost/{IMAGE}"  # as Podman calls what was built here


class Compose:
    """Docker's compose, or the one of Podman that pip installed."""

    def __init__(self, engine: Engine) -> None:
        own = [str(Path(sys.executable).parent / "podman-compose")]
        self._command = own if engine.is_podman else ["docker", "compose"]
        self._environment = engine.environment | {
            "MOCKCHAT_IMAGE": NAME if engine.is_podman else IMAGE
        }

    def call(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*self._command, *arguments],
            cwd=EXAMPLES / "compose",
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )


@pytest.fixture
def compose(engine: Engine) -> Iterator[Compose]:
    compose = Compose(engine)
    yield compose
    compose.call("down", "--volumes")


def test_the_compose_app_logs_in_by_the_live_names(compose: Compose) -> None:
    up = compose.call("up", "--detach", "mockchat")
    assert up.returncode == 0, up.stderr
    patience = time.monotonic() + PATIENCE  # Podman's compose does not wait for health itself
    while compose.call("exec", "-T", "mockchat", "mockchat", "health").returncode:
        assert time.monotonic() < patience

    app = compose.call("run", "--rm", "--no-deps", "-T", "app")

    assert app.returncode == 0, app.stderr
    assert app.stdout.splitlines()[:2] == [
        "Andrew Joseph is logged in to testapp",
        "It goes on with testapp.websocket-us.cometchat.io",
    ]


def test_the_kubernetes_pod_serves(engine: Engine, tmp_path: Path) -> None:
    if not engine.is_podman:
        pytest.skip("only Podman plays manifests")
    text = (EXAMPLES / "kubernetes" / "mockchat.yaml").read_text(encoding="utf-8")
    deployment, _ = yaml.safe_load_all(text.replace("mockchat:0.1.0", NAME))
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    container["env"] = container["env"][2:]  # Podman knows no namespace to name
    manifest = tmp_path / "pod.yaml"
    manifest.write_text(yaml.safe_dump(deployment))

    try:
        engine.call("kube", "play", str(manifest))
        listed = engine.call("ps", "--format", "{{.Names}}").stdout.split()
        (name,) = [name for name in listed if name.endswith("-mockchat")]
        patience = time.monotonic() + PATIENCE
        while engine.call("exec", name, "mockchat", "health", check=False).returncode:
            assert time.monotonic() < patience
        written = engine.call("exec", name, "touch", "/x", check=False)
        user = engine.call("exec", name, "id", "-u").stdout
    finally:
        engine.call("kube", "down", str(manifest))

    assert "Read-only file system" in written.stderr
    assert user == "10001\n"


@pytest.fixture
def docker(engine: Engine, tmp_path: Path) -> Iterator[dict[str, str]]:
    """What testcontainers finds the engine and the image by."""
    with engine.socket(tmp_path) as environment:
        yield environment | {"MOCKCHAT_IMAGE": NAME if engine.is_podman else IMAGE}


def test_the_python_suite_with_testcontainers_passes(docker: dict[str, str]) -> None:
    folder = EXAMPLES / "testcontainers" / "python"
    options = ["-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir"]

    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(folder), str(folder)],
        env=docker,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )

    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_the_node_suite_with_testcontainers_passes(docker: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "node"
    shutil.copytree(EXAMPLES / "testcontainers" / "node", folder)
    subprocess.run(["npm", "install", "--silent"], cwd=folder, check=True, timeout=300)

    done = subprocess.run(
        ["node", "--test"],
        env=docker,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )

    assert done.returncode == 0, done.stdout + done.stderr

"""The image as it is built and started: `make image-check`, which needs a container engine."""

import json
import re
import time
from pathlib import Path

import pytest

from mockchat import __version__
from tests.image.engine import IMAGE, ROOT, STRICT, Engine


# --- what is in it --------------------------------------------------------------------------
def test_it_says_what_it_is(engine: Engine) -> None:
    labels = engine.inspect(IMAGE)["Config"]["Labels"]

    told = {name.removeprefix("org.opencontainers.image."): text for name, text in labels.items()}
    assert (told["title"], told["licenses"]) == ("mockchat", "MIT")
    assert (told["version"], told["revision"]) == (__version__, "abc")


def test_its_settings_are_those_of_a_service_container(engine: Engine) -> None:
    image = engine.inspect(IMAGE)
    config = {"Healthcheck": image.get("Healthcheck"), **image["Config"]}  # where Podman has it

    assert config["User"] == "10001:10001"
    assert set(config["ExposedPorts"]) == {"8080/tcp", "8443/tcp"}
    assert set(config["Volumes"]) == {"/data"}
    assert config["Healthcheck"]["Test"] == ["CMD", "mockchat", "health"]


def test_it_has_no_compiler_no_cache_and_no_sources_of_the_build(engine: Engine) -> None:
    script = "command -v cc gcc; ls -A /src /opt/build ~root/.cache /wheels 2>/dev/null; true"

    left = engine.call("run", "--rm", "--user", "0", "--entrypoint", "sh", IMAGE, "-c", script)

    assert left.stdout == ""


def test_every_module_it_starts_with_is_compiled(engine: Engine) -> None:
    script = (
        "import mockchat.serve, pathlib, sys\n"
        "files = [m.__cached__ for m in list(sys.modules.values())"
        " if '/opt/mockchat/' in (getattr(m, '__file__', None) or '')"
        " and m.__file__.endswith('.py')]\n"
        "print(len(files), [name for name in files if not pathlib.Path(name).exists()])"
    )

    told = engine.call("run", "--rm", "--entrypoint", "python", IMAGE, "-W", "ignore", "-c", script)

    assert re.fullmatch(r"\d{3} \[\]", told.stdout.strip())


def test_a_build_whose_version_is_not_the_package_s_fails(engine: Engine) -> None:
    options = ("--network", "host", "--isolation", "chroot") if engine.is_podman else ()

    done = engine.call("build", *options, "--build-arg", "VERSION=9.9", str(ROOT), check=False)

    assert done.returncode != 0


# --- how it runs ----------------------------------------------------------------------------
def test_it_starts_without_a_privilege_and_with_nothing_to_write_to_but_the_volume(
    engine: Engine,
) -> None:
    with engine.run(*STRICT) as container:
        seconds = container.wait_until_it_answers()
        health = json.loads(container.get("/_mock/health"))

    print(f"{seconds:.2f} s from `run` to the first answer")
    assert health["version"] == __version__


def test_its_health_check_passes(engine: Engine) -> None:
    with engine.run(*STRICT) as container:
        container.wait_until_it_answers()

        assert '"status":"ok"' in container.execute("mockchat", "health")


@pytest.mark.parametrize("number", ["TERM", "INT"])
def test_a_signal_ends_it_within_a_second_and_with_status_0(engine: Engine, number: str) -> None:
    with engine.run(*STRICT) as container:
        container.wait_until_it_answers()
        begun = time.monotonic()

        engine.call("kill", "--signal", number, container.name)
        status = container.end()

        assert status == 0
        assert time.monotonic() - begun < 1.5  # two calls of the engine among it


def test_any_user_may_run_it(engine: Engine) -> None:
    with engine.run(*STRICT, "--user", "4711:0") as container:
        container.wait_until_it_answers()

        assert container.execute("id", "-u") == "4711\n"


def test_settings_come_by_environment(engine: Engine) -> None:
    settings = ("--env", "MOCKCHAT_APP_ID=mine", "--env", "MOCKCHAT_LOG_FORMAT=json")

    with engine.run(*STRICT, *settings) as container:
        container.wait_until_it_answers()

        assert json.loads(container.get("/_mock/health"))["app"] == "mine"


def test_it_may_listen_on_the_live_port(engine: Engine) -> None:
    options = ("--env", "MOCKCHAT_HTTPS_PORT=443")
    allowed = ("--sysctl", "net.ipv4.ip_unprivileged_port_start=0")

    with engine.run(*STRICT, *options, *allowed) as container:
        container.wait_until_it_answers()

        assert "https://127.0.0.1\n" in container.log()


# --- the volume -----------------------------------------------------------------------------
def test_the_ca_is_in_the_volume_and_may_be_fetched(engine: Engine) -> None:
    with engine.run(*STRICT) as container:
        container.wait_until_it_answers()

        assert container.get("/_mock/ca.pem").decode() == container.execute("cat", "/data/ca.pem")


def test_the_ca_outlives_the_container(engine: Engine, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    volume = ("--volume", f"{tmp_path}:/data")
    certificates = []

    for _ in "ab":
        with engine.run(*STRICT, *volume) as container:
            container.wait_until_it_answers()
            certificates.append(container.get("/_mock/ca.pem"))

    assert certificates[0] == certificates[1]


def test_with_a_state_file_what_tests_changed_outlives_the_container(
    engine: Engine, tmp_path: Path
) -> None:
    tmp_path.chmod(0o777)
    options = ("--volume", f"{tmp_path}:/data", "--env", "MOCKCHAT_STATE=/data/state.db")
    with engine.run(*STRICT, *options) as container:
        container.wait_until_it_answers()
        answer = container.post("/v3/users", b'{"uid": "kept", "name": "Kept"}')
        engine.call("kill", "--signal", "TERM", container.name)
        assert container.end() == 0

    with engine.run(*STRICT, *options) as container:
        container.wait_until_it_answers()

        assert json.loads(container.get("/v3/users/kept"))["data"] == json.loads(answer)["data"]


@pytest.mark.parametrize("reason", ["Permission denied", "Read-only file system"])
def test_a_volume_it_cannot_write_to_ends_it_with_a_sentence_that_says_what_to_do(
    engine: Engine, tmp_path: Path, reason: str
) -> None:
    tmp_path.chmod(0o755 if reason == "Permission denied" else 0o777)
    mode = "rw" if reason == "Permission denied" else "ro"

    with engine.run(*STRICT, "--volume", f"{tmp_path}:/data:{mode}") as container:
        status = container.end()

        assert status == 1
        assert f"/data: cannot keep the CA here: {reason}; let user 10001" in container.log()


# --- its size -------------------------------------------------------------------------------
def test_it_adds_little_to_its_base(engine: Engine) -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    pinned = re.search(r"^ARG PYTHON_VERSION=(\S+)$", dockerfile, re.MULTILINE)
    assert pinned

    sizes = [engine.inspect(name)["Size"] for name in (IMAGE, f"python:{pinned[1]}")]

    print(f"{(sizes[0] - sizes[1]) / 1e6:.0f} MB over the base image")
    assert 0 < sizes[0] - sizes[1] < 80_000_000

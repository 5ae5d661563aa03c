"""The recipes of `examples/`: valid by their own tools' schemas, and true to this mockchat."""

import json
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml
from check_jsonschema import main as check_jsonschema  # type: ignore[import-untyped]
from click.testing import CliRunner

from mockchat import __version__, config
from mockchat.wire.hosts import SERVICES
from tests.processes import run

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
PAGE = (ROOT / "docs" / "container.md").read_text(encoding="utf-8")
SCHEMAS = {
    "ci/github-actions.yml": ["vendor.github-workflows"],
    "ci/github-actions-pip.yml": ["vendor.github-workflows"],
    "ci/gitlab-ci.yml": ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"],
    "ci/circleci.yml": ["vendor.circle-ci"],
    "compose/compose.yaml": ["vendor.compose-spec"],
    "scale/compose.yaml": ["vendor.compose-spec"],
}
MANIFESTS = sorted((EXAMPLES / "kubernetes").glob("*.yaml"))
NAMES = [f"testapp.{service}-us.cometchat.io" for service in SERVICES]
# What the recipes themselves or `mockchat health` read, beside the settings.
OWN_VARIABLES = {"MOCKCHAT_IMAGE", "MOCKCHAT_URL", "MOCKCHAT_ADDRESS"}
OWN_VARIABLES |= {"MOCKCHAT_HTTPS_URL", "MOCKCHAT_CA"}  # which `mockchat exec` sets
PROJECTS = ("backend", "node-app", "js-kit")  # which have tests of their own


def load(name: str) -> Any:
    return yaml.safe_load((EXAMPLES / name).read_text(encoding="utf-8"))


def resources() -> list[Any]:
    texts = [manifest.read_text(encoding="utf-8") for manifest in MANIFESTS]
    return [resource for text in texts for resource in yaml.safe_load_all(text)]


def walk(value: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from walk(part)


def text_files() -> list[Path]:
    made = {"__pycache__", "node_modules"}
    files = [file for file in EXAMPLES.rglob("*") if file.is_file()]
    return [file for file in files if not made & set(file.parts)]


# --- schemas --------------------------------------------------------------------------------
def assert_valid(schema: str, *words: str | Path) -> None:
    """Files must be valid by a schema that check-jsonschema has; options may stand before them."""
    done = CliRunner().invoke(check_jsonschema, ["--builtin-schema", schema, *map(str, words)])
    assert done.exit_code == 0, done.output


def test_a_recipe_is_valid_by_its_tool_s_schema() -> None:
    by_schema: dict[tuple[str, ...], list[Path]] = defaultdict(list)
    for name, schema in SCHEMAS.items():
        by_schema[tuple(schema)].append(EXAMPLES / name)
    for words, files in by_schema.items():
        assert_valid(*words, *files)

    for resource in resources():
        kubernetes_validate.validate(resource, kubernetes_validate.latest_version(), strict=True)


# --- what they have in common ---------------------------------------------------------------
def test_whatever_setting_and_version_they_name_is_this_one_s() -> None:
    settings = {config.variable(name) for name in config.ROWS} | OWN_VARIABLES
    versions: set[str] = set()
    for file in text_files():
        text = file.read_text(encoding="utf-8")
        assert set(re.findall(r"\bMOCKCHAT_[A-Z_]+[A-Z]\b", text)) <= settings, file
        versions |= set(re.findall(r"mockchat:(\d+\.[\w.]+)", text))

    assert versions == {__version__}


def scripts() -> Iterator[tuple[str, str]]:
    """Every piece of shell in the recipes."""
    for name in SCHEMAS:
        for part in walk(load(name)):
            if isinstance(part, dict):
                for key in ("run", "command", "script", "before_script"):
                    found = part.get(key)
                    lines: list[Any] = found if isinstance(found, list) else [found]
                    if all(isinstance(line, str) for line in lines):
                        yield f"{name}: {key}", "\n".join(lines)
    for step in yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["runs"]["steps"]:
        yield f"action.yml: {step['name']}", step["run"]
    for path in ("ci/trust-ca", "ci/compose.sh", "clients/with-curl.sh"):
        yield path, (EXAMPLES / path).read_text(encoding="utf-8")


def test_a_script_is_one_that_the_shell_can_read() -> None:
    for name, script in scripts():
        done = run("sh", "-n", input=script)
        assert (done.stderr, done.returncode) == ("", 0), name


# --- the live names -------------------------------------------------------------------------
def test_the_live_names_lead_to_the_live_port() -> None:
    composed = load("compose/compose.yaml")["services"]["mockchat"]
    assert composed["networks"]["default"]["aliases"] == NAMES
    assert composed["environment"]["MOCKCHAT_HTTPS_PORT"] == "443"

    (service,) = load("ci/gitlab-ci.yml")[".mockchat"]["services"]
    assert service["alias"].split(", ") == ["mockchat", *NAMES]
    assert service["variables"]["MOCKCHAT_HTTPS_PORT"] == "443"

    github = load("ci/github-actions.yml")["jobs"]["test"]
    (script,) = [step["run"] for step in github["steps"] if "/etc/hosts" in step.get("run", "")]
    assert "127.0.0.1:443:8443" in github["services"]["mockchat"]["ports"]
    assert f"for service in {' '.join(SERVICES)}; do" in script

    (job,) = [resource for resource in resources() if resource["kind"] == "Job"]
    aliases = [{"ip": "127.0.0.1", "hostnames": NAMES}]
    assert job["spec"]["template"]["spec"]["hostAliases"] == aliases


def exported(file: str) -> Any:
    """What a configuration file of a browser tool exports, read by Node."""
    if shutil.which("node") is None:
        pytest.skip("no Node here")
    code = "console.log(JSON.stringify((await import(process.argv[1])).default))"
    done = run("node", "--input-type=module", "--eval", code, EXAMPLES / "browsers" / file)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_cypress_is_told_where_the_live_names_are() -> None:
    assert exported("cypress.config.mjs")["e2e"]["hosts"] == dict.fromkeys(NAMES, "127.0.0.1")


# --- how strictly it runs -------------------------------------------------------------------
def containers() -> dict[str, Any]:
    found = {}
    for resource in resources():
        if resource["kind"] != "Service":
            pod = resource["spec"]["template"]["spec"]
            for container in [*pod.get("initContainers", []), *pod["containers"]]:
                found[f"{resource['kind']} {container['name']}"] = (pod, container)
    return found


def test_a_container_of_a_manifest_has_no_privilege() -> None:
    for name, (pod, container) in containers().items():
        security = container["securityContext"]
        read_only = True if "mockchat" in name else None

        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert security["allowPrivilegeEscalation"] is False, name
        assert security["capabilities"] == {"drop": ["ALL"]}, name
        assert security.get("readOnlyRootFilesystem") is read_only, name


def test_the_deployment_is_asked_whether_it_is_ready_and_alive() -> None:
    _, container = containers()["Deployment mockchat"]
    ports = [port["name"] for port in container["ports"]]

    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked = container[probe]["httpGet"]
        assert asked["path"] == "/_mock/health"
        assert asked["port"] in ports


# --- the page that explains them ------------------------------------------------------------
def test_the_docs_name_every_example_and_none_that_is_not_there() -> None:
    pages = (ROOT / "docs").glob("*.md")
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    found = re.findall(r"\]\(\.\./examples/([^)]+)\)", text)
    linked = [name for name in found if name.partition("/")[0] not in PROJECTS]

    files = [file.relative_to(EXAMPLES) for file in text_files()]
    assert set(linked) == {str(file) for file in files if file.parts[0] not in PROJECTS}


def test_the_page_names_settings_and_targets_that_there_are() -> None:
    settings = {config.variable(name) for name in config.ROWS} | OWN_VARIABLES
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert set(re.findall(r"\bMOCKCHAT_[A-Z_]+[A-Z]\b", PAGE)) <= settings
    for target in re.findall(r"`make ([a-z-]+)`", PAGE):
        assert f"\n{target}:" in makefile

"""The laws of the recipes in `docs/sdks`; `tests/sdk` runs their code."""

import json
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import tree_sitter_cpp
import tree_sitter_dart
import tree_sitter_java
import tree_sitter_kotlin
import tree_sitter_swift
from tree_sitter import Language, Parser

from tests.pages import BACKENDS, MODULES, RECIPES, WEB_APPS, Block, Page

ROOT = RECIPES.parent.parent
INDEX = Page(RECIPES / "README.md")
PAGES = sorted(
    (Page(path) for path in RECIPES.glob("*.md") if path != INDEX.path), key=lambda page: page.path
)
FILES = [(page, block) for page in PAGES for block in page.blocks if block.file]
SECTIONS = ["Where to point it", "TLS", "Log in", "Tried here"]
NOT_TRIED = "**Not tried**"

LANGUAGES = {
    suffix: language
    for language, suffixes in {
        "js": ".js .mjs",
        "jsx": ".jsx",
        "ts": ".ts",
        "vue": ".vue",
        "html": ".html",
        "python": ".py",
        "php": ".php",
        "ruby": ".rb",
        "go": ".go",
        "csharp": ".cs",
        "kotlin": ".kt",
        "java": ".java",
        "swift": ".swift",
        "dart": ".dart",
        "cpp": ".cpp .h",
        "sh": ".sh",
        "xml": ".xml",
    }.items()
    for suffix in suffixes.split()
}
GRAMMARS: dict[str, Callable[[], object]] = {
    "kotlin": tree_sitter_kotlin.language,
    "java": tree_sitter_java.language,
    "swift": tree_sitter_swift.language,
    "dart": tree_sitter_dart.language,
    "cpp": tree_sitter_cpp.language,
}
UNREAL_MACRO = re.compile(r"^\s*(?:UCLASS|UFUNCTION|GENERATED_BODY)\(\)$", re.MULTILINE)
# Flags of curl, Chromium and `mockchat hosts`, and the proxy's, which is being built.
OTHER_FLAGS = {
    *("--cacert", "--host-resolver-rules", "--proxy-server"),
    *("--app-id", "--format", "--proxy-port"),
}
LOCAL_PORTS = {"8080", "8443", "8888", "3000"}  # HTTP, HTTPS, the proxy, the reader's back end

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path.stem)
each_text = pytest.mark.parametrize("page", [INDEX, *PAGES], ids=lambda page: page.path.stem)


def files_in(*languages: str) -> pytest.MarkDecorator:
    found = [block for _, block in FILES if block.language in languages]
    assert found
    return pytest.mark.parametrize("block", found, ids=lambda block: block.file)


# --- what a page has ------------------------------------------------------------------------
@each_page
def test_a_page_has_the_sections_in_their_order(page: Page) -> None:
    assert [title for title in page.sections if title in SECTIONS] == SECTIONS


@each_page
def test_a_page_says_whether_the_suite_runs_it(page: Page) -> None:
    runs = page.path.stem in (*BACKENDS, *WEB_APPS, *MODULES)

    told = page.sections["Tried here"].strip()

    assert told.startswith(NOT_TRIED) != runs
    assert not runs or "the suite" in told


def test_what_the_suite_runs_has_a_page() -> None:
    stems = {page.path.stem for page in PAGES}

    assert {*BACKENDS, *WEB_APPS, *MODULES} <= stems


@each_page
def test_the_index_has_a_row_for_the_page(page: Page) -> None:
    (row,) = [line for line in INDEX.text.splitlines() if f"]({page.path.name})" in line[:60]]

    tried = row.split("|")[4].strip()

    assert tried.startswith("no") == page.sections["Tried here"].strip().startswith(NOT_TRIED)


@each_page
def test_a_page_logs_in_a_user_that_mockchat_has(page: Page) -> None:
    user = "alice" if page.path.stem in BACKENDS else "cometchat-uid-1"

    assert user in page.text or page.path.stem == "calls-v4"  # which has no log-in


# --- code -----------------------------------------------------------------------------------
@each_text
def test_every_fence_is_closed(page: Page) -> None:
    fences = [line for line in page.text.splitlines() if line.startswith("```")]

    assert len(fences) == 2 * len(page.blocks)


@each_page
def test_every_block_is_a_named_file_or_a_console(page: Page) -> None:
    assert [block for block in page.blocks if not block.file and block.language != "console"] == []


@each_page
def test_no_two_files_of_a_page_have_one_name(page: Page) -> None:
    named = [block.file for block in page.blocks if block.file]

    assert len(named) == len(set(named))


def test_every_file_is_in_the_language_of_its_name() -> None:
    odd = {block.file for _, block in FILES if LANGUAGES[Path(block.file).suffix] != block.language}

    assert odd == set()


@files_in(*GRAMMARS)
def test_code_that_cannot_run_here_parses(block: Block) -> None:
    code = UNREAL_MACRO.sub("", block.code)  # they are for Unreal's own tool, before C++

    tree = Parser(Language(GRAMMARS[block.language]())).parse(code.encode())

    assert not tree.root_node.has_error


@files_in("xml")
def test_xml_is_well_formed(block: Block) -> None:
    ET.fromstring(block.code)


def test_files_of_one_name_are_one_text_but_for_the_package() -> None:
    texts = defaultdict(set)
    for page, block in FILES:
        if page.path.stem in ("javascript", "react", "vue", "ionic") and "chat.js" in block.file:
            texts[block.file].add(re.sub(r"@cometchat/[\w-]+", "PACKAGE", block.code))

    assert {name: len(found) for name, found in texts.items()} == {"src/chat.js": 1}


# --- what the text names --------------------------------------------------------------------
@each_text
def test_every_address_is_one_that_the_suite_knows(page: Page) -> None:
    ports = re.findall(r"(?:localhost|127\.0\.0\.1|10\.0\.2\.2):(\d+)", page.text)

    assert set(ports) <= LOCAL_PORTS


@each_page
def test_the_hosts_of_the_chat_sdks_have_no_scheme_and_a_version(page: Page) -> None:
    code = "".join(block.code for block in page.blocks)
    hosts = re.findall(r"""["'](\S*:8443\S*)["']""", code)

    assert [host for host in hosts if not re.fullmatch(r"[\w.]+:8443/v3\.0", host)] == []


@each_text
def test_every_link_leads_somewhere(page: Page) -> None:
    broken = []
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page.text):
        name, _, anchor = target.partition("#")
        path = (page.path.parent / name).resolve() if name else page.path
        if not path.is_file() or (anchor and anchor not in anchors(path)):
            broken.append(target)

    assert broken == []


def anchors(path: Path) -> set[str]:
    """The headings of a page, as links name them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@each_text
def test_every_flag_of_mockchat_that_a_page_names_is_one(page: Page) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    spans = re.findall(r"`((?:--|mockchat )[^`]+)`", page.text)
    named = {flag for span in spans for flag in re.findall(r"(?<!\w)--[a-z][a-z-]+", span)}

    assert {flag for flag in named - OTHER_FLAGS if f"`{flag}`" not in readme} == set()


def test_the_readme_links_the_recipes() -> None:
    assert "(docs/sdks/README.md)" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_json_in_a_page_parses() -> None:
    bodies = re.findall(r"-d '(\{.*?\})'", "".join(page.text for page in PAGES))

    assert [type(json.loads(body)) for body in bodies] == [dict] * len(bodies)
    assert bodies

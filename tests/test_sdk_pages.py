"""The laws of the recipes in `docs/sdks`; `tests/sdk` runs their code."""

import json
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import tree_sitter_cpp
import tree_sitter_dart
import tree_sitter_java
import tree_sitter_kotlin
import tree_sitter_swift
from tree_sitter import Language, Parser

from tests.pages import BACKENDS, MODULES, RECIPES, WEB_APPS, Page

README = (RECIPES.parent.parent / "README.md").read_text(encoding="utf-8")
SETTINGS = (RECIPES.parent / "settings.md").read_text(encoding="utf-8")
INDEX = Page(RECIPES / "README.md")
PAGES = sorted(
    (Page(path) for path in RECIPES.glob("*.md") if path != INDEX.path), key=lambda page: page.path
)
FILES = [(page, block) for page in PAGES for block in page.blocks if block.file]
SECTIONS = ["Where to point it", "TLS", "Log in", "Tried here"]
RUN = {*BACKENDS, *WEB_APPS, *MODULES}
NOT_TRIED = "**Not tried**"

_SUFFIXES = (
    ".js=js .mjs=js .jsx=jsx .ts=ts .vue=vue .html=html .py=python .php=php .rb=ruby .go=go "
    ".cs=csharp .kt=kotlin .java=java .swift=swift .dart=dart .cpp=cpp .h=cpp .sh=sh .xml=xml"
)
LANGUAGES = dict(re.findall(r"(\S+)=(\S+)", _SUFFIXES))
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
LOCAL_PORTS = {
    "443",
    "8080",
    "8443",
    "8888",
    "3000",
}  # HTTP, HTTPS, the proxy, the reader's back end


# --- what a page has ------------------------------------------------------------------------
def test_a_page_has_its_sections_a_row_in_the_index_and_says_whether_the_suite_runs_it() -> None:
    rows = INDEX.text.splitlines()
    for page in PAGES:
        name = page.path.stem
        told = page.sections["Tried here"].strip()
        runs = name in RUN
        user = "alice" if name in BACKENDS else "cometchat-uid-1"
        (row,) = [line for line in rows if f"]({page.path.name})" in line[:60]]

        assert [title for title in page.sections if title in SECTIONS] == SECTIONS, name
        assert told.startswith(NOT_TRIED) != runs, name
        assert not runs or "the suite" in told, name
        assert row.split("|")[4].strip().startswith("no") != runs, name
        assert user in page.text or name == "calls-v4", name  # which has no log-in

    assert {page.path.stem for page in PAGES} >= RUN
    assert "(docs/sdks/README.md)" in README


# --- code -----------------------------------------------------------------------------------
def test_every_block_is_closed_and_a_named_file_in_the_language_of_its_name_or_a_console() -> None:
    for page in (INDEX, *PAGES):
        fences = [line for line in page.text.splitlines() if line.startswith("```")]
        assert len(fences) == 2 * len(page.blocks), page

    for page in PAGES:
        named = [block.file for block in page.blocks if block.file]
        assert len(named) == len(set(named)), page
        for block in page.blocks:
            language = LANGUAGES[Path(block.file).suffix] if block.file else "console"
            assert block.language == language, f"{page}: {block.file}"


def test_code_that_cannot_run_here_parses() -> None:
    for page, block in FILES:
        if block.language == "xml":
            ET.fromstring(block.code)
        elif block.language in GRAMMARS:
            code = UNREAL_MACRO.sub("", block.code)  # they are for Unreal's own tool, before C++
            tree = Parser(Language(GRAMMARS[block.language]())).parse(code.encode())
            assert not tree.root_node.has_error, f"{page}: {block.file}"

    assert {"xml", *GRAMMARS} <= {block.language for _, block in FILES}
    bodies = re.findall(r"-d '(\{.*?\})'", "".join(page.text for page in PAGES))
    assert {type(json.loads(body)) for body in bodies} == {dict}


def test_files_of_one_name_are_one_text_but_for_the_package() -> None:
    texts = defaultdict(set)
    for page, block in FILES:
        if page.path.stem in ("javascript", "react", "vue", "ionic") and "chat.js" in block.file:
            texts[block.file].add(re.sub(r"@cometchat/[\w-]+", "PACKAGE", block.code))

    assert {name: len(found) for name, found in texts.items()} == {"src/chat.js": 1}


# --- what the text names --------------------------------------------------------------------
def test_every_address_is_one_that_the_suite_knows() -> None:
    for page in (INDEX, *PAGES):
        ports = re.findall(r"(?:localhost|127\.0\.0\.1|10\.0\.2\.2):(\d+)\b(?!:)", page.text)
        assert set(ports) <= LOCAL_PORTS, page

    for page, block in FILES:  # the hosts of the Chat SDKs have no scheme and a version
        for host in re.findall(r"""["'](\S*:8443\S*)["']""", block.code):
            assert re.fullmatch(r"[\w.]+:8443/v3\.0", host), f"{page}: {host}"


def test_every_link_and_flag_of_mockchat_on_a_page_is_one() -> None:
    for page in (INDEX, *PAGES):
        for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page.text):
            name, _, anchor = target.partition("#")
            path = (page.path.parent / name).resolve() if name else page.path
            assert path.is_file(), f"{page}: {target}"
            assert not anchor or anchor in anchors(path), f"{page}: {target}"

        spans = re.findall(r"`((?:--|mockchat )[^`]+)`", page.text)
        named = {flag for span in spans for flag in re.findall(r"(?<!\w)--[a-z][a-z-]+", span)}
        assert {flag for flag in named - OTHER_FLAGS if f"`{flag}`" not in SETTINGS} == set(), page


def anchors(path: Path) -> set[str]:
    """The headings of a page, as links name them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}

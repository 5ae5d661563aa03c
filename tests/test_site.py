"""The documentation site: MkDocs builds it without a warning, and its links lead somewhere."""

import ast
import os
import re
import sys
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.processes import run

ROOT = Path(__file__).parent.parent
LOADING = ("script", "img", "link", "iframe")


class Html(HTMLParser):
    """The links and the anchors of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.links.append(value)
                self.loaded += [value] if tag in LOADING else []
            elif name == "id" and value:
                self.anchors.add(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    words = ("-m", "mkdocs", "build", "--strict", "--site-dir", folder)
    done = run(sys.executable, *words, cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"})
    assert done.returncode == 0, done.stderr
    return folder


def broken(site: Path, pages: dict[Path, Html]) -> Iterator[str]:
    """The links of the pages to a file or an anchor that is not there."""
    for page, html in pages.items():
        for link in html.links:
            url = urlsplit(link)
            if url.scheme or url.netloc or page.name == "404.html":
                continue
            path = (page.parent / unquote(url.path)).resolve() if url.path else page
            target = path / "index.html" if path.is_dir() else path
            if not target.is_file():
                yield f"{page.relative_to(site)}: {link}"
            elif target in pages and url.fragment not in {"", *pages[target].anchors}:
                yield f"{page.relative_to(site)}: {link} names no anchor"


def test_every_link_leads_somewhere_and_no_page_loads_from_another_host(site: Path) -> None:
    pages = {path: Html(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}

    assert len(pages) > 30
    assert list(broken(site, pages)) == []
    assert {url for html in pages.values() for url in html.loaded if urlsplit(url).netloc} == set()


# --- plain English --------------------------------------------------------------------------
WORDS = 25  # of a sentence; a code span is a word, and so is a link
PAGES = ("README.md", "CONTRIBUTING.md", "docs/**/*.md", "examples/**/README.md")
RIDDLE = re.compile(r"\W*(Who|Whoever|Whom|What|Whatever)\b(?!.*(\?|:\*\*))")


def sentences(text: str) -> Iterator[str]:
    """The sentences of a page, without its code and headings; each cell of a table has its own."""
    text = re.sub(r"^```.*?^```$|<!--.*?-->", "\n\n", text, flags=re.DOTALL | re.MULTILINE)
    for part in re.split(r"\n\s*\n|\n(?=\s*[*|#-] |\s*\d+\.|\|)|(?<!\\)\||<br>", text):
        if not part.startswith("#"):
            plain = re.sub(r"`+[^`]*`+", "CODE", " ".join(part.split()))
            plain = re.sub(r"!?\[[^\]]*\]\([^)]*\)|<[^>]*>", "LINK", plain)
            yield from re.split(r"(?<=[.!?])\s+(?=[A-Z0-9*(]|mockchat)", plain)


def told_in(source: str) -> Iterator[str]:
    """The docstrings of a module and its comments, those behind code aside."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""
    for lines in re.findall(r"(?:^[ \t]*# .*\n)+", source, re.MULTILINE):
        yield re.sub(r"^[ \t]*# ", "", lines, flags=re.MULTILINE)


def hard_to_read(texts: Iterable[str]) -> Iterator[str]:
    """The sentences that are too long, or whose subject is a riddle."""
    for sentence in (one for text in texts for one in sentences(text)):
        if len(re.findall(r"[\w'-]+", sentence)) > WORDS or RIDDLE.match(sentence):
            yield sentence


def test_a_sentence_is_short_and_begins_with_no_riddle() -> None:
    pages = {page for pattern in PAGES for page in ROOT.glob(pattern)}
    told = {
        page: [page.read_text(encoding="utf-8")]
        for page in pages
        if "node_modules" not in page.parts
    }
    told |= {
        page: [*told_in(page.read_text(encoding="utf-8"))]
        for page in (ROOT / "mockchat").rglob("*.py")
    }

    found = {str(page.relative_to(ROOT)): [*hard_to_read(texts)] for page, texts in told.items()}

    assert {page: some for page, some in found.items() if some} == {}

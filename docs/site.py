"""Hooks of MkDocs: examples and root pages are part of the site, and links lead to them there."""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
PAGES = ("CHANGELOG.md", "CONTRIBUTING.md")
_LINK = re.compile(r"(\]\()(?!https?:|#)([^)#\s]+)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the root and the files of examples/, which the pages link to."""
    made = {"node_modules", "__pycache__"}
    examples = (path for path in (ROOT / "examples").rglob("*") if not made & {*path.parts})
    paths = [*(ROOT / name for name in PAGES), *(path for path in examples if path.is_file())]
    for path in paths:
        name = path.relative_to(ROOT).as_posix()
        level = InclusionLevel.INCLUDED if name in PAGES else InclusionLevel.NOT_IN_NAV
        files.append(File.generated(config, name, abs_src_path=str(path), inclusion=level))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Lead the links of a page to where their files are on the site."""
    here = Path(page.file.abs_src_path or "").parent

    def led(link: re.Match[str]) -> str:
        path = (here / link[2]).resolve()
        if not path.exists():
            return link[0]  # MkDocs tells of it
        docs = Path(config.docs_dir)
        target = path.relative_to(docs if path.is_relative_to(docs) else ROOT)
        return link[1] + posixpath.relpath(target.as_posix(), posixpath.dirname(page.file.src_uri))

    return _LINK.sub(led, markdown)

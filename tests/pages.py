"""Markdown pages as their readers see them: sections, code blocks, and the files those are."""

import re
from dataclasses import dataclass
from pathlib import Path

RECIPES = Path(__file__).parent.parent / "docs" / "sdks"
# The recipes that `tests/sdk` runs; the pages of all others say that they were not tried.
BACKENDS = ("curl", "python", "node", "php", "ruby", "go", "csharp")
WEB_APPS = ("javascript", "react", "vue", "angular", "ionic")
MODULES = ("react-native", "calls-v4")

# A line with a name in backticks and a colon gives the block below it the name of a file.
_BLOCK = re.compile(
    r"(?:^`(?P<file>[^`\n]+)`:\n\n)?^```(?P<language>[\w.+-]*)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_SECTION = re.compile(r"^## (?P<title>.+)\n(?P<text>(?:(?!## ).*\n?)*)", re.MULTILINE)
_PROMPT = "$ "


@dataclass(frozen=True)
class Block:
    """A fenced block of code; `file` is empty where the page names none."""

    file: str
    language: str
    code: str


def blocks(text: str) -> list[Block]:
    """The code blocks of a text, from the top."""
    return [
        Block(found["file"] or "", found["language"], found["code"])
        for found in _BLOCK.finditer(text)
    ]


def commands(text: str) -> list[str]:
    """What the consoles of a text have behind their prompts."""
    consoles = [block.code for block in blocks(text) if block.language == "console"]
    lines = [line for code in consoles for line in code.splitlines()]
    return [line.removeprefix(_PROMPT) for line in lines if line.startswith(_PROMPT)]


@dataclass(frozen=True)
class Page:
    path: Path

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def blocks(self) -> list[Block]:
        return blocks(self.text)

    @property
    def sections(self) -> dict[str, str]:
        return {found["title"]: found["text"] for found in _SECTION.finditer(self.text)}

    @property
    def files(self) -> dict[str, str]:
        """The files of the page by their names."""
        return {block.file: block.code for block in self.blocks if block.file}


def recipe(name: str) -> Page:
    """The page of an SDK."""
    return Page(RECIPES / f"{name}.md")

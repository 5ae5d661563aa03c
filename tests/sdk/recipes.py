"""Runs the code of the pages in `docs/sdks` as it is printed there.

One thing is replaced, in files and in commands: mockchat's default addresses by those of the
server under test. The CA is where a reader's is, in the home directory.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mockchat import MockChat
from tests.pages import Page, commands

DEBIAN_PACKAGE = {
    "php": "php-cli php-curl",
    "ruby": "ruby",
    "go": "golang-go",
    "mcs": "mono-mcs",
    "mono": "mono-runtime",
    "cert-sync": "ca-certificates-mono",
}
RUN_LIMIT = 60
PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def addresses(mock: MockChat) -> dict[str, str]:
    """What the pages print, and what it is in this run."""
    http, https = urlsplit(mock.url or ""), urlsplit(mock.https_url or "")
    return {
        "127.0.0.1:8080": f"127.0.0.1:{http.port}",
        "localhost:8443": f"localhost:{https.port}",
        "10.0.2.2:8443": f"127.0.0.1:{https.port}",  # the emulator's word for this machine
    }


def lead(text: str, mock: MockChat) -> str:
    """The text with the addresses of this run."""
    for printed, real in addresses(mock).items():
        text = text.replace(printed, real)
    return text


def lay_out(page: Page, folder: Path, mock: MockChat) -> None:
    """Write the files of a page into a folder."""
    for name, code in page.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(lead(code, mock), encoding="utf-8")


@dataclass(frozen=True)
class Shell:
    """A reader's shell, in the folder with the files of a page."""

    page: Page
    mock: MockChat
    folder: Path
    home: Path

    def commands(self, section: str) -> list[str]:
        """The commands of a section; skips the test where their programs are not installed."""
        found = commands(self.page.sections[section])
        for line in found:
            need(line.split(maxsplit=1)[0])
        return [lead(line, self.mock) for line in found]

    def run(self, *lines: str) -> subprocess.CompletedProcess[str]:
        """Run these lines as one script."""
        return subprocess.run(
            ["bash", "-e", "-c", "\n".join(lines)],
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=RUN_LIMIT,
        )

    def _environment(self) -> dict[str, str]:
        """Little, so that no proxy, CA or setting of the machine has a say."""
        return {
            "PATH": PATH,
            "HOME": str(self.home),
            "GOCACHE": str(self.home.parent / "go-cache"),
            "LANG": "C.UTF-8",
        }


def need(program: str) -> None:
    """Skip the test, saying why, where a program is missing."""
    own = program == "export" or "=" in program or program.startswith("./")
    if not own and not shutil.which(program, path=PATH):
        package = DEBIAN_PACKAGE.get(program, program)
        pytest.skip(f"{program} is not installed (Debian: apt-get install {package})")

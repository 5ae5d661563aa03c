"""One version of the SDK in one mode: an app of its own on the server, and the 24 words."""

import asyncio
import re
import subprocess
import sys
from contextlib import ExitStack
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from aiohttp import ClientSession

from tests.android.place import Place
from tests.android.sdk import LIMIT, App, Sdk, app
from tests.android.words import ABSENT, USERS, WORDS, Word
from tests.sessions import auth_frame

OVERRIDES, NAMES, PROXY = "overrides", "names", "proxy"


class Outcome(NamedTuple):
    """What came of a word. Where the version lacks its first command, none was given."""

    word: Word
    answers: list[str]

    @property
    def absent(self) -> bool:
        return self.answers == [ABSENT]

    @property
    def passed(self) -> bool:
        return not self.complaints

    @property
    def complaints(self) -> list[str]:
        """What was answered otherwise than wanted."""
        pairs = zip(self.word.script.items(), self.answers, strict=False)
        return [
            f"{self.word.name}: {command} -> {said!r}, not {wanted!r}"
            for (command, wanted), said in pairs
            if said not in (wanted, ABSENT)
        ]


class Run:
    """An app by one SDK in one mode, and the others that it meets on the server."""

    def __init__(
        self, place: Place, sdk: Sdk, mode: str, label: str = "", limit: int = LIMIT
    ) -> None:
        self.app_id = "android-" + re.sub(r"\W", "-", f"{sdk.name} {mode}{label}").lower()
        self.there = place.mock.app(self.app_id, fixture="empty")
        for uid in USERS:
            self.there.create_user(uid, uid.title())
        self._mock, self._sdk, self._limit = place.mock, sdk, limit
        self._storage = place.folder / self.app_id
        self._options = [*place.trust, *self._ways(place, mode)]
        self._host = f"localhost:{place.port}/v3.0" if mode == OVERRIDES else "live"
        self._running = ExitStack()
        self._driver = self._started()

    def _ways(self, place: Place, mode: str) -> list[str]:
        """The options of a JVM that lead the live names to the server."""
        if mode == NAMES:
            command = [sys.executable, "-m", "mockchat", "hosts", "--app-id", self.app_id]
            hosts = place.folder / f"{self.app_id}.hosts"
            hosts.write_bytes(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
            return [f"-Djdk.net.hosts.file={hosts}"]
        if mode == PROXY:
            proxy = urlsplit(str(place.mock.proxy_url))
            return [f"-Dhttps.proxyHost={proxy.hostname}", f"-Dhttps.proxyPort={proxy.port}"]
        return []

    def _started(self) -> App:
        return self._running.enter_context(
            app(self._sdk, self._options, self._storage, self._limit)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._running.close()

    def __call__(self, command: str) -> str:
        match command:
            case "init":
                return self._driver(f"init {self.app_id} {self._host}")
            case "$george comes and goes":
                return asyncio.run(self._presence("george"))
            case "$token of nancy":
                return self._driver(f"token {self.there.issue_token('nancy')}")
            case "$restart":
                self._running.close()
                self._driver = self._started()
                return ""
        return self._driver(command)

    async def _presence(self, uid: str) -> str:
        """What the SDK hears while another user's socket is opened and closed."""
        me = self.there.log_in(uid)
        async with ClientSession() as session, session.ws_connect(str(self._mock.url)) as socket:
            await socket.send_json(auth_frame(me["jwt"], self.app_id))
            coming = self._driver("presence")
        return f"{coming}, {self._driver('presence')}"


def outcomes(place: Place, sdk: Sdk, mode: str) -> list[Outcome]:
    """Take the SDK through all words."""
    with Run(place, sdk, mode) as run:
        return [Outcome(word, _answers(run, word, place, mode)) for word in WORDS]


def _answers(run: Run, word: Word, place: Place, mode: str) -> list[str]:
    if word.name == "online count" and mode == OVERRIDES and not place.has_443:
        return [ABSENT]  # the SDK asks port 443, whatever the override says
    answers: list[str] = []
    for command in word.script:
        answers.append(run(command))
        if answers == [ABSENT]:
            break
    return answers

"""State files of tests: servers on them, and what they hold."""

from pathlib import Path
from typing import Any

from mockchat import Config, MockChat
from mockchat.core.state_database import Database
from tests.clients import send
from tests.processes import wait_until

Json = dict[str, Any]


def config(path: Path) -> Config:
    return Config(port=0, https_port=None, login_latency=0, state=str(path))


def serve(path: Path) -> Any:
    return MockChat(config(path)).in_thread()


def held(path: Path) -> Json:
    """The apps in a file that no server uses."""
    database = Database(path)
    database.open()
    try:
        return database.read()[0]
    finally:
        database.close()


def users_in(path: Path) -> set[str]:
    return {user["uid"] for app in held(path).values() for user in app["users"]}


def state_of(url: str | None) -> Json:
    """What a server tells of its file."""
    state: Json = send("GET", f"{url}/_mock/health").body["state"]
    return state


def wait_until_saved(url: str | None) -> None:
    """Ask a server until its file has every change."""
    wait_until(lambda: bool(state_of(url)["saved"]))

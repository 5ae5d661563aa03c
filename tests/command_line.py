"""Runs of the command `mockchat` and their results."""

import json
import shlex
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class Done(NamedTuple):
    """The exit status and both outputs of a run."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The document on stdout of a run that succeeded."""
        assert self.status == 0, self.err
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        """The lines on stdout of a run that succeeded."""
        assert self.status == 0, self.err
        return self.out.splitlines()

    @property
    def words(self) -> list[list[str]]:
        """The words of each line."""
        return [line.split() for line in self.lines]

    @property
    def complaint(self) -> str:
        """The text on stderr; stdout is empty."""
        assert self.out == ""
        assert self.err.startswith("mockchat: "), self.err
        return self.err.removeprefix("mockchat: ").removesuffix("\n")


Command = Callable[..., Done]


def check_refusals(command: Command, status: int, rows: Mapping[str, str]) -> None:
    """Check that each line of words ends with this status and a complaint that has this text.

    An argument that the server refuses is wrong usage, whose status is 2.
    """
    for words, text in rows.items():
        done = command(*shlex.split(words))
        wanted = 2 if "(ERR_BAD_REQUEST)" in done.complaint else status
        assert (done.status, text in done.complaint) == (wanted, True), f"{words}: {done}"
        assert "Traceback" not in done.err, words

"""What a run of the command `mockchat` left behind."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple


class Done(NamedTuple):
    """The exit status and both outputs."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The document on stdout."""
        assert self.status == 0, self.err
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        """The lines on stdout of a run that went well."""
        assert self.status == 0, self.err
        return self.out.splitlines()

    @property
    def words(self) -> list[list[str]]:
        """The words of each line."""
        return [line.split() for line in self.lines]

    @property
    def complaint(self) -> str:
        """What stderr says, with nothing on stdout."""
        assert self.out == ""
        assert self.err.startswith("mockchat: "), self.err
        return self.err.removeprefix("mockchat: ").removesuffix("\n")


Command = Callable[..., Done]

"""The files that commands read and write; `-` stands for a pipe."""

import json
import sys
from pathlib import Path
from typing import Any

from mockchat.commands import UsageError
from mockchat.commands.show import note, say

_PIPE = "-"


def read_json(name: str) -> Any:
    """Return the JSON of a file; raise UsageError, which names it."""
    try:
        content = sys.stdin.buffer.read() if name == _PIPE else Path(name).read_bytes()
        return json.loads(content)
    except OSError as error:
        raise UsageError(f"{name}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name}: is not valid JSON: {error}") from None


def write_json(name: str, content: Any) -> None:
    """Write a JSON file and tell so; raise UsageError, which names it."""
    text = json.dumps(content, indent=2)
    if name == _PIPE:
        say(text)
        return
    try:
        Path(name).write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{name}: cannot be written: {error.strerror}") from None
    note(f"{name} is written")

"""The React UI Kit, built into a page with Vite, boots past login: `uikit_runner.mjs`.

What the page looked like stays in `.artefacts/uikit.png`.
"""

from pathlib import Path
from typing import Any

Facts = dict[str, Any]

# All seeds but the one who is logged in.
OTHERS = {
    *("George Alan", "Nancy Grace", "Susan Marie", "John Paul"),
    *("Iron Man", "Captain America", "Spider-Man", "Wolverine", "Cyclops"),
}


def test_the_ui_kit_lists_the_seeds(uikit: Facts) -> None:
    assert set(uikit["shown"]["users"]) == OTHERS
    assert len(uikit["shown"]["users"]) == len(OTHERS)


def test_the_ui_kit_shows_that_there_are_no_conversations(uikit: Facts) -> None:
    assert uikit["shown"]["conversations"] == []
    assert uikit["shown"]["empty"] == ["No Conversations"]


def test_the_ui_kit_shows_no_error(uikit: Facts) -> None:
    assert uikit["shown"]["errors"] == []


def test_the_ui_kits_console_is_clean(uikit: Facts) -> None:
    assert uikit["consoleErrors"] == []
    assert uikit["unhandled"] == []
    assert uikit["refused"] == []


def test_the_ui_kits_page_is_kept_as_a_picture(uikit: Facts) -> None:
    assert Path(uikit["screenshot"]).read_bytes().startswith(b"\x89PNG")

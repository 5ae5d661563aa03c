"""UI Kits open clean without a network: `uikit_runner.mjs` shows all their screens in one page.

What each page looked like stays in `.artefacts`.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mockchat import MockChat
from mockchat.core import pictures

Facts = dict[str, Any]

OWN = "/sampleapp/v2/users/cometchat-uid-1.webp"  # of the user who is logged in


def test_every_screen_opens_clean_and_is_kept_as_a_picture(uikit: Facts) -> None:
    trouble = ("silent", "waiting", "refused", "unhandled", "consoleErrors")

    assert {name: uikit[name] for name in trouble if uikit[name]} == {}
    assert Path(uikit["picture"]).read_bytes().startswith(b"\x89PNG")


def test_every_other_user_has_its_picture_of_the_mock(uikit: Facts, sdk_server: MockChat) -> None:
    urls = [urlsplit(url) for url in uikit["avatars"]]
    by_override = "override" in uikit["picture"]
    hosts = {urlsplit(str(sdk_server.https_url)).netloc} if by_override else {*pictures.HOSTS}

    assert {url.path for url in urls} >= {*pictures.contents()} - {OWN}
    assert {url.netloc for url in urls} == hosts
    assert uikit["broken"] == []

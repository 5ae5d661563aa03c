"""Webhooks: the URLs to which an app posts the events of its users."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

MAX_WEBHOOKS = 25  # of an app
OPERATION = "webhook"  # the name that deliveries have in the journal
MAX_URL = 3000  # characters
_SIGN = r"[^\x00-\x20/?#@]"
_LABEL = "[A-Za-z0-9_-]{1,63}"  # of a host
URL = (  # by the letters that regular expressions in JSON schemas know, too
    rf"https?://({_SIGN}+@)?({_LABEL}(\.{_LABEL})*\.?|\[[0-9A-Fa-f:.]+\])(:[0-9]{{1,5}})?"
    r"([/?#][^\x00-\x20]*)?"
)


def checked_url(text: str) -> str:
    """Return the URL of a webhook; raise ValueError, with the reason, for any other text."""
    try:
        is_right = re.fullmatch(URL, text) and urlsplit(text).port != 0
    except ValueError:  # a port that is too high
        is_right = False
    if not is_right or len(text) > MAX_URL:
        raise ValueError(f"must be like http://host:port/path, of up to {MAX_URL} characters")
    return text


class Webhooks:
    """The webhooks of an app: the URL of each, by its id, in the order of their deliveries."""

    def __init__(self, urls: Iterable[str] = ()) -> None:
        self.urls: dict[str, str] = {}
        self._last = 0
        for url in urls:
            self.add(url)

    @property
    def is_full(self) -> bool:
        """Whether the app can have no further webhook."""
        return len(self.urls) >= MAX_WEBHOOKS

    def add(self, url: str) -> None:
        """Add a URL unless it is there already."""
        if url not in self.urls.values():
            self._last += 1
            self.urls[f"webhook-{self._last}"] = url

    def remove(self, url: str | None = None) -> int:
        """Remove a URL, or all of them; return how many were there."""
        gone = [one for one, known in self.urls.items() if url in (None, known)]
        for one in gone:
            del self.urls[one]
        return len(gone)

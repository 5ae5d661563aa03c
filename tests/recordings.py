"""Recordings of the live service: VCR cassettes (YAML or JSON) and HAR files, read and compared."""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import yaml
from multidict import CIMultiDict

from mockchat.core.errors import mask

Json = Any

# The headers of the service itself; those of its network and of the single connection are not
# compared, nor are the two that mockchat sends otherwise on purpose (docs/fidelity.md, headers).
HEADERS = (
    "Content-Type",
    "Cache-Control",
    "Vary",
    "Accept",
    "X-RateLimit-Limit",
    "X-RateLimit-Limit-For-App",
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Headers",
    "Retry-After",
)
_TOKEN = re.compile(r"(?P<uid>.+)_(?P<second>[0-9]{10})[0-9a-f]{30}")
_BY_CHANCE = (re.compile(r"[0-9a-f]{40}"), re.compile(r"ey[\w-]+\.[\w-]+\.[\w-]+"))


class Recorded(NamedTuple):
    """One exchange of a recording."""

    method: str
    url: str
    headers: CIMultiDict[str]
    body: str
    status: int
    answer_headers: CIMultiDict[str]
    answer: str
    at: float | None = None  # unix seconds of the answer

    @property
    def host(self) -> str:
        """The host of the URL."""
        return urlsplit(self.url).netloc

    @property
    def path(self) -> str:
        """The path of the URL, encoded as it was sent."""
        return urlsplit(self.url).path

    @property
    def target(self) -> str:
        """The path and the query of the URL, encoded as they were sent."""
        query = urlsplit(self.url).query
        return f"{self.path}?{query}" if query else self.path

    @property
    def sent(self) -> Json:
        """The JSON that was sent, None where it was none."""
        return _json(self.body)

    @property
    def received(self) -> Json:
        """The JSON that came back, None where it was none."""
        return _json(self.answer)


def read_recording(path: Path) -> list[Recorded]:
    """Return the exchanges of a file: `.yaml` or `.yml`, `.json` or `.har`."""
    text = path.read_text(encoding="utf-8")
    document = (
        json.loads(text) if path.suffix in (".json", ".har") else yaml.load(text, yaml.CSafeLoader)
    )
    if isinstance(document, dict) and "log" in document:
        return [_from_har(entry) for entry in document["log"]["entries"]]
    rows = document["interactions"] if isinstance(document, dict) else document
    return [_from_vcr(row["request"], row["response"]) for row in rows]


def _from_vcr(request: Json, response: Json) -> Recorded:
    """Return an exchange of vcrpy, Ruby's VCR or PHP-VCR, whose keys differ a little."""
    status = response.get("status", response.get("status_code"))
    headers = _headers(response["headers"].items())
    return Recorded(
        request["method"].upper(),
        request.get("url") or request["uri"],
        _headers((request.get("headers") or {}).items()),
        _text(request.get("body")),
        int(status["code"] if isinstance(status, dict) else status),
        headers,
        _text(response.get("body", response.get("content"))),
        _date(headers),
    )


def _from_har(entry: Json) -> Recorded:
    request, response = entry["request"], entry["response"]
    headers = _headers(_pairs(response["headers"]))
    started = datetime.fromisoformat(entry["startedDateTime"]).astimezone(UTC).timestamp()
    return Recorded(
        request["method"].upper(),
        request["url"],
        _headers(_pairs(request["headers"])),
        _text(request.get("postData")),
        int(response["status"]),
        headers,
        _text(response["content"]),
        _date(headers) or started,
    )


def _pairs(rows: list[dict[str, str]]) -> Iterator[tuple[str, str]]:
    return ((row["name"], row["value"]) for row in rows)


def _headers(pairs: Iterable[tuple[str, Any]]) -> CIMultiDict[str]:
    """Return headers without empty ones: curl writes so those that it does not send."""
    found: CIMultiDict[str] = CIMultiDict()
    for name, values in pairs:
        for value in values if isinstance(values, list) else [values]:
            if value not in ("", None) and not name.startswith(":"):
                found.add(name, str(value))
    return found


def _text(body: Json) -> str:
    if isinstance(body, Mapping):  # {string:}, {encoding:, string:}, {base64_string:}, {text:}
        coded = body.get("base64_string")
        if coded is None and body.get("encoding") == "base64":
            coded = body.get("text")
        if coded is not None:
            return base64.b64decode(coded).decode()
        body = body.get("string", body.get("text"))
    return body.decode() if isinstance(body, bytes) else body or ""


def _date(headers: CIMultiDict[str]) -> float | None:
    date = headers.get("Date")
    return parsedate_to_datetime(date).timestamp() if date else None


def _json(text: str) -> Json:
    try:
        return json.loads(text)
    except ValueError:
        return None


# --- comparison -----------------------------------------------------------------------------
class Comparison:
    """Compares answers with the recorded ones, field by field.

    A value that chance made, as a new auth token, need have the same form only. From then on the
    recorded value stands for the one of the answer, in requests, too.
    """

    def __init__(self) -> None:
        self._stand_ins: dict[str, str] = {}

    def with_stand_ins(self, text: str) -> str:
        """Return a recorded text with the values that chance made for mockchat."""
        for recorded, ours in self._stand_ins.items():
            text = text.replace(recorded, ours)
        return text

    def differences(
        self, recorded: Recorded, status: int, headers: Mapping[str, str], text: str
    ) -> list[str]:
        """Return a sentence for each field in which an answer differs from the recorded one."""
        found = []
        if status != recorded.status:
            found.append(f"status: recorded {recorded.status}, answered {status}")
        for name in HEADERS:
            # An old recording may lack a header that the service sends today.
            there, here = recorded.answer_headers.get(name), headers.get(name)
            if there is not None and there != here:
                found.append(f"header {name}: recorded {there!r}, answered {here!r}")
        there, here = recorded.received, _json(text)
        if there is None:
            if recorded.answer != text:
                found.append(f"body: recorded {recorded.answer!r}, answered {text!r}")
            return found
        differing = list(self._compare("body", there, here))
        if not differing and not self._stand_ins and recorded.answer.strip() != text:
            differing = [f"body: recorded as {recorded.answer!r}, answered as {text!r}"]
        return found + differing

    def _compare(self, place: str, there: Json, here: Json) -> Iterator[str]:
        if isinstance(there, dict) and isinstance(here, dict):
            yield from self._compare_objects(place, there, here)
        elif isinstance(there, list) and isinstance(here, list):
            if len(there) != len(here):
                yield f"{place}: recorded {len(there)} items, answered {len(here)}"
            for number, pair in enumerate(zip(there, here, strict=False)):
                yield from self._compare(f"{place}.{number}", *pair)
        elif type(there) is not type(here) or not self._same(there, here):
            yield f"{place}: recorded {there!r}, answered {here!r}"

    def _compare_objects(self, place: str, there: Json, here: Json) -> Iterator[str]:
        for key in there.keys() - here.keys():
            yield f"{place}.{key}: recorded {there[key]!r}, answered without it"
        for key in here.keys() - there.keys():
            yield f"{place}.{key}: not recorded, answered {here[key]!r}"
        common = [key for key in there if key in here]
        if common != (order := [key for key in here if key in there]):
            yield f"{place}: the order of keys is recorded as {common}, answered as {order}"
        for key in common:
            yield from self._compare(f"{place}.{key}", there[key], here[key])

    def _same(self, there: Json, here: Json) -> bool:
        if there == here:
            return True
        if not isinstance(there, str) or not isinstance(here, str):
            return False
        if self.with_stand_ins(there) == here:
            return True
        one, other = _TOKEN.fullmatch(there), _TOKEN.fullmatch(here)
        alike = bool(one and other and one.groups() == other.groups())
        if alike or any(form.fullmatch(there) and form.fullmatch(here) for form in _BY_CHANCE):
            self._stand_ins |= {there: here, mask(there): mask(here)}
            return True
        return False

"""The assumptions on which an answer of mockchat rests."""

import re

from mockchat.api.validation import TEXTS
from mockchat.core.errors import CATALOGUE, Evidence
from mockchat.verify.probe import Probe
from mockchat.verify.side import Answer

_WEAK = (Evidence.ASSUMED, Evidence.VENDOR)  # of vendor's errors, the status is assumed
_CODES = {row.live.code for row in CATALOGUE.values() if row.live.evidence in _WEAK}
_SENTENCES = [
    (name, re.compile(re.sub(r"\\{\w+\\}", ".+", re.escape(text.text))))
    for name, text in sorted(TEXTS.items(), key=lambda item: -len(item[1].text))
]


def codes_and_rules(answer: Answer) -> tuple[str, set[str]]:
    """Return the error code of an answer, and the names of the sentences of its details."""
    body = answer.body
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return "", set()
    details = error.get("details")
    texts = [text for texts in details.values() for text in texts] if details else []
    found = (next((name for name, one in _SENTENCES if one.fullmatch(it)), "") for it in texts)
    return str(error.get("code")), {*found} - {""}


def assumption(probe: Probe, mock: Answer) -> str:
    """Return what is assumed: an error, a sentence, or what the probe settles, or an empty text."""
    code, rules = codes_and_rules(mock)
    if code in _CODES:
        return code
    assumed = sorted(name for name in rules if TEXTS[name].evidence is Evidence.ASSUMED)
    if assumed:
        return f"sentence of details: {', '.join(assumed)}"
    return probe.settles

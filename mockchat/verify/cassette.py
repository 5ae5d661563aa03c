"""Cassettes: the exchanges with the live service as vcrpy stores them, a file for each group."""

import hashlib
import json
from dataclasses import replace
from http.client import responses
from pathlib import Path
from typing import Any

from mockchat.verify.compare import replaced
from mockchat.verify.probe import SOCKET
from mockchat.verify.run import Run
from mockchat.verify.side import Answer, Place, Request

# The app and the keys of a mockchat with the default settings, for a replay.
_DEFAULTS = {"app_id": "APP_ID", "rest_key": "REST_API_KEY", "auth_key": "AUTH_KEY"}


def write(folder: str, run: Run) -> list[Path]:
    """Write the cassettes and return their paths; raise OSError."""
    import yaml  # noqa: PLC0415  # of the extra `verify`

    Path(folder).mkdir(parents=True, exist_ok=True)
    groups: dict[str, list[Any]] = {}
    for probe, *_, request, answer, group in run.outcomes:
        # vcrpy knows HTTP alone; a recording is about this app and verify's own part.
        fits = probe.method != SOCKET and probe.app == "$app_id" and not probe.shared
        if fits and request and answer:
            groups.setdefault(group, []).append(_interaction(request, answer, run.plan.place))
    # The stand-in of each secret is the default of mockchat, or a made-up key of its form.
    secrets = {value: _placeholder(name.strip("<>"), value) for value, name in run.secrets.items()}
    paths = []
    for group, interactions in groups.items():
        text = json.dumps({"interactions": interactions, "version": 1})
        document = json.loads(replaced(text, secrets))
        path = Path(folder) / f"{group}.yaml"
        path.write_text(yaml.safe_dump(document, sort_keys=False, width=4096), encoding="utf-8")
        paths.append(path)
    return paths


def _placeholder(name: str, value: str) -> str:
    """Return what stands for a secret: the default of mockchat, or a made-up key of its form."""
    if name.endswith("_key") and name not in _DEFAULTS:
        return hashlib.sha256(value.encode()).hexdigest()[: len(value)]
    return _DEFAULTS.get(name, value)


def _interaction(request: Request, answer: Answer, place: Place) -> dict[str, Any]:
    live = replace(place, base_url="").url("apiclient" if "authToken" in request.headers else "api")
    return {
        "request": {
            "method": request.method,
            "uri": request.url.replace(place.base_url, live, 1) if place.base_url else request.url,
            "headers": {name: [value] for name, value in request.headers.items()},
            "body": request.content,
        },
        "response": {
            "status": {"code": answer.status, "message": responses.get(answer.status, "")},
            "headers": {
                name: [value] for name, value in answer.headers.items() if name != "set-cookie"
            },
            "body": {"string": answer.text},
        },
    }

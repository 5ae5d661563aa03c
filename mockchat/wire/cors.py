"""CORS and the other headers that every answer of the emulated API carries."""

from collections.abc import Mapping

# As recorded from the service (reference section 1.1).
ALLOW_METHODS = "OPTIONS,HEAD,GET,POST,PUT,PATCH,DELETE"
ALLOW_HEADERS = (
    "Content-Type,Accept,Cache-Control,Authorization,X-Requested-With,appId,apiKey,authToken,"
    "onBehalfOf,resource,Accept-Encoding,group,region,sdk,guid,uid,clientEnvironment,extensionId,"
    "username,password,callToken,onBehalfOfUser"
)
_MAX_AGE = "600"  # seconds


_OPEN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": ALLOW_METHODS,
    "Access-Control-Allow-Headers": ALLOW_HEADERS,
    "Vary": "Accept-Encoding",
}


def answer_headers(origin: str | None) -> dict[str, str]:
    """Return the CORS headers of an answer: the caller's origin, as some clients refuse `*`."""
    if not origin:
        return _OPEN
    return _OPEN | {"Access-Control-Allow-Origin": origin, "Vary": "Accept-Encoding, Origin"}


def preflight_headers(asked: Mapping[str, str]) -> dict[str, str]:
    """Return what a preflight is told: whatever header it asks for is allowed."""
    headers = {"Access-Control-Max-Age": _MAX_AGE}
    if wanted := asked.get("Access-Control-Request-Headers"):
        headers["Access-Control-Allow-Headers"] = wanted
    if asked.get("Access-Control-Request-Private-Network") == "true":
        headers["Access-Control-Allow-Private-Network"] = "true"
    return headers

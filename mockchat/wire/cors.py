"""CORS and the other headers that every answer of the emulated API carries."""

from collections.abc import Mapping

from multidict import CIMultiDict

# As recorded from the service (reference section 1.1).
ALLOW_METHODS = "OPTIONS,HEAD,GET,POST,PUT,PATCH,DELETE"
ALLOW_HEADERS = (
    "Content-Type,Accept,Cache-Control,Authorization,X-Requested-With,appId,apiKey,authToken,"
    "onBehalfOf,resource,Accept-Encoding,group,region,sdk,guid,uid,clientEnvironment,extensionId,"
    "username,password,callToken,onBehalfOfUser"
)
_MAX_AGE = "600"  # seconds
_OURS = "X-Mock-Exchange,X-Mock-Hint,X-Mock-Fault"  # that a page's script may read

SERVER_NAME = "mockchat"
OPEN: CIMultiDict[str] = CIMultiDict(
    {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": ALLOW_METHODS,
        "Access-Control-Allow-Headers": ALLOW_HEADERS,
        "Vary": "Accept-Encoding",
        "Server": SERVER_NAME,
    }
)


def for_origin(origin: str) -> CIMultiDict[str]:
    """Return the headers of an answer to a page: they name its origin, as some refuse `*`."""
    headers = OPEN.copy()
    headers["Access-Control-Allow-Origin"] = origin
    headers["Access-Control-Expose-Headers"] = _OURS
    headers["Vary"] = "Accept-Encoding, Origin"
    return headers


def preflight_headers(asked: Mapping[str, str]) -> CIMultiDict[str]:
    """Return what a preflight is told: whatever header it asks for is allowed."""
    headers = for_origin(asked.get("Origin", "*"))
    headers["Access-Control-Max-Age"] = _MAX_AGE
    if wanted := asked.get("Access-Control-Request-Headers"):
        headers["Access-Control-Allow-Headers"] = wanted
    if asked.get("Access-Control-Request-Private-Network") == "true":
        headers["Access-Control-Allow-Private-Network"] = "true"
    return headers

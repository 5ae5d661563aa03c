"""Little projects of users, each with a pytest of its own, run from within ours."""

import pytest
import trustme  # noqa: F401  # what it is made of bears no second import, which a run might do

PLUGIN = "mockchat.pytest_plugin"
CALLS = '''
import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen

def ask(url, body=None, **headers):
    """The status and the JSON of an answer."""
    data = None if body is None else json.dumps(body).encode()
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urlopen(Request(url, data, headers), timeout=5) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        return error.code, json.load(error)

def log_in(url, uid="cometchat-uid-1"):
    return ask(url + "/login", {"uid": uid, "authKey": "AUTH_KEY"})[0]
'''


class Project:
    """A folder with tests; pytest has no plugins there but ours and those that are named."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self._pytester = pytester
        self.path = pytester.path
        self.write(calls=CALLS)

    def write(self, **files: str) -> None:
        """Write files by their names without `.py`."""
        self._pytester.makepyfile(**files)

    def run(self, *options: str, plugins: tuple[str, ...] = ()) -> pytest.RunResult:
        """Run its tests in this process."""
        loaded = [word for name in (PLUGIN, *plugins) for word in ("-p", name)]
        return self._pytester.runpytest_inprocess(*loaded, "-W", "error", *options)

    def run_as_installed(self, *options: str) -> pytest.RunResult:
        """Run its tests with the plugins that their installation alone brings."""
        return self._pytester.runpytest_inprocess(*options)

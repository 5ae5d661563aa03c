"""mockchat for a Python test suite, by testcontainers: `pip install testcontainers`."""

import os
import ssl
from typing import Self
from urllib.request import urlopen

from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import HttpWaitStrategy

IMAGE = os.environ.get("MOCKCHAT_IMAGE", "mockchat")
HTTP, HTTPS = 8080, 8443


def environment(settings: dict[str, str]) -> dict[str, str]:
    """Return settings, named as in mockchat's `Config`, as the variables of the container."""
    return {f"MOCKCHAT_{name.upper()}": value for name, value in settings.items()}


class MockChatContainer(DockerContainer):
    """A mockchat server on free ports, up when `start()` returns.

    Where Docker runs on another machine (GitLab's service `docker`, say), the certificate is to
    cover its name: `tls_host="docker"`.
    """

    def __init__(self, image: str = IMAGE, **settings: str) -> None:
        super().__init__(image, env=environment(settings), ports=[HTTP, HTTPS])
        self.waiting_for(HttpWaitStrategy(HTTP, "/_mock/health"))

    def start(self) -> Self:
        """Start the container and wait until it answers."""
        super().start()
        return self

    @property
    def url(self) -> str:
        """Where it is by HTTP: what back ends need."""
        return f"http://{self.get_container_host_ip()}:{self.get_exposed_port(HTTP)}"

    @property
    def https_url(self) -> str:
        """Where it is by HTTPS: what chat SDKs need. Its host and port are their host override."""
        return f"https://{self.get_container_host_ip()}:{self.get_exposed_port(HTTPS)}"

    def ca(self) -> str:
        """Return the certificate of the CA to trust (PEM)."""
        with urlopen(f"{self.url}/_mock/ca.pem", timeout=10) as answer:
            return str(answer.read(), "ascii")

    def trust(self) -> ssl.SSLContext:
        """Return what trusts the server and whom this machine trusts, for aiohttp and httpx."""
        context = ssl.create_default_context()
        context.load_verify_locations(cadata=self.ca())
        return context

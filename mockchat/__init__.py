"""mockchat: a local stand-in for CometChat's user and authentication service."""

from typing import TYPE_CHECKING, Any

from mockchat.version import __version__

if TYPE_CHECKING:
    from mockchat.config import Config
    from mockchat.core.errors import ApiError
    from mockchat.core.faults import UnstruckFault
    from mockchat.server import MockApp, MockChat
    from mockchat.wire.app import create_app

__all__ = [
    "ApiError",
    "Config",
    "MockApp",
    "MockChat",
    "UnstruckFault",
    "__version__",
    "create_app",
]

_HOMES = {
    "ApiError": "mockchat.core.errors",
    "Config": "mockchat.config",
    "MockApp": "mockchat.server",
    "MockChat": "mockchat.server",
    "UnstruckFault": "mockchat.core.faults",
    "create_app": "mockchat.wire.app",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is used: pytest loads this package in every project's run."""
    if name not in _HOMES:
        raise AttributeError(f"module 'mockchat' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(_HOMES[name]), name)

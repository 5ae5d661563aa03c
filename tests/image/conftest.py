"""pytest fixtures of `make image-check`: the engine of this machine, and the image it built."""

import pytest

from tests.image.engine import Engine, find_engine


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The engine, with the image built once."""
    engine = find_engine()
    engine.build()
    return engine

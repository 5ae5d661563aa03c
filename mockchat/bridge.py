"""The bridge: how a test reaches into a server's event loop, from wherever it runs."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from mockchat.core.entities import Caller
from mockchat.core.store import Store
from mockchat.wire.http import Edge

T = TypeVar("T")


class Bridge:
    """Runs functions and coroutines in the loop that serves, which owns all state.

    Made in that loop. From any other thread it hands over and waits; in the loop's own thread
    it runs them as they are.
    """

    def __init__(self, edge: Edge, store: Store) -> None:
        self.edge = edge
        self.store = store
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()

    @property
    def is_here(self) -> bool:
        """Whether the caller runs in the thread of the loop."""
        return threading.get_ident() == self._thread

    def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function there and return its result."""

        async def run() -> T:
            return function(*arguments)

        return self.run(run())

    def perform(self, name: str, app_id: str | None, caller: Caller | None, **parts: Any) -> Any:
        """Carry out an operation; raise ApiError where it is refused."""
        return self.run(self.edge.perform(name, app_id, caller, **parts))

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine there to its end and return its result.

        In the loop's own thread it must not have to wait: raises RuntimeError there.
        """
        if not self.is_here:
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()
        try:
            coroutine.send(None)
        except StopIteration as done:
            result: T = done.value
            return result
        coroutine.close()
        raise RuntimeError("this would block the event loop that serves: use the async twin")

    async def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Await a coroutine that runs there, without blocking the loop of the caller."""
        if self.is_here:
            return await coroutine
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, self._loop))

"""The bridge: how a test reaches into a server's event loop, from wherever it runs."""

import asyncio
import inspect
import os
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import CancelledError, Future, wait
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, TypeVar

from mockchat.core.entities import Caller
from mockchat.core.errors import ApiError
from mockchat.core.store import Store
from mockchat.wire.handler import RequestHandler

__tracebackhide__ = True  # a failed verb shows the line of the test
T = TypeVar("T")

_FAREWELL = 5.0  # seconds that the thread of a loop has to end: a look-up of a name may hang
_GLANCE = 0.5  # seconds between two looks whether the loop that is waited for still runs
_FORKED = (
    "this MockChat serves in the process that this one was forked from: call it by HTTP, or start "
    "another one here"
)
_STOPPED = "this MockChat was stopped"


class Bridge:
    """Runs functions and coroutines in the loop that serves, which owns all state.

    Made in that loop. From any other thread it hands over and waits; in the loop's own thread
    it runs them as they are.
    """

    def __init__(self, handler: RequestHandler, store: Store) -> None:
        self.handler = handler
        self.store = store
        self._loop = asyncio.get_running_loop()
        self._thread = threading.current_thread()  # ids of ended threads are given again
        self._process = os.getpid()

    @property
    def is_here(self) -> bool:
        """Whether the caller runs in the thread of the loop."""
        return threading.current_thread() is self._thread

    def _refuse_fork(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        if os.getpid() != self._process:
            coroutine.close()
            raise RuntimeError(_FORKED)

    def call_soon(self, function: Callable[[], None]) -> None:
        """Call a function there, before all that is asked for later; do not wait for it."""
        if self.is_here:
            function()
        elif os.getpid() != self._process:
            raise RuntimeError(_FORKED)
        else:
            self._loop.call_soon_threadsafe(function)

    def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function there and return its result."""

        async def run() -> T:
            return function(*arguments)

        return self.run(run())

    def perform(self, name: str, app_id: str | None, caller: Caller | None, **parts: Any) -> Any:
        """Carry out an operation; raise ApiError where it is refused.

        The copies keep the caller's values and the server's apart.
        """
        parts = deepcopy(parts)

        async def run() -> Any:
            return deepcopy(await self.handler.dispatcher.perform(name, app_id, caller, **parts))

        return self.run(run())

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine there to its end and return its result.

        In the loop's own thread it must not have to wait: raises RuntimeError there, and where
        the loop runs no more.
        """
        self._refuse_fork(coroutine)
        try:
            return self._run_here(coroutine) if self.is_here else self._result(coroutine)
        except (ApiError, TimeoutError) as refused:  # the server's own lines explain nothing
            raise refused.with_traceback(None) from None

    @staticmethod
    def _run_here(coroutine: Coroutine[Any, Any, T]) -> T:
        try:
            coroutine.send(None)
        except StopIteration as done:
            result: T = done.value
            return result
        coroutine.close()
        raise RuntimeError("this would block the event loop that serves: use the async twin")

    async def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Await a coroutine that runs there, without blocking the loop of the caller."""
        self._refuse_fork(coroutine)
        if self.is_here:
            return await coroutine
        try:
            task = asyncio.current_task()
        except RuntimeError:
            coroutine.close()
            raise RuntimeError(
                "this event loop is not asyncio's: call the twin without _async in a thread"
            ) from None
        future = self._handed_over(coroutine)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if task is not None and task.cancelling():
                raise
            raise RuntimeError(_STOPPED) from None

    def _handed_over(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        try:
            if self._loop.is_running():
                return asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError:  # it was closed this moment
            pass
        coroutine.close()
        raise RuntimeError(_STOPPED)

    def _result(self, coroutine: Coroutine[Any, Any, T]) -> T:
        future = self._handed_over(coroutine)
        while not future.done():
            wait([future], _GLANCE)
            if not self._loop.is_running():
                future.cancel()
        try:
            return future.result()
        except CancelledError:
            if inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
                coroutine.close()  # else the loop ends it, should it ever run again
            raise RuntimeError(_STOPPED) from None


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return an event loop of uvloop, which is faster, where it is installed."""
    try:
        import uvloop  # noqa: PLC0415  # the extra `fast` brings it
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


@contextmanager
def loop_in_thread() -> Iterator[asyncio.AbstractEventLoop]:
    """Run an event loop in a thread; cancel its tasks at the end."""
    loop = new_event_loop()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.get_loop().run_forever()

    thread = threading.Thread(target=run, name="mockchat", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_FAREWELL)

"""Threads for evaluators that are plain functions: a call that hangs is left behind."""

import asyncio
import contextvars
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Any


class TooManyHang(RuntimeError):
    """Earlier calls of this evaluator have not come back; another would only join them."""


class EvaluatorThreads:
    """Calls each function in a daemon thread of its own.

    A pool would be exhausted by calls that hang, and would keep its process from ending.
    """

    def __init__(self, *, most_hanging: int = 4) -> None:
        self._most_hanging = most_hanging
        self._left_behind: defaultdict[str, list[Thread]] = defaultdict(list)

    async def call(self, name: str, function: Callable[[], Any]) -> Any:  # noqa: ANN401
        """What the function returns or raises. When cancelled its thread is left behind.

        Raises:
            TooManyHang: that happened to several threads of this name, which still have not ended.
        """
        self._check_hangs_seldom(name)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        context = contextvars.copy_context()
        work = (context.run, function, future, loop)
        thread = Thread(target=_work, args=work, name=f"evaluator-{name}", daemon=True)
        thread.start()
        try:
            return await future
        except asyncio.CancelledError:
            self._left_behind[name].append(thread)
            raise

    def _check_hangs_seldom(self, name: str) -> None:
        hanging = [thread for thread in self._left_behind[name] if thread.is_alive()]
        self._left_behind[name] = hanging
        if len(hanging) >= self._most_hanging:
            raise TooManyHang(f"{len(hanging)} earlier calls hang; it is not called again")


def _work(
    run: Callable[[Callable[[], Any]], Any],
    function: Callable[[], Any],
    future: asyncio.Future[Any],
    loop: asyncio.AbstractEventLoop,
) -> None:
    try:
        result, error = run(function), None
    except BaseException as raised:  # noqa: BLE001 - the user's code may raise anything
        result, error = None, raised
    with suppress(RuntimeError):  # The loop is closed: nobody waits any more.
        loop.call_soon_threadsafe(_tell, future, result, error)


def _tell(future: asyncio.Future[Any], result: object, error: BaseException | None) -> None:
    if future.cancelled():
        return
    if error is None:
        future.set_result(result)
    elif isinstance(error, StopIteration | SystemExit | KeyboardInterrupt):
        future.set_exception(RuntimeError(f"{type(error).__name__}: {error}"))
    else:
        future.set_exception(error)

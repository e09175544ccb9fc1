"""Calls evaluators: bounded in number and time, tried again where that may help."""

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from wtb_async.infrastructure.evaluation.binding import Evaluator, bound
from wtb_async.infrastructure.evaluation.builtin import BuiltInEvaluator
from wtb_async.infrastructure.evaluation.offers import Offer
from wtb_async.infrastructure.evaluation.retrying import retrying
from wtb_async.infrastructure.evaluation.threads import EvaluatorThreads


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions:
    """How evaluators are called."""

    timeout_seconds: float = 30.0
    """For one evaluator on one execution, all its attempts together."""
    attempts: int = 3
    concurrency: int = 16
    """Calls under way at the same time in this process."""


class TookTooLong(Exception):
    """An evaluator had not returned in time."""


class EvaluatorCaller:
    """Calls evaluators of every temper."""

    def __init__(self, options: CallOptions) -> None:
        self._options = options
        self._threads = EvaluatorThreads()
        self._under_way = asyncio.Semaphore(options.concurrency)

    async def call(self, name: str, evaluator: Evaluator, offer: Offer) -> Any:  # noqa: ANN401
        """What the evaluator returns. Plain functions run in a thread, built-in ones at once.

        Raises whatever it raises, TypeError when it asks for what there is not, and TookTooLong.
        """
        function = bound(evaluator, offer)
        if isinstance(evaluator, BuiltInEvaluator):
            return function()
        seconds = self._options.timeout_seconds
        async with self._under_way:
            try:
                async with asyncio.timeout(seconds) as limit:
                    return await self._tried(name, function)
            except TimeoutError as error:
                if limit.expired():
                    raise TookTooLong(f"it took longer than {seconds:g} s") from error
                raise

    async def _tried(self, name: str, function: Callable[[], Any]) -> Any:  # noqa: ANN401
        async for attempt in retrying(self._options.attempts):
            with attempt:
                return await self._called(name, function)
        raise AssertionError("the last attempt returns or raises")

    async def _called(self, name: str, function: Callable[[], Any]) -> Any:  # noqa: ANN401
        if inspect.iscoroutinefunction(function):
            return await function()
        # What a thread returns may still be an awaitable.
        result = await self._threads.call(name, function)
        return await result if inspect.isawaitable(result) else result

"""The bench without `await`: every call is passed on to an event loop in a thread of its own."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager
from functools import wraps
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar

from wtb_async.sdk.bench import WTBTestBench
from wtb_async.sdk.datasets import Datasets
from wtb_async.sdk.files import Files
from wtb_async.sdk.integrity import Integrity
from wtb_async.sdk.loop_thread import LoopThread

P = ParamSpec("P")
Answer = TypeVar("Answer")
Target = TypeVar("Target")


class Forwarding(Generic[Target]):
    """Stands for an object that lives on the loop of a thread."""

    def __init__(self, target: Target, thread: LoopThread[WTBTestBench]) -> None:
        self._target = target
        self._thread = thread


def awaited(
    method: Callable[Concatenate[Target, P], Coroutine[Any, Any, Answer]],
) -> Callable[Concatenate[Forwarding[Target], P], Answer]:
    """The same method without `await`."""

    @wraps(method)
    def call(self: Forwarding[Target], /, *args: P.args, **kwargs: P.kwargs) -> Answer:
        return self._thread.run(method(self._target, *args, **kwargs))

    return call


def iterated(
    method: Callable[Concatenate[Target, P], AsyncIterator[Answer]],
) -> Callable[Concatenate[Forwarding[Target], P], Iterator[Answer]]:
    """The same method for a plain `for`, which waits for one item after another."""

    @wraps(method)
    def call(self: Forwarding[Target], /, *args: P.args, **kwargs: P.kwargs) -> Iterator[Answer]:
        items = method(self._target, *args, **kwargs)
        try:
            while (item := self._thread.run(_next(items))) is not None:
                yield item
        finally:
            self._thread.run(_close(items))

    return call


def opened(
    open_bench: Callable[P, AbstractAsyncContextManager[WTBTestBench]],
) -> Callable[P, "SyncTestBench"]:
    """The same way to a bench, which is open at once."""

    @wraps(open_bench)
    def call(*args: P.args, **kwargs: P.kwargs) -> "SyncTestBench":
        return SyncTestBench(LoopThread(open_bench(*args, **kwargs)))

    return call


class SyncDatasets(Forwarding[Datasets]):
    """`Datasets` without `await`."""

    list = iterated(Datasets.list)
    get = awaited(Datasets.get)
    create = awaited(Datasets.create)
    describe = awaited(Datasets.describe)
    delete = awaited(Datasets.delete)
    versions = iterated(Datasets.versions)
    test_cases = iterated(Datasets.test_cases)
    test_case = awaited(Datasets.test_case)
    edit_case = awaited(Datasets.edit_case)
    delete_case = awaited(Datasets.delete_case)
    import_cases = awaited(Datasets.import_cases)
    export_cases = iterated(Datasets.export_cases)


class SyncFiles(Forwarding[Files]):
    """`Files` without `await`."""

    list = iterated(Files.list)
    read = awaited(Files.read)
    stream = iterated(Files.stream)
    download = awaited(Files.download)
    diff = iterated(Files.diff)
    download_archive = awaited(Files.download_archive)


class SyncIntegrity(Forwarding[Integrity]):
    """`Integrity` without `await`."""

    check = awaited(Integrity.check)
    report = awaited(Integrity.report)
    wait_for = awaited(Integrity.wait_for)


class SyncTestBench(Forwarding[WTBTestBench]):
    """`WTBTestBench` without `await`, for notebooks and scripts.

    It is open from the beginning: `with` closes it at the end, and so does `close`.
    """

    connect = staticmethod(opened(WTBTestBench.connect))
    local = staticmethod(opened(WTBTestBench.local))

    def __init__(self, thread: LoopThread[WTBTestBench]) -> None:
        super().__init__(thread.opened, thread)
        self.datasets = SyncDatasets(thread.opened.datasets, thread)
        self.files = SyncFiles(thread.opened.files, thread)
        self.integrity = SyncIntegrity(thread.opened.integrity, thread)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave the bench; a local one waits for what it is executing."""
        self._thread.close()

    register_project = awaited(WTBTestBench.register_project)
    run = awaited(WTBTestBench.run)
    get = awaited(WTBTestBench.get)
    wait_for = awaited(WTBTestBench.wait_for)
    events = iterated(WTBTestBench.events)
    pause = awaited(WTBTestBench.pause)
    resume = awaited(WTBTestBench.resume)
    stop = awaited(WTBTestBench.stop)
    rollback = awaited(WTBTestBench.rollback)
    branch = awaited(WTBTestBench.branch)
    get_checkpoints = awaited(WTBTestBench.get_checkpoints)
    get_state = awaited(WTBTestBench.get_state)
    nodes = awaited(WTBTestBench.nodes)
    run_batch_test = awaited(WTBTestBench.run_batch_test)
    get_batch_test = awaited(WTBTestBench.get_batch_test)
    results = awaited(WTBTestBench.results)
    compare = awaited(WTBTestBench.compare)


async def _next(items: AsyncIterator[Answer]) -> Answer | None:
    return await anext(items, None)


async def _close(items: AsyncIterator[Any]) -> None:
    if isinstance(items, AsyncGenerator):
        await items.aclose()

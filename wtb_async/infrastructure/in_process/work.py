"""What the workers of a server do, as tasks of this process."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from uuid import UUID

import structlog

from wtb_async.application.batches.release_runs import release_all_runs
from wtb_async.application.files.collect_garbage import GarbageCollection
from wtb_async.application.ports import Nudges, UnitOfWorkFactory
from wtb_async.application.runs.runner import LeaseLost, RunnerLoop
from wtb_async.domain.errors import WtbError

log = structlog.get_logger(__name__)

RETRY_SECONDS = 1.0


class InProcessRunner:
    """One runner after another, for as long as the process has one."""

    def __init__(self, new_life: Callable[[], RunnerLoop]) -> None:
        self._new_life = new_life
        self._life: RunnerLoop | None = None

    async def run(self) -> None:
        """Execute runs until cancelled."""
        while True:
            self._life = self._new_life()
            try:
                await self._life.run()
            except (LeaseLost, WtbError) as error:
                log.warning("runner_life_ended", reason=str(error))
                await asyncio.sleep(RETRY_SECONDS)

    def wake(self) -> None:
        """There may be new runs to claim."""
        if self._life is not None:
            self._life.wake()

    def heed(self) -> None:
        """Something may be asked of runs that are executed."""
        if self._life is not None:
            self._life.heed()

    async def drain(self, seconds: float) -> None:
        """Claim no more, and wait until what is executed has ended, or the time is up."""
        if self._life is not None:
            await self._life.drain(seconds)


class InProcessQueue:
    """Works on one object after another: scores batch tests, or makes integrity reports."""

    def __init__(self, work: Callable[[UUID], Awaitable[object]]) -> None:
        self._work = work
        self._wanted: dict[UUID, None] = {}
        self._news = asyncio.Event()

    def want(self, ids: Iterable[UUID]) -> None:
        """There is something to do for these objects."""
        self._wanted |= dict.fromkeys(ids)
        self._news.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._wanted:
                wanted = next(iter(self._wanted))
                del self._wanted[wanted]
                try:
                    await self._work(wanted)
                except WtbError as error:
                    # The next look for what is unfinished finds it again.
                    log.warning("work_failed", id=str(wanted), error=repr(error))


async def relay_forever(
    relay: Callable[[], Awaitable[int]], wait: Callable[[], Awaitable[None]], *, seconds: float
) -> None:
    """Relay until cancelled, whenever there are events.

    Args:
        relay: relays a chunk; answers how many events it was.
        wait: returns when there are new events.
        seconds: after this time events come back whose delivery was cut off.
    """
    while True:
        try:
            while await _to_its_end(relay()):
                pass
        except WtbError as error:
            log.warning("relay_interrupted", error=repr(error))
            await asyncio.sleep(RETRY_SECONDS)
            continue
        with suppress(TimeoutError):
            # `wait_for` would forget that it is cancelled when there is news at the same moment.
            async with asyncio.timeout(seconds):
                await wait()


async def _to_its_end(relaying: Awaitable[int]) -> int:
    """Relay a chunk, also when cancelled meanwhile: events that are left claimed come back late."""
    task = asyncio.ensure_future(relaying)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


async def look_for_unfinished_batches(
    uow_factory: UnitOfWorkFactory,
    want: Callable[[Iterable[UUID]], None],
    nudges: Nudges,
    *,
    seconds: float,
) -> None:
    """Ask for the scores, and let go of the runs, that a failure left out, now and then."""
    idle_seconds = 0.0
    while True:
        try:
            async with uow_factory() as uow:
                want(await uow.batch_tests.unfinished(idle_seconds))
            await release_all_runs(uow_factory=uow_factory, nudges=nudges)
        except WtbError as error:
            log.warning("batches_not_looked_for", error=repr(error))
        idle_seconds = seconds
        await asyncio.sleep(seconds)


async def look_after_promises(
    verify: Callable[[], Awaitable[int]],
    unfinished: Callable[[], Awaitable[Iterable[UUID]]],
    want: Callable[[Iterable[UUID]], None],
    *,
    seconds: float,
) -> None:
    """Verify what events promised, and ask for reports that a failure left out, now and then."""
    while True:
        try:
            want(await unfinished())
            await verify()
        except WtbError as error:
            log.warning("promises_not_looked_after", error=repr(error))
        await asyncio.sleep(seconds)


async def collect_garbage_forever(collection: GarbageCollection, *, seconds: float) -> None:
    """Collect the files that no checkpoint leads to, now and then, until cancelled."""
    while True:
        await asyncio.sleep(seconds)
        part: int | None = 0
        try:
            while part is not None:
                part = await collection.collect(part, work_seconds=0.0)
                await asyncio.sleep(0)
        except WtbError as error:
            log.warning("garbage_not_collected", error=repr(error))

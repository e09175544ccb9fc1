"""The runner: claims runs, executes them side by side, hands their outcomes to the settler."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from time import monotonic
from uuid import UUID

import structlog

from wtb_async.application.clock import utc_now
from wtb_async.application.ids import new_id
from wtb_async.application.ports import GraphEngine, Nudges, RunMonitor, UnitOfWorkFactory
from wtb_async.application.runs.claims import ClaimedRun, RunOutcome
from wtb_async.application.runs.settler import Settler
from wtb_async.application.runs.take_over_runs import record_losses, take_over_runs
from wtb_async.domain.errors import TransientError, WtbError
from wtb_async.domain.run import Runner, RunStatus

log = structlog.get_logger(__name__)

RUN_TASK = "wtb.run"
"""The name under which Flower lists runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerOptions:
    """How a runner works; all times in seconds."""

    name: str
    pool: str
    host: str
    pid: int
    slots: int
    prefetch: int
    claim_at_least: int
    safety_poll: float
    heartbeat: float
    fence_after: float

    @property
    def capacity(self) -> int:
        """How many runs it may hold, executing or waiting for a slot."""
        return self.slots + self.prefetch


class LeaseLost(Exception):
    """Others own this runner's runs by now, or will before it can renew its lease."""


class RunnerLoop:
    """One life of a runner.

    It claims whenever enough room is free and is woken by `wake`; a slow poll is the safety net for
    wake-ups that get lost. What it writes is fenced by its lease: when `run` ends with `LeaseLost`
    every graph is cancelled, and a new life begins with a new loop.
    """

    def __init__(
        self,
        options: RunnerOptions,
        *,
        uow: UnitOfWorkFactory,
        engine: GraphEngine,
        monitor: RunMonitor,
        nudges: Nudges,
    ) -> None:
        self._options = options
        self._uow = uow
        self._engine = engine
        self._monitor = monitor
        self._id = new_id()
        self._settler = Settler(self._id, uow, nudges)
        self._wakeup = asyncio.Event()
        self._room = asyncio.Event()
        self._ready: asyncio.Queue[ClaimedRun] = asyncio.Queue()
        self._slots = asyncio.Semaphore(options.slots)
        self._running: dict[UUID, asyncio.Task[None]] = {}
        self._stopping: set[UUID] = set()
        self._started_batches: set[UUID] = set()
        self._held = 0

    async def run(self) -> None:
        """Work until cancelled. Raises LeaseLost."""
        await self._register()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._renew_lease())
                group.create_task(self._claim_forever())
                group.create_task(self._dispatch_forever(group))
                group.create_task(self._settler.settle_forever())
        except* LeaseLost as lost:
            raise LeaseLost(str(lost.exceptions[0])) from None
        finally:
            await self._settler.settle_rest()
            await self._end_lease()

    def wake(self) -> None:
        """There may be new runs to claim."""
        self._wakeup.set()

    def stop_run(self, run_id: UUID) -> None:
        """Cancel a run that this runner holds; it settles as cancelled."""
        self._stopping.add(run_id)
        if task := self._running.get(run_id):
            task.cancel()

    async def _register(self) -> None:
        """Begin a lease; an earlier life under the same name is over, whatever became of it."""
        now = utc_now()
        options = self._options
        runner = Runner(
            id=self._id,
            name=options.name,
            pool=options.pool,
            host=options.host,
            pid=options.pid,
            slots=options.slots,
            started_at=now,
            heartbeat_at=now,
        )
        async with self._uow() as uow:
            await uow.runners.register(runner)
            lost = await uow.runners.lose_earlier_lives(options.name, self._id)
            record_losses(lost, uow)
            await take_over_runs(uow)
            await uow.commit()
        log.info("runner_registered", runner=options.name, id=str(self._id), earlier=len(lost))

    async def _end_lease(self) -> None:
        """Leave at once instead of falling silent; what is unsettled is taken over by others."""
        try:
            async with self._uow() as uow:
                await uow.runners.stop(self._id)
                await uow.commit()
        except WtbError as error:
            log.warning("lease_not_ended", runner=self._options.name, error=repr(error))

    async def _renew_lease(self) -> None:
        """Beat; give up when the lease is gone or could not be renewed for too long."""
        renewed_at = monotonic()
        while True:
            await asyncio.sleep(self._options.heartbeat)
            try:
                async with asyncio.timeout(self._options.heartbeat), self._uow() as uow:
                    alive = await uow.runners.beat(self._id)
                    await uow.commit()
            except (WtbError, TimeoutError) as error:
                log.warning("heartbeat_failed", runner=self._options.name, error=repr(error))
            else:
                if not alive:
                    raise LeaseLost("the reaper declared this runner lost")
                renewed_at = monotonic()
            if monotonic() - renewed_at > self._options.fence_after:
                raise LeaseLost("the lease could not be renewed in time")

    async def _claim_forever(self) -> None:
        while True:
            await self._wait_for_room()
            self._wakeup.clear()
            free = self._options.capacity - self._held
            try:
                claimed = await self._claim(free)
            except WtbError as error:
                log.warning("claim_failed", runner=self._options.name, error=repr(error))
                claimed = []
            if len(claimed) < free:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wakeup.wait(), self._options.safety_poll)

    async def _claim(self, limit: int) -> list[ClaimedRun]:
        async with self._uow() as uow:
            claimed = await uow.runs.claim_pending(self._id, self._options.pool, limit)
            batches = {run.batch_test_id for run in claimed if run.batch_test_id}
            if fresh := batches - self._started_batches:
                await uow.batch_tests.mark_started(fresh)
            await uow.commit()
        self._started_batches |= batches
        self._held += len(claimed)
        for run in claimed:
            details = {"attempt": run.attempt, **run.variants}
            self._monitor.received(
                str(run.id), name=RUN_TASK, args=f"({run.execution_id},)", kwargs=str(details)
            )
            self._ready.put_nowait(run)
        return claimed

    async def _wait_for_room(self) -> None:
        while not self._has_room():
            self._room.clear()
            await self._room.wait()

    def _has_room(self) -> bool:
        wanted = min(self._options.claim_at_least, self._options.capacity)
        return self._held == 0 or self._options.capacity - self._held >= wanted

    async def _dispatch_forever(self, group: asyncio.TaskGroup) -> None:
        """Start runs as slots get free.

        A run that lost its runner on every earlier attempt may be what kills runners: its last
        attempt runs alone, so that it takes no neighbour with it and no neighbour spoils it.
        """
        while True:
            run = await self._ready.get()
            if run.is_last_attempt_after_losses:
                await self._everything_ended()
                await self._note_alone(run.id)
                await self._start(group, run)
                await self._everything_ended()
                await self._note_alone(None)
            else:
                await self._start(group, run)

    async def _everything_ended(self) -> None:
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _note_alone(self, run_id: UUID | None) -> None:
        """Put it on record before the run starts: the neighbours that wait are not to blame."""
        while True:
            try:
                async with self._uow() as uow:
                    await uow.runners.note_alone(self._id, run_id)
                    await uow.commit()
            except WtbError as error:
                log.warning("runner_not_noted_alone", error=repr(error))
                await asyncio.sleep(self._options.safety_poll)
            else:
                return

    async def _start(self, group: asyncio.TaskGroup, run: ClaimedRun) -> None:
        await self._slots.acquire()
        task = group.create_task(self._execute(run))
        self._running[run.id] = task
        task.add_done_callback(lambda done: self._release(run.id, done))
        if run.id in self._stopping:
            task.cancel()

    def _release(self, run_id: UUID, task: asyncio.Task[None]) -> None:
        """Free the slot; a run that was stopped, even before its first step, is settled here."""
        del self._running[run_id]
        if task.cancelled() and run_id in self._stopping:
            self._finish(RunOutcome(run_id=run_id, status=RunStatus.CANCELLED, duration_ms=0.0))
        self._stopping.discard(run_id)
        self._slots.release()
        self._held -= 1
        if self._has_room():
            self._room.set()

    async def _execute(self, run: ClaimedRun) -> None:
        self._monitor.started(str(run.id))
        self._finish(await self._drive(run))

    async def _drive(self, run: ClaimedRun) -> RunOutcome:
        """Execute, as often as the database goes away; only the lease says when to give up."""
        while True:
            try:
                return await self._engine.drive(run)
            except TransientError as error:
                log.warning("run_interrupted", run_id=str(run.id), error=repr(error))
                await asyncio.sleep(self._options.safety_poll)
                run = replace(run, resumes=True)

    def _finish(self, outcome: RunOutcome) -> None:
        self._settler.put(outcome)
        run_id = str(outcome.run_id)
        if outcome.status is RunStatus.CANCELLED:
            self._monitor.revoked(run_id)
        elif outcome.error is not None:
            error = outcome.error
            where = f"in node {error.node!r}" if error.node else "outside of any node"
            summary = f"{error.type}: {error.message}"
            self._monitor.failed(run_id, exception=summary, traceback=f"{summary}\n{where}")
        else:
            seconds = outcome.duration_ms / 1000
            self._monitor.succeeded(run_id, result=outcome.status.value, runtime=seconds)

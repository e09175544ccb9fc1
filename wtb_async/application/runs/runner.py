"""The runner: holds a lease, claims runs, has them executed and settled."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

import structlog

from wtb_async.application.clock import utc_now
from wtb_async.application.ids import new_id
from wtb_async.application.ports import GraphEngine, Nudges, RunMonitor, UnitOfWorkFactory
from wtb_async.application.runs.claims import ClaimedRun
from wtb_async.application.runs.executor import ExecutorOptions, RunExecutor
from wtb_async.application.runs.recording import record_loss, record_start, record_stop
from wtb_async.application.runs.settler import Settler
from wtb_async.application.runs.take_over_runs import take_over_runs
from wtb_async.domain.audit import runner_actor
from wtb_async.domain.errors import WtbError
from wtb_async.domain.run import Runner
from wtb_async.domain.run_request import RunRequest

log = structlog.get_logger(__name__)


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
    stop_grace: float
    abandon_after: float

    @property
    def capacity(self) -> int:
        """How many runs it may hold, executing or waiting for a slot."""
        return self.slots + self.prefetch

    def for_executor(self) -> ExecutorOptions:
        """What the executor needs of it."""
        return ExecutorOptions(
            slots=self.slots,
            retry_after=self.safety_poll,
            stop_grace=self.stop_grace,
            abandon_after=self.abandon_after,
        )


class LeaseLost(Exception):
    """Others own this runner's runs by now, or will before it can renew its lease."""


class RunnerLoop:
    """One life of a runner.

    It claims whenever enough room is free and is woken by `wake`; a slow poll is the safety net for
    wake-ups that get lost. `heed` makes it read what is asked of its runs, and so does every
    heartbeat. What it writes is fenced by its lease: when `run` ends with `LeaseLost`
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
        self._id = new_id()
        self._settler = Settler(self._id, uow, nudges, pool=options.pool)
        self._executor = RunExecutor(
            options.for_executor(),
            engine=engine,
            monitor=monitor,
            settle=self._settler.put,
            note_alone=self._note_alone,
        )
        self._wakeup = asyncio.Event()
        self._asked = asyncio.Event()
        self._requests: dict[UUID, RunRequest] = {}
        self._started_batches: set[UUID] = set()
        self._is_closing = False

    async def run(self) -> None:
        """Work until cancelled. Raises LeaseLost."""
        await self._register()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._renew_lease())
                group.create_task(self._claim_forever())
                group.create_task(self._heed_forever())
                group.create_task(self._executor.dispatch_forever())
                group.create_task(self._settler.settle_forever())
        except* LeaseLost as lost:
            raise LeaseLost(str(lost.exceptions[0])) from None
        finally:
            await self._executor.end()
            await self._settler.settle_rest()
            await self._end_lease()

    async def drain(self, seconds: float) -> None:
        """Claim no more, and wait until the runs that it holds have ended, or the time is up."""
        self._is_closing = True
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while len(self._executor):
                    self._executor.released.clear()
                    await self._executor.released.wait()

    def wake(self) -> None:
        """There may be new runs to claim."""
        self._wakeup.set()

    def heed(self) -> None:
        """Something may be asked of runs that this runner holds."""
        self._asked.set()

    def stop_run(self, run_id: UUID) -> None:
        """Cancel a run that this runner holds, at once; it settles as cancelled."""
        self._executor.cancel(run_id)

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
            record_start(runner, uow)
            for each in lost:
                record_loss(each, runner_actor(self._id), uow)
            await take_over_runs(runner_actor(self._id), uow)
            await uow.commit()
        log.info("runner_registered", runner=options.name, id=str(self._id), earlier=len(lost))

    async def _end_lease(self) -> None:
        """Leave at once instead of falling silent; what is unsettled is taken over by others."""
        try:
            async with self._uow() as uow:
                if await uow.runners.stop(self._id):
                    record_stop(self._id, self._options.name, uow)
                await uow.commit()
        except WtbError as error:
            log.warning("lease_not_ended", runner=self._options.name, error=repr(error))

    async def _renew_lease(self) -> None:
        """Beat; give up when the lease is gone or could not be renewed for too long."""
        renewed_at = monotonic()
        while True:
            await asyncio.sleep(self._options.heartbeat)
            try:
                alive = await self._beat()
            except (WtbError, TimeoutError) as error:
                log.warning("heartbeat_failed", runner=self._options.name, error=repr(error))
            else:
                if not alive:
                    raise LeaseLost("the reaper declared this runner lost")
                renewed_at = monotonic()
            if monotonic() - renewed_at > self._options.fence_after:
                raise LeaseLost("the lease could not be renewed in time")

    async def _beat(self) -> bool:
        """Renew the lease, and find requests whose hint was lost."""
        async with asyncio.timeout(self._options.heartbeat), self._uow() as uow:
            alive = await uow.runners.beat(self._id)
            requests = await uow.runs.requests(self._id)
            await uow.commit()
        self._pass_on(requests)
        return alive

    async def _heed_forever(self) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            try:
                async with self._uow() as uow:
                    requests = await uow.runs.requests(self._id)
            except WtbError as error:
                # The next heartbeat finds them.
                log.warning("requests_not_read", runner=self._options.name, error=repr(error))
            else:
                self._pass_on(requests)

    def _pass_on(self, requests: dict[UUID, RunRequest]) -> None:
        # A claim may have committed whose runs are not held yet: they are looked up here then.
        self._requests = requests
        for run_id, request in requests.items():
            self._executor.ask(run_id, request)

    async def _claim_forever(self) -> None:
        in_doubt = False
        while True:
            await self._wait_for_room()
            self._wakeup.clear()
            free = self._options.capacity - len(self._executor)
            claimed: list[ClaimedRun] = []
            try:
                if in_doubt:
                    await self._adopt()
                    in_doubt = False
                claimed = await self._claim(free)
            except WtbError as error:
                log.warning("claim_failed", runner=self._options.name, error=repr(error))
                in_doubt = True
            if len(claimed) < free:
                with suppress(TimeoutError):
                    # `wait_for` would forget that it is cancelled when it is woken meanwhile.
                    async with asyncio.timeout(self._options.safety_poll):
                        await self._wakeup.wait()

    async def _claim(self, limit: int) -> list[ClaimedRun]:
        async with self._uow() as uow:
            await uow.commit_each_statement()
            claimed = await uow.runs.claim_pending(self._id, self._options.pool, limit)
        await self._hold(claimed)
        return claimed

    async def _hold(self, runs: Sequence[ClaimedRun]) -> None:
        """Have runs executed; their batches, if they are the first of them, have started."""
        batches = {run.batch_test_id for run in runs if run.batch_test_id}
        if fresh := batches - self._started_batches:
            async with self._uow() as uow:
                await uow.batch_tests.mark_started(fresh, self._id)
                await uow.commit()
            self._started_batches |= fresh
        self._executor.hold(runs, self._requests)

    async def _adopt(self) -> None:
        """Take on the runs of a claim that was cut off after its commit."""
        known = self._executor.held() | self._settler.pending()
        async with self._uow() as uow:
            found = await uow.runs.held_by(self._id, known)
        if found:
            log.warning("runs_adopted", runner=self._options.name, count=len(found))
            await self._hold(found)

    async def _wait_for_room(self) -> None:
        while not self._has_room():
            self._executor.released.clear()
            await self._executor.released.wait()

    def _has_room(self) -> bool:
        if self._is_closing:
            return False
        held = len(self._executor)
        wanted = min(self._options.claim_at_least, self._options.capacity)
        return held == 0 or self._options.capacity - held >= wanted

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

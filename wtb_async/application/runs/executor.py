"""Executes the runs that a runner holds, side by side, and passes on what is asked of them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from uuid import UUID

import structlog

from wtb_async.application.ports import GraphEngine, RunMonitor
from wtb_async.application.runs.claims import ClaimedRun, RunOutcome, cancelled
from wtb_async.application.runs.signals import RunSignals
from wtb_async.domain.errors import TransientError
from wtb_async.domain.run import RunStatus
from wtb_async.domain.run_request import RequestKind, RunRequest

log = structlog.get_logger(__name__)

RUN_TASK = "wtb.run"
"""The name under which Flower lists runs."""

_LAST_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorOptions:
    """How runs are executed; all times in seconds."""

    slots: int
    retry_after: float
    stop_grace: float
    """A run that was asked to stop is cancelled after this time,"""
    abandon_after: float
    """and left to itself when it has not ended this long after that."""


@dataclass(eq=False, slots=True)
class _HeldRun:
    """A run that waits for a slot or is being executed."""

    run: ClaimedRun
    signals: RunSignals = field(default_factory=RunSignals)
    asked: RunRequest | None = None
    task: asyncio.Task[None] | None = None
    stops: bool = False
    """When its task is cancelled the run has ended; otherwise it is the runner that ends."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def ask_again(self) -> None:
        """Repeat what is asked: the engine may have taken note of it and not lived to grant it."""
        if self.asked is not None:
            self.signals.ask(self.asked)


class RunExecutor:
    """Has a slot for each run that is executed; the others wait in the order of their claims.

    Args:
        options: how many, and how long a stop may take.
        engine: drives a run through its graph.
        monitor: shows runs to people.
        settle: takes the outcomes.
        note_alone: puts on record which run is executed with nothing beside it.
    """

    def __init__(
        self,
        options: ExecutorOptions,
        *,
        engine: GraphEngine,
        monitor: RunMonitor,
        settle: Callable[[RunOutcome], None],
        note_alone: Callable[[UUID | None], Awaitable[None]],
    ) -> None:
        self._options = options
        self._engine = engine
        self._monitor = monitor
        self._settle = settle
        self._note_alone = note_alone
        self._held: dict[UUID, _HeldRun] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ready: asyncio.Queue[_HeldRun] = asyncio.Queue()
        self._slots = asyncio.Semaphore(options.slots)
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.released = asyncio.Event()
        """Set when a run has ended."""

    def __len__(self) -> int:
        return len(self._held)

    def held(self) -> set[UUID]:
        """The runs that wait for a slot or are being executed."""
        return set(self._held)

    def hold(self, runs: Iterable[ClaimedRun], requests: Mapping[UUID, RunRequest]) -> None:
        """Execute these runs as soon as there are slots; `requests` may be about some of them."""
        for run in runs:
            details = {"attempt": run.attempt, **run.variants}
            self._monitor.received(
                str(run.id), name=RUN_TASK, args=f"({run.execution_id},)", kwargs=str(details)
            )
            self._held[run.id] = held = _HeldRun(run)
            self._ready.put_nowait(held)
            if request := requests.get(run.id, run.request):
                self.ask(run.id, request)

    def ask(self, run_id: UUID, request: RunRequest) -> None:
        """Pass on what somebody wants of a run; the same wish is passed on once."""
        held = self._held.get(run_id)
        if held is None or held.asked == request:
            return
        held.asked = request
        held.signals.ask(request)
        if request.kind is RequestKind.STOP:
            self._stop_in_the_end(held)

    def cancel(self, run_id: UUID) -> None:
        """Cancel a run at once; it settles as cancelled."""
        if held := self._held.get(run_id):
            self._cancel(held)

    async def dispatch_forever(self) -> None:
        """Start runs as slots get free, until cancelled.

        A run that lost its runner on every earlier attempt may be what kills runners: its last
        attempt runs alone, so that it takes no neighbour with it and no neighbour spoils it.

        Raises:
            Exception: what the engine should have made an outcome of; the runner cannot go on.
        """
        dispatching = asyncio.create_task(self._dispatch())
        try:
            await asyncio.wait((dispatching, self._broken), return_when=asyncio.FIRST_COMPLETED)
            if self._broken.done():
                self._broken.result()
            dispatching.result()
        finally:
            dispatching.cancel()

    async def end(self) -> None:
        """Cancel every run; those that do not end soon are left to themselves."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            _, left = await asyncio.wait(self._tasks, timeout=_LAST_SECONDS)
            if left:
                log.warning("runs_do_not_end", count=len(left))

    async def _dispatch(self) -> None:
        while True:
            held = await self._ready.get()
            if held.ended.is_set():
                continue
            if held.run.is_last_attempt_after_losses:
                await self._all_ended()
                await self._note_alone(held.run.id)
                await self._start(held)
                await self._all_ended()
                await self._note_alone(None)
            else:
                await self._start(held)

    async def _all_ended(self) -> None:
        """Wait for the runs that are being executed; one that is left to itself does not count."""
        for held in list(self._held.values()):
            if held.task is not None:
                await held.ended.wait()

    async def _start(self, held: _HeldRun) -> None:
        await self._slots.acquire()
        if held.ended.is_set():
            self._slots.release()
            return
        held.task = asyncio.create_task(self._execute(held))
        self._tasks.add(held.task)
        held.task.add_done_callback(lambda task: self._on_task_done(held, task))

    def _on_task_done(self, held: _HeldRun, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if held.ended.is_set():
            return
        self._release(held)
        if task.cancelled():
            # Even a task that never took its first step ends its run here.
            if held.stops:
                self._finish(cancelled(held.run))
        elif (error := task.exception()) and not self._broken.done():
            self._broken.set_exception(error)

    def _release(self, held: _HeldRun) -> None:
        del self._held[held.run.id]
        held.ended.set()
        if held.task is not None:
            self._slots.release()
        self.released.set()

    async def _execute(self, held: _HeldRun) -> None:
        self._monitor.started(str(held.run.id))
        outcome = await self._drive(held)
        if outcome is not None and not held.ended.is_set():
            self._finish(outcome)

    async def _drive(self, held: _HeldRun) -> RunOutcome | None:
        """Execute, as often as the database goes away; only the lease says when to give up."""
        run = held.run
        while not held.ended.is_set():
            try:
                return await self._engine.drive(run, held.signals)
            except TransientError as error:
                log.warning("run_interrupted", run_id=str(run.id), error=repr(error))
                await asyncio.sleep(self._options.retry_after)
                run = replace(run, resumes=True)
                held.ask_again()
        return None

    def _stop_in_the_end(self, held: _HeldRun) -> None:
        """Ask first, cancel after a while, and let go of a run that will not end."""
        if held.task is None:
            self._cancel(held)
            return
        loop = asyncio.get_running_loop()
        grace, patience = self._options.stop_grace, self._options.abandon_after
        timers = (
            loop.call_later(grace, self._cancel, held),
            loop.call_later(grace + patience, self._abandon, held),
        )
        held.task.add_done_callback(partial(_cancel_timers, timers))

    def _cancel(self, held: _HeldRun) -> None:
        held.stops = True
        if held.task is not None:
            held.task.cancel()
        elif not held.ended.is_set():
            self._release(held)
            self._finish(cancelled(held.run))

    def _abandon(self, held: _HeldRun) -> None:
        """Settle without the run: nothing that it still does is kept."""
        if not held.ended.is_set():
            log.warning("run_abandoned", run_id=str(held.run.id))
            self._engine.give_up(held.run)
            self._release(held)
            self._finish(cancelled(held.run))

    def _finish(self, outcome: RunOutcome) -> None:
        self._settle(outcome)
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


def _cancel_timers(timers: Iterable[asyncio.TimerHandle], _: asyncio.Task[None]) -> None:
    for timer in timers:
        timer.cancel()

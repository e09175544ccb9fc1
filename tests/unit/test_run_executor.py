"""What is asked of a run while the database goes away."""

import asyncio
from uuid import UUID

from arranging import PATIENCE_SECONDS
from factories import claimed_run

from wtb_async.application.runs.claims import ClaimedRun, RunOutcome, cancelled
from wtb_async.application.runs.executor import ExecutorOptions, RunExecutor
from wtb_async.application.runs.signals import RunSignals
from wtb_async.domain.errors import TransientError
from wtb_async.domain.run_request import RequestKind, RunRequest

PAUSE = RunRequest(kind=RequestKind.PAUSE, at_node="b")


class InterruptedEngine:
    """Takes what is asked of a run, and loses the database before it can grant it, once."""

    def __init__(self) -> None:
        self.driving = asyncio.Event()
        self.taken: list[RunRequest | None] = []

    async def drive(self, run: ClaimedRun, signals: RunSignals) -> RunOutcome:
        asked = asyncio.Event()
        with signals.heard_by(asked.set):
            self.driving.set()
            await asked.wait()
        self.taken.append(signals.take())
        if len(self.taken) == 1:
            raise TransientError("no database")
        return cancelled(run)

    def give_up(self, run: ClaimedRun) -> None:
        raise AssertionError(f"{run} ends by itself")


async def test_a_pause_outlives_the_database_s_absence() -> None:
    engine, outcomes = InterruptedEngine(), asyncio.Queue[RunOutcome]()
    executor = RunExecutor(
        ExecutorOptions(slots=1, retry_after=0.0, stop_grace=60.0, abandon_after=60.0),
        engine=engine,
        monitor=Unseen(),
        settle=outcomes.put_nowait,
        note_alone=_nobody_is_told,
    )
    dispatching = asyncio.create_task(executor.dispatch_forever())
    executor.hold([run := claimed_run()], {})
    await engine.driving.wait()
    executor.ask(run.id, PAUSE)
    await asyncio.wait_for(outcomes.get(), PATIENCE_SECONDS)
    dispatching.cancel()
    assert engine.taken == [PAUSE, PAUSE]


class Unseen:
    """Nobody watches the runs."""

    def received(self, run_id: str, *, name: str, args: str, kwargs: str) -> None: ...

    def started(self, run_id: str) -> None: ...

    def succeeded(self, run_id: str, *, result: str, runtime: float) -> None: ...

    def failed(self, run_id: str, *, exception: str, traceback: str) -> None: ...

    def revoked(self, run_id: str) -> None: ...


async def _nobody_is_told(run_id: UUID | None) -> None: ...

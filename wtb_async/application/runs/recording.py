"""The record of what becomes of runners: each begins once, and ends once."""

from uuid import UUID

from wtb_async.application.ports import UnitOfWork
from wtb_async.domain.audit import runner_actor
from wtb_async.domain.events import Aggregate, Change, RunnerLost, RunnerStarted, RunnerStopped
from wtb_async.domain.run import Runner, RunnerStatus


def record_start(runner: Runner, uow: UnitOfWork) -> None:
    """Note that a runner has a lease."""
    uow.journal.record(
        Change(
            aggregate=Aggregate.RUNNER,
            aggregate_id=runner.id,
            version=1,
            event=RunnerStarted(name=runner.name),
            actor=runner_actor(runner.id),
            status_after=RunnerStatus.ALIVE.value,
        )
    )


def record_stop(runner_id: UUID, name: str, uow: UnitOfWork) -> None:
    """Note that a runner gave its lease back."""
    event = RunnerStopped(name=name)
    _record_end(runner_id, event, RunnerStatus.STOPPED, runner_actor(runner_id), uow)


def record_loss(runner: Runner, actor: str, uow: UnitOfWork) -> None:
    """Note who declared a runner lost."""
    _record_end(runner.id, RunnerLost(name=runner.name), RunnerStatus.LOST, actor, uow)


def _record_end(
    runner_id: UUID,
    event: RunnerStopped | RunnerLost,
    status: RunnerStatus,
    actor: str,
    uow: UnitOfWork,
) -> None:
    uow.journal.record(
        Change(
            aggregate=Aggregate.RUNNER,
            aggregate_id=runner_id,
            version=2,
            event=event,
            actor=actor,
            status_before=RunnerStatus.ALIVE.value,
            status_after=status.value,
        )
    )

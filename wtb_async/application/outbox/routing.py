"""Where each event goes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from wtb_async.domain.events import (
    BatchCreated,
    BatchExtended,
    BatchScoringRequested,
    ExecutionBranched,
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionCreated,
    ExecutionFailed,
    ExecutionResumed,
    ExecutionTakenOver,
    OutboxEvent,
    StateEditRequested,
)

T = TypeVar("T")

BRINGS_RUNS = frozenset(
    event.__name__
    for event in (
        ExecutionCreated,
        ExecutionResumed,
        ExecutionBranched,
        StateEditRequested,
        ExecutionTakenOver,
        BatchCreated,
        BatchExtended,
    )
)
"""After these, runs of `data.pool` wait for a runner."""

ENDS_EXECUTION = frozenset(
    event.__name__ for event in (ExecutionCompleted, ExecutionFailed, ExecutionCancelled)
)
"""After these, an execution of a batch can be scored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries:
    """What a chunk of events asks for, each thing once however many events ask for it."""

    pools: tuple[str, ...] = ()
    """Pools whose runners have something to do."""
    batches: tuple[UUID, ...] = ()
    """Batch tests with executions to score."""
    unscored_batches: tuple[UUID, ...] = ()
    """Batch tests without evaluators, which may be complete now."""
    aggregates: tuple[UUID, ...] = ()
    """Objects whose live streams have news."""


def route(events: Sequence[OutboxEvent]) -> Deliveries:
    """Sum up where a chunk of events goes."""
    pools = [str(e.data["pool"]) for e in events if e.type in BRINGS_RUNS]
    ended = [(UUID(str(e.data["batch_test_id"])), e) for e in events if _ends_in_batch(e)]
    batches = [batch for batch, e in ended if e.data.get("is_scored") is not False]
    batches += [e.aggregate_id for e in events if e.type == BatchScoringRequested.__name__]
    unscored = [batch for batch, e in ended if e.data.get("is_scored") is False]
    in_batch = [UUID(str(b)) for e in events if (b := e.data.get("batch_test_id"))]
    aggregates = [*(e.aggregate_id for e in events), *in_batch]
    return Deliveries(
        pools=_unique(pools),
        batches=_unique(batches),
        unscored_batches=_unique(unscored),
        aggregates=_unique(aggregates),
    )


def problem_of(event: OutboxEvent) -> str | None:
    """What is missing in an event that cannot be routed."""
    if event.type in BRINGS_RUNS and "pool" not in event.data:
        return "the event names no pool"
    try:
        UUID(str(event.data.get("batch_test_id") or event.aggregate_id))
    except ValueError as error:
        return f"the event's batch_test_id is not an id: {error}"
    return None


def _ends_in_batch(event: OutboxEvent) -> bool:
    return event.type in ENDS_EXECUTION and event.data.get("batch_test_id") is not None


def _unique(items: Sequence[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))

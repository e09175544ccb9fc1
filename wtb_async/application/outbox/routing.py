"""Where each event goes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from wtb_async.domain.batch_events import (
    BatchCreated,
    BatchExtended,
    BatchGivenUp,
    BatchPauseRequested,
    BatchResumed,
    BatchRetried,
    BatchScoringRequested,
    BatchStopRequested,
)
from wtb_async.domain.events import (
    ExecutionBranched,
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionCreated,
    ExecutionFailed,
    ExecutionPaused,
    ExecutionResumed,
    ExecutionTakenOver,
    OutboxEvent,
    StateEditRequested,
)
from wtb_async.domain.integrity_events import IntegrityCheckRequested

T = TypeVar("T")

WANTS_CHECK = IntegrityCheckRequested.__name__
"""After this, an integrity report waits to be made."""

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
        BatchResumed,
        BatchRetried,
    )
)
"""After these, runs of `data.pool` wait for a runner."""

ENDS_EXECUTION = frozenset(
    event.__name__ for event in (ExecutionCompleted, ExecutionFailed, ExecutionCancelled)
)
"""After these, an execution of a batch can be scored."""

ASKS_RUNNERS = frozenset(
    event.__name__ for event in (BatchPauseRequested, BatchStopRequested, BatchGivenUp)
)
"""After these, something is asked of runs that runners of `data.pool` execute."""

RESTS = ENDS_EXECUTION | {ExecutionPaused.__name__}
"""After these, there may be nothing left that its batch waits for."""

CHANGES_BATCH = ASKS_RUNNERS | {BatchResumed.__name__, BatchRetried.__name__}
"""After these, a batch may wait for something else, or for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries:
    """What a chunk of events asks for, each thing once however many events ask for it."""

    pools: tuple[str, ...] = ()
    """Pools whose runners have something to do."""
    asked_pools: tuple[str, ...] = ()
    """Pools whose runners are asked for something."""
    batches: tuple[UUID, ...] = ()
    """Batch tests with executions to score."""
    resting_batches: tuple[UUID, ...] = ()
    """Batch tests that may wait for nothing any more."""
    checks: tuple[UUID, ...] = ()
    """Integrity reports to make."""
    news: tuple[UUID, ...] = ()
    """Objects whose histories have grown."""
    progress: tuple[UUID, ...] = ()
    """Other batch tests, whose executions have moved on."""


def route(events: Sequence[OutboxEvent]) -> Deliveries:
    """Sum up where a chunk of events goes."""
    pools = [str(e.data["pool"]) for e in events if e.type in BRINGS_RUNS]
    asked_pools = [str(e.data["pool"]) for e in events if e.type in ASKS_RUNNERS]
    in_batch = [(UUID(str(b)), e) for e in events if (b := e.data.get("batch_test_id"))]
    ended = [(batch, e) for batch, e in in_batch if e.type in ENDS_EXECUTION]
    to_score = [batch for batch, e in ended if e.data.get("is_scored") is not False]
    to_score += [e.aggregate_id for e in events if e.type == BatchScoringRequested.__name__]
    rested = [batch for batch, e in in_batch if e.type in RESTS]
    changed = [e.aggregate_id for e in events if e.type in CHANGES_BATCH]
    news = _unique([e.aggregate_id for e in events])
    moved_on = _unique([batch for batch, _ in in_batch])
    return Deliveries(
        pools=_unique(pools),
        asked_pools=_unique(asked_pools),
        batches=_unique(to_score),
        resting_batches=_unique([*rested, *changed]),
        checks=_unique([e.aggregate_id for e in events if e.type == WANTS_CHECK]),
        news=news,
        progress=tuple(batch for batch in moved_on if batch not in set(news)),
    )


def problem_of(event: OutboxEvent) -> str | None:
    """What is missing in an event that cannot be routed."""
    if event.type in BRINGS_RUNS | ASKS_RUNNERS and "pool" not in event.data:
        return "the event names no pool"
    try:
        UUID(str(event.data.get("batch_test_id") or event.aggregate_id))
    except ValueError as error:
        return f"the event's batch_test_id is not an id: {error}"
    return None


def _unique(items: Sequence[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))

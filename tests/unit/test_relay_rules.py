"""Events go where they are needed, failures wait longer each time, pools follow their backlog."""

from collections.abc import Sequence
from uuid import UUID

import pytest
from factories import outbox_event, unhurried
from hypothesis import given
from hypothesis import strategies as st

from wtb_async.application.ids import new_id
from wtb_async.application.outbox.relay_outbox import RelayOptions
from wtb_async.application.outbox.routing import Deliveries, route
from wtb_async.application.runs.dispatch_runs import PoolSize
from wtb_async.domain.batch_events import (
    BatchCompleted,
    BatchCreated,
    BatchExtended,
    BatchGivenUp,
    BatchPaused,
    BatchPauseRequested,
    BatchResumed,
    BatchRetried,
    BatchStarted,
    BatchStopRequested,
)
from wtb_async.domain.events import (
    DomainEvent,
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionCreated,
    ExecutionFailed,
    ExecutionPaused,
    ExecutionStarted,
    ExecutionTakenOver,
    RunnerLost,
    WorkflowChanged,
    WorkflowRegistered,
)
from wtb_async.domain.integrity_events import IntegrityCheckRequested

BATCH = new_id()


@pytest.mark.parametrize(
    "event",
    [
        ExecutionCreated(pool="gpu"),
        ExecutionTakenOver(pool="gpu", attempt=2),
        BatchCreated(pool="gpu", total=3),
        BatchExtended(pool="gpu", added=3, total=6),
        BatchResumed(pool="gpu"),
        BatchRetried(pool="gpu"),
    ],
)
def test_new_runs_bring_their_pool_to_work(event: DomainEvent) -> None:
    assert route([outbox_event(event)]).pools == ("gpu",)


@pytest.mark.parametrize(
    "event",
    [
        ExecutionCompleted(batch_test_id=BATCH),
        ExecutionFailed(batch_test_id=BATCH, error={}),
        ExecutionCancelled(batch_test_id=BATCH),
    ],
)
def test_the_end_of_an_execution_has_its_batch_scored(event: DomainEvent) -> None:
    sent = route([outbox_event(event)])
    assert (sent.pools, sent.batches) == ((), (BATCH,))


@pytest.mark.parametrize(
    "event",
    [
        WorkflowRegistered(name="rag"),
        WorkflowChanged(name="rag", change="added"),
        ExecutionStarted(run_id=new_id(), attempt=1, batch_test_id=BATCH),
        ExecutionPaused(batch_test_id=BATCH, reason="command"),
        ExecutionCompleted(),
        ExecutionFailed(error={}),
        BatchStarted(),
        BatchCompleted(),
        BatchPaused(),
        RunnerLost(name="runner-1"),
    ],
)
def test_other_events_ask_for_no_work(event: DomainEvent) -> None:
    sent = route([outbox_event(event)])
    assert (sent.pools, sent.batches) == ((), ())


def test_every_event_is_news_of_its_object_and_progress_of_its_batch() -> None:
    execution, runner = new_id(), new_id()
    sent = route(
        [
            outbox_event(ExecutionPaused(batch_test_id=BATCH, reason="command"), execution),
            outbox_event(RunnerLost(name="runner-1"), runner),
        ]
    )
    assert (sent.news, sent.progress) == ((execution, runner), (BATCH,))


def test_the_news_of_a_batch_cover_its_progress() -> None:
    sent = route(
        [outbox_event(ExecutionCompleted(batch_test_id=BATCH)), outbox_event(BatchStarted(), BATCH)]
    )
    assert (BATCH in sent.news, sent.progress) == (True, ())


def test_many_events_ask_for_each_thing_once() -> None:
    execution = new_id()
    events = [
        *(outbox_event(ExecutionCreated(pool=pool), execution) for pool in ("a", "b", "a")),
        *(outbox_event(ExecutionCompleted(batch_test_id=BATCH), execution) for _ in range(3)),
    ]
    assert route(events) == Deliveries(
        pools=("a", "b"),
        batches=(BATCH,),
        resting_batches=(BATCH,),
        news=(execution,),
        progress=(BATCH,),
    )


def test_a_batch_without_evaluators_is_only_looked_at_for_its_end() -> None:
    ended = outbox_event(ExecutionCompleted(batch_test_id=BATCH))
    ended.data["is_scored"] = False
    sent = route([ended])
    assert (sent.batches, sent.resting_batches) == ((), (BATCH,))


@pytest.mark.parametrize(
    "event",
    [
        BatchPauseRequested(pool="gpu"),
        BatchStopRequested(pool="gpu"),
        BatchGivenUp(pool="gpu", error={}),
    ],
)
def test_what_is_asked_of_a_batch_reaches_the_runners_of_its_pool(event: DomainEvent) -> None:
    sent = route([outbox_event(event, BATCH)])
    assert (sent.pools, sent.asked_pools) == ((), ("gpu",))
    assert sent.resting_batches == (BATCH,)


@pytest.mark.parametrize(
    "event",
    [
        ExecutionPaused(batch_test_id=BATCH, reason="batch"),
        ExecutionFailed(batch_test_id=BATCH, error={}),
        ExecutionCancelled(batch_test_id=BATCH, is_scored=True),
    ],
)
def test_whatever_comes_to_rest_has_its_batch_looked_at(event: DomainEvent) -> None:
    assert route([outbox_event(event)]).resting_batches == (BATCH,)


def test_nothing_asks_for_nothing() -> None:
    assert route([]) == Deliveries()


def test_ids_come_out_of_the_outbox_as_ids() -> None:
    [batch] = route([outbox_event(ExecutionCompleted(batch_test_id=BATCH))]).batches
    assert isinstance(batch, UUID)


def relay_options(max_attempts: int = 5) -> RelayOptions:
    return RelayOptions(
        chunk_size=10, claim_for=30, max_attempts=max_attempts, backoff=1.5, backoff_limit=10
    )


def test_each_failure_waits_twice_as_long_up_to_a_limit_and_then_no_more() -> None:
    options = relay_options()
    assert [options.retry_in(n) for n in range(1, 7)] == [1.5, 3.0, 6.0, 10.0, None, None]


def test_even_very_many_attempts_have_a_wait() -> None:
    assert relay_options(max_attempts=5000).retry_in(4999) == 10.0


@pytest.mark.parametrize(
    ("pending", "runners"), [(0, 1), (1, 1), (32, 1), (33, 2), (96, 3), (97, 4), (10**6, 4)]
)
def test_a_pool_has_a_runner_for_every_full_set_of_slots(pending: int, runners: int) -> None:
    assert PoolSize(slots=32, minimum=1, maximum=4).for_backlog(pending) == runners


@unhurried
@given(st.integers(0, 10**9), st.integers(1, 100), st.integers(0, 10), st.integers(0, 10))
def test_a_pool_stays_within_its_bounds(pending: int, slots: int, minimum: int, more: int) -> None:
    size = PoolSize(slots=slots, minimum=minimum, maximum=minimum + more).for_backlog(pending)
    assert minimum <= size <= minimum + more
    assert size * slots >= pending or size == minimum + more


@pytest.mark.parametrize(
    ("silent", "numbers"),
    [
        ((), [0]),
        (("runner-default-0",), [0, 1]),
        (("runner-default-0", "runner-default-1"), [0, 1, 2]),
        ([f"runner-default-{number}" for number in range(9)], [0, 1, 2, 3, 4]),
        (("runner-default-7", "runner-other-0"), [0]),
    ],
)
def test_silent_runners_are_stood_in_for_by_a_bounded_number_of_others(
    silent: Sequence[str], numbers: list[int]
) -> None:
    size = PoolSize(slots=32, minimum=1, maximum=2)
    assert size.names("default", 5, silent) == [f"runner-default-{n}" for n in numbers]


def test_a_pool_without_backlog_may_be_empty() -> None:
    assert PoolSize(slots=32, minimum=0, maximum=2).names("default", 0, ()) == []


def test_a_report_that_is_wanted_is_made() -> None:
    event = IntegrityCheckRequested(deep=False, repair=[], dry_run=True)
    assert route([outbox_event(event, BATCH)]).checks == (BATCH,)

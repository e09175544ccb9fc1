"""What a whole batch test takes in which status, and what it makes of it."""

from collections.abc import Callable
from itertools import product

import pytest
from factories import NOW, new_batch

from wtb_async.domain.batch_test import BatchStatus, BatchTest, check_batch_accepts
from wtb_async.domain.command import CommandKind
from wtb_async.domain.errors import InvalidTransition
from wtb_async.domain.events import DomainEvent
from wtb_async.domain.run import DEFAULT_POOL

S = BatchStatus

ACCEPTED = {
    "pause": "pending running",
    "resume": "paused failed cancelled",
    "stop": "pending running paused",
    "retry_failed": "running completed failed cancelled",
    "score": "pending running paused completed failed cancelled",
    "extend": "pending running completed",
}
BECOMES = (None, S.PAUSED, S.CANCELLED, S.FAILED)


@pytest.mark.parametrize(
    ("status", "becomes", "kind"), list(product(BatchStatus, BECOMES, CommandKind))
)
def test_a_command_is_accepted_exactly_where_the_contract_says_so(
    status: BatchStatus, becomes: BatchStatus | None, kind: CommandKind
) -> None:
    """One that is being paused takes what a paused one takes, one that is being ended nothing."""
    stands = {None: status, S.PAUSED: S.PAUSED}.get(becomes)
    if stands is not None and stands in ACCEPTED.get(kind, "").split():
        check_batch_accepts(status, becomes, kind)
    else:
        with pytest.raises(InvalidTransition, match=r"being stopped|does not take"):
            check_batch_accepts(status, becomes, kind)


Ask = Callable[[BatchTest], DomainEvent]
ASKS: dict[str, Ask] = {
    "pause": lambda batch: batch.ask_to_pause(),
    "resume": lambda batch: batch.resume(failures=3, at=NOW),
    "stop": lambda batch: batch.ask_to_stop(),
    "retry_failed": lambda batch: batch.retry_failed(at=NOW),
}


@pytest.mark.parametrize(
    ("status", "becomes", "kind"), list(product(BatchStatus, BECOMES, ASKS)), ids=str
)
def test_a_batch_changes_with_a_new_version_or_not_at_all(
    status: BatchStatus, becomes: BatchStatus | None, kind: str
) -> None:
    batch = new_batch(status, becomes)
    before = dict(vars(batch))
    try:
        check_batch_accepts(status, becomes, CommandKind(kind))
    except InvalidTransition:
        with pytest.raises(InvalidTransition):
            ASKS[kind](batch)
        assert vars(batch) == before
    else:
        ASKS[kind](batch)
        assert batch.version == 2


@pytest.mark.parametrize(("ask", "becomes"), [("pause", S.PAUSED), ("stop", S.CANCELLED)], ids=str)
def test_a_batch_stands_as_it_did_until_nothing_of_it_runs(ask: str, becomes: BatchStatus) -> None:
    batch = new_batch(S.RUNNING)
    assert ASKS[ask](batch).data() == {"pool": DEFAULT_POOL}
    assert (batch.status, batch.becomes) == (S.RUNNING, becomes)


@pytest.mark.parametrize("status", [S.PENDING, S.RUNNING])
def test_a_pause_that_has_not_come_true_is_taken_back(status: BatchStatus) -> None:
    batch = new_batch(status, S.PAUSED)
    ASKS["resume"](batch)
    assert (batch.status, batch.becomes) == (status, None)


@pytest.mark.parametrize("status", [S.FAILED, S.CANCELLED])
@pytest.mark.parametrize("ask", ["resume", "retry_failed"])
def test_a_batch_that_goes_on_has_not_ended(status: BatchStatus, ask: str) -> None:
    batch = new_batch(status, started_at=None, finished_at=NOW, error={"type": "TooManyFailures"})
    assert batch.is_partly_finished
    ASKS[ask](batch)
    assert (batch.status, batch.finished_at, batch.error) == (S.RUNNING, None, None)
    assert batch.started_at == NOW
    assert batch.is_going_on


def test_more_failures_than_it_may_have_make_a_batch_fail() -> None:
    batch = new_batch(S.RUNNING, max_failures=2)
    assert [batch.fails_with(count) for count in (0, 2, 3)] == [False, False, True]
    event = batch.give_up()
    assert event.error == batch.error
    assert batch.becomes is S.FAILED
    assert not batch.fails_with(100), "it was given up already"


def test_a_batch_without_a_limit_never_fails() -> None:
    assert not new_batch(S.RUNNING).fails_with(10**9)
    assert new_batch(S.RUNNING, max_failures=0).fails_with(1)


def test_failures_that_a_batch_was_resumed_in_spite_of_do_not_count() -> None:
    batch = new_batch(S.FAILED, max_failures=2)
    ASKS["resume"](batch)
    assert [batch.fails_with(count) for count in (3, 5, 6)] == [False, False, True]


def test_a_pause_gives_a_batch_no_new_failures() -> None:
    batch = new_batch(S.PAUSED, max_failures=2)
    ASKS["resume"](batch)
    assert batch.fails_with(3)


def test_a_retry_counts_failures_from_the_beginning() -> None:
    batch = new_batch(S.FAILED, max_failures=2, forgiven_failures=5)
    ASKS["retry_failed"](batch)
    assert [batch.fails_with(count) for count in (2, 3)] == [False, True]

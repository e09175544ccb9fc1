"""A batch test grows along its product: what is done is not done again, and nothing is missing."""

import pytest
from factories import NOW, unhurried
from hypothesis import given
from hypothesis import strategies as st

from wtb_async.application.executions.plan import NOTHING, Extent, plan_product
from wtb_async.application.ids import new_id
from wtb_async.domain.batch_test import BatchStatus, BatchTest
from wtb_async.domain.errors import InvalidTransition
from wtb_async.domain.graph_choice import GraphChoice

SIZES = st.integers(0, 4)
EXTENTS = st.tuples(SIZES, SIZES, SIZES)
COMBINATIONS = st.dictionaries(
    st.sampled_from(["find", "rank", "__workflow__"]), st.sampled_from(["base", "a", "b"])
)
GROWING = (BatchStatus.PENDING, BatchStatus.RUNNING, BatchStatus.COMPLETED)


def new_batch(status: BatchStatus = BatchStatus.COMPLETED) -> BatchTest:
    return BatchTest(
        id=new_id(),
        workflow_id=new_id(),
        name="a batch",
        combinations=[{"find": "base"}, {"find": "bm25"}],
        baseline={"find": "bm25"},
        evaluators=[],
        repetitions=1,
        total=6,
        limits={},
        created_by="tester",
        created_at=NOW,
        status=status,
        version=3,
        finished_at=NOW,
    )


def places(wanted: Extent, done: Extent = NOTHING) -> list[tuple[int, int, int]]:
    return [(each.input, each.choice, each.repetition) for each in plan_product(wanted, done)]


@unhurried
@given(EXTENTS, EXTENTS)
def test_what_is_done_and_what_is_planned_are_the_whole_product_once(
    more: Extent, done: Extent
) -> None:
    wanted = (more[0] + done[0], more[1] + done[1], more[2] + done[2])
    planned = places(wanted, done)
    assert sorted(planned + places(done)) == sorted(places(wanted))


def test_every_choice_of_an_input_is_planned_next_to_each_other() -> None:
    assert places((2, 2, 2), (1, 1, 1)) == [
        (0, 1, 0),
        (0, 0, 1),
        (0, 1, 1),
        (1, 0, 0),
        (1, 1, 0),
        (1, 0, 1),
        (1, 1, 1),
    ]


@unhurried
@given(COMBINATIONS)
def test_a_choice_and_its_combination_mean_the_same(combination: dict[str, str]) -> None:
    choice = GraphChoice.of(combination)
    assert "__workflow__" not in choice.variants
    assert GraphChoice.of(choice.combination()) == choice
    assert choice.workflow_variant != "base"


def test_a_finished_batch_runs_again_when_it_grows() -> None:
    batch = new_batch()
    grown = [*({**each, "rank": "base"} for each in batch.combinations), {"find": "a", "rank": "b"}]
    event = batch.extend(grown, cases=4, repetitions=2)
    assert (event.added, event.total, batch.total) == (18, 24, 24)
    assert (batch.status, batch.finished_at, batch.version) == (BatchStatus.RUNNING, None, 4)
    assert (batch.combinations, batch.repetitions) == (grown, 2)
    assert batch.baseline == {"find": "bm25", "rank": "base"}


@pytest.mark.parametrize("status", [BatchStatus.PENDING, BatchStatus.RUNNING])
def test_a_batch_that_has_not_ended_stays_where_it_is(status: BatchStatus) -> None:
    batch = new_batch(status)
    batch.extend(batch.combinations, cases=4, repetitions=1)
    assert (batch.status, batch.total) == (status, 8)


@pytest.mark.parametrize("status", sorted(set(BatchStatus) - set(GROWING)))
def test_a_batch_that_was_stopped_halfway_takes_nothing_new(status: BatchStatus) -> None:
    batch = new_batch(status)
    with pytest.raises(InvalidTransition, match="resume it first"):
        batch.extend(batch.combinations, cases=4, repetitions=1)
    assert (batch.status, batch.total, batch.version) == (status, 6, 3)

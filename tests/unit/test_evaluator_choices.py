"""What callers say of evaluators is kept as they said it, and every score has one key."""

import pytest
from factories import NOW

from wtb_async.application.ids import new_id
from wtb_async.domain.batch_test import BatchStatus, BatchTest, ScoringMode
from wtb_async.domain.errors import InvalidInput, InvalidTransition
from wtb_async.domain.evaluator import (
    EvaluatorChoice,
    EvaluatorKind,
    check_keys,
    choices_of,
    numbered,
    shown,
)

PLAIN = EvaluatorChoice(use="scorers:judge")
FULL = EvaluatorChoice(
    use="wtb.regex",
    key="has_date",
    arguments={"pattern": "x"},
    output="answer",
    reference="gold",
    lower_is_better=False,
)
PAIR = EvaluatorChoice(use="scorers:judge", kind=EvaluatorKind.PAIRWISE, key="pair")
SUMMARY = EvaluatorChoice(use="scorers:f1", kind=EvaluatorKind.SUMMARY)
ALL = [PLAIN, FULL, PAIR, SUMMARY]


def test_a_choice_comes_back_from_storage_as_it_was() -> None:
    assert [EvaluatorChoice.from_stored(choice.to_stored()) for choice in ALL] == ALL


def test_a_choice_is_shown_as_callers_write_it() -> None:
    stored = [choice.to_stored() for choice in ALL]
    assert shown(stored, EvaluatorKind.SINGLE) == [
        "scorers:judge",
        {
            "use": "wtb.regex",
            "key": "has_date",
            "with": {"pattern": "x"},
            "output": "answer",
            "reference": "gold",
            "lower_is_better": False,
        },
    ]
    assert shown(stored, EvaluatorKind.PAIRWISE) == [{"use": "scorers:judge", "key": "pair"}]
    assert shown(stored, EvaluatorKind.SUMMARY) == ["scorers:f1"]


def test_every_kind_is_counted_in_the_field_that_lists_it() -> None:
    assert [place for place, _ in numbered([PLAIN, PAIR, FULL, SUMMARY])] == [
        "evaluators.0",
        "pairwise_evaluators.0",
        "evaluators.1",
        "summary_evaluators.0",
    ]


@pytest.mark.parametrize(
    ("choices", "problem"),
    [
        (["a:judge", "b:judge"], "evaluators.1: another evaluator scores under 'judge'"),
        ([PLAIN, EvaluatorChoice(use="b:c", key="judge")], "evaluators.1: another"),
        ([EvaluatorChoice(use="a:b", key="two words")], "evaluators.0.key: a key has"),
        ([EvaluatorChoice(use="a:b", key="")], "evaluators.0.key: a key has"),
        ([EvaluatorChoice(use="a:b", key="line\n")], "evaluators.0.key: a key has"),
    ],
)
def test_two_evaluators_never_score_under_one_key(
    choices: list[EvaluatorChoice | str], problem: str
) -> None:
    with pytest.raises(InvalidInput, match=problem):
        check_keys(choices_of(choices))


def test_a_key_of_its_own_lets_an_evaluator_be_used_twice() -> None:
    check_keys([PLAIN, EvaluatorChoice(use="scorers:judge", key="again")])


def batch(status: BatchStatus) -> BatchTest:
    return BatchTest(
        id=new_id(),
        workflow_id=new_id(),
        name="a batch",
        combinations=[{}],
        baseline={},
        evaluators=[PLAIN.to_stored()],
        repetitions=1,
        total=1,
        limits={},
        created_by="test",
        created_at=NOW,
        status=status,
        finished_at=NOW,
    )


S = BatchStatus


@pytest.mark.parametrize(
    ("status", "after"),
    [
        (S.PENDING, S.PENDING),
        (S.RUNNING, S.RUNNING),
        (S.PAUSED, S.PAUSED),
        (S.COMPLETED, S.RUNNING),
        (S.FAILED, S.RUNNING),
    ],
)
def test_a_batch_that_has_ended_runs_until_it_is_scored_again(status: S, after: S) -> None:
    scored = batch(status)
    event = scored.score_again([FULL], ScoringMode.ADD)
    assert (scored.status, scored.version) == (after, 2)
    assert (scored.finished_at is None) is (status is not after)
    assert scored.evaluators == [PLAIN.to_stored(), FULL.to_stored()]
    assert event.data() == {"mode": "add", "evaluators": 1}


def test_replacing_makes_room_for_the_same_key() -> None:
    scored = batch(S.COMPLETED)
    with pytest.raises(InvalidInput):
        scored.score_again([PLAIN], ScoringMode.ADD)
    assert (scored.status, scored.version) == (S.COMPLETED, 1)
    scored.score_again([PLAIN], ScoringMode.REPLACE)
    assert scored.evaluators == ["scorers:judge"]


@pytest.mark.parametrize(
    ("choices", "mode"), [([], ScoringMode.ADD), ([], ScoringMode.REPLACE), ([FULL], "retry")]
)
def test_a_retry_names_no_evaluator_and_everything_else_does(
    choices: list[EvaluatorChoice], mode: ScoringMode
) -> None:
    with pytest.raises(InvalidInput, match="evaluators: "):
        batch(S.COMPLETED).score_again(choices, ScoringMode(mode))


@pytest.mark.parametrize("status", [S.CANCELLED, S.FAILED])
def test_a_batch_that_ended_badly_is_scored_and_ends_as_that_again(status: BatchStatus) -> None:
    ended = batch(status)
    ended.score_again([FULL], ScoringMode.ADD)
    assert (ended.status, ended.becomes) == (S.RUNNING, status)


def test_a_batch_that_is_being_stopped_is_not_scored_again() -> None:
    stopping = batch(S.RUNNING)
    stopping.becomes = S.CANCELLED
    with pytest.raises(InvalidTransition, match="being stopped"):
        stopping.score_again([FULL], ScoringMode.ADD)
    assert stopping.evaluators == [PLAIN.to_stored()]

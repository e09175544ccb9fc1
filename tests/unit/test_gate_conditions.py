"""Conditions are read as they are written, and what cannot be read says where."""

from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wtb_async.domain.errors import InvalidInput
from wtb_async.domain.gate.condition import (
    Condition,
    FailureCount,
    Operator,
    ScoreMeasure,
    Summary,
)
from wtb_async.domain.gate.reading import read_condition, read_rival

names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters='"'), min_size=1)
scores = st.one_of(
    st.builds(ScoreMeasure, names, st.sampled_from([Summary.MEAN, Summary.MIN, Summary.MAX])),
    st.builds(ScoreMeasure, names, st.just(Summary.PERCENTILE), st.integers(1, 99)),
)
conditions = st.builds(
    Condition,
    scores | st.builds(FailureCount),
    st.sampled_from(Operator),
    st.floats(allow_nan=False, allow_infinity=False),
    st.dictionaries(names, names),
)


@given(conditions)
@example(Condition(ScoreMeasure("failures"), Operator.ABOVE, 0.0))
@example(Condition(ScoreMeasure("mean"), Operator.BELOW, -1e-300, {"a=b": "x, y"}))
def test_a_condition_that_is_written_down_is_read_back(condition: Condition) -> None:
    assert read_condition(str(condition)) == condition


@given(st.text())
@example("[" * 1000)
def test_no_text_does_anything_but_be_read_or_refused(text: str) -> None:
    try:
        condition = read_condition(text)
    except InvalidInput as refused:
        assert refused.violations[0].field == "fail_if"  # noqa: PT017 - either end is right
    else:
        assert read_condition(str(condition)) == condition


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("hit_at_k < 0.8", Condition(ScoreMeasure("hit_at_k"), Operator.BELOW, 0.8)),
        ("mean(hit)<=.5", Condition(ScoreMeasure("hit"), Operator.AT_MOST, 0.5)),
        ("failures>0", Condition(FailureCount(), Operator.ABOVE, 0.0)),
        (
            "[retriever=bm25, reranker=none] p95( wtb.latency ) >= 1e3",
            Condition(
                ScoreMeasure("wtb.latency", Summary.PERCENTILE, 95),
                Operator.AT_LEAST,
                1000.0,
                {"retriever": "bm25", "reranker": "none"},
            ),
        ),
        ('"hit rate" != -1', Condition(ScoreMeasure("hit rate"), Operator.UNEQUAL, -1.0)),
        ('"failures" == 0', Condition(ScoreMeasure("failures"), Operator.EQUAL, 0.0)),
        ("hit@5 > 0", Condition(ScoreMeasure("hit@5"), Operator.ABOVE, 0.0)),
        ("min < 3", Condition(ScoreMeasure("min"), Operator.BELOW, 3.0)),
    ],
)
def test_what_people_write_is_understood(text: str, condition: Condition) -> None:
    assert read_condition(text) == condition


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected a score, or failures at the end"),
        ("hit", "expected one of < <= > >= == != at the end"),
        ("hit = 0.8", "expected one of < <= > >= == != at '= 0.8'"),
        ("hit < high", "'high' is not a number"),
        ("hit < nan", "'nan' is not a number"),
        ("hit < 1e999", "'1e999' is not a number"),
        ("hit < 0.8 0.9", "expected nothing more at '0.9'"),
        ("hit < 0.8; rm", "'0.8;' is not a number"),
        ("median(hit) < 1", "'median' is not one of mean, min, max, p1 to p99"),
        ("p100(hit) < 1", "'p100' is not one of"),
        ("p95(hit < 1", "expected ')' at '< 1'"),
        ("[retriever] hit < 1", "expected '=' at '] hit < 1'"),
        ("[] hit < 1", "expected node=variant at '] hit < 1'"),
        ("[a=b,a=c] hit < 1", "node 'a' is given twice"),
        ("[a=b hit < 1", "expected ']' at 'hit < 1'"),
        ('"hit < 1', "expected a score, or failures at '\"hit < 1'"),
        ("__import__('os') < 1", "is not one of mean, min, max"),
    ],
)
def test_what_cannot_be_read_says_what_was_expected_where(text: str, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_condition(text)
    assert said in str(refused.value)


def test_a_rival_is_another_batch_test_or_a_combination() -> None:
    batch = "01890a5d-ac96-774b-bcce-b302099a8057"
    assert read_rival(f" {batch} ") == UUID(batch)
    assert read_rival("retriever=bm25,reranker=none") == {"retriever": "bm25", "reranker": "none"}


@pytest.mark.parametrize("text", ["", "main", "01890a5d-ac96", "a=b,", "a=b c"])
def test_any_other_rival_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_rival(text)
    assert refused.value.violations[0].field == "worse_than"


@pytest.mark.parametrize(
    ("value", "held"),
    [
        (0.7, {"<", "<=", "!="}),
        (0.8, {"<=", ">=", "=="}),
        (sum([0.1] * 8), {"<=", ">=", "=="}),
        (0.9, {">", ">=", "!="}),
    ],
)
def test_a_mean_that_misses_the_limit_by_rounding_alone_equals_it(
    value: float, held: set[str]
) -> None:
    assert {each.value for each in Operator if each.holds(value, 0.8)} == held

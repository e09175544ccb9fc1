"""A variant matrix stands for exactly the combinations that its author wrote."""

from math import prod

import pytest
from factories import unhurried
from hypothesis import given
from hypothesis import strategies as st

from wtb_async.domain.errors import InvalidInput
from wtb_async.domain.evaluator import score_key
from wtb_async.domain.variant_matrix import choose_baseline, expand_matrix, merged
from wtb_async.domain.workflow import decided

NAMES = st.text("abc", min_size=1, max_size=3)
VARIANTS = st.lists(NAMES, min_size=1, max_size=4, unique=True)
MATRICES = st.dictionaries(NAMES, VARIANTS, max_size=4)


@unhurried
@given(MATRICES)
def test_a_product_has_every_combination_once(matrix: dict[str, list[str]]) -> None:
    combinations = expand_matrix(matrix)
    assert len(combinations) == prod(len(variants) for variants in matrix.values())
    assert len({frozenset(each.items()) for each in combinations}) == len(combinations)
    assert all(each[node] in matrix[node] for each in combinations for node in matrix)


@unhurried
@given(MATRICES)
def test_a_product_keeps_the_order_in_which_it_was_written(matrix: dict[str, list[str]]) -> None:
    places = [
        tuple(matrix[node].index(variant) for node, variant in each.items())
        for each in expand_matrix(matrix)
    ]
    assert places == sorted(places)


@unhurried
@given(MATRICES)
def test_a_list_of_all_combinations_is_the_same_matrix(matrix: dict[str, list[str]]) -> None:
    combinations = expand_matrix(matrix)
    assert expand_matrix(combinations) == combinations


def test_an_empty_product_is_the_workflow_as_it_is() -> None:
    assert expand_matrix({}) == [{}]


def test_a_node_that_a_listed_combination_leaves_out_stays_base() -> None:
    assert expand_matrix([{"rank": "x"}, {"find": "y"}]) == [
        {"rank": "x", "find": "base"},
        {"rank": "base", "find": "y"},
    ]


@pytest.mark.parametrize(
    "matrix",
    [
        {"find": ["a", "a"]},
        [{"find": "a"}, {"find": "a"}],
        [{"find": "a", "rank": "b"}, {"rank": "b", "find": "a"}],
        [{"find": "a"}, {"find": "a", "rank": "base"}],
    ],
)
def test_a_combination_written_twice_is_refused(
    matrix: dict[str, list[str]] | list[dict[str, str]],
) -> None:
    with pytest.raises(InvalidInput, match=r"variant_matrix: .*twice"):
        expand_matrix(matrix)


@pytest.mark.parametrize("matrix", [[], {"find": []}, {"find": ["a"], "rank": []}])
def test_a_matrix_without_a_combination_is_refused(
    matrix: dict[str, list[str]] | list[dict[str, str]],
) -> None:
    with pytest.raises(InvalidInput, match="no combination"):
        expand_matrix(matrix)


@pytest.mark.parametrize(
    "matrix",
    [
        {name: [str(number) for number in range(40)] for name in "abcd"},
        {str(node): ["a", "b"] for node in range(20_000)},
        [{"find": str(number)} for number in range(10_001)],
    ],
    ids=["product", "enormous product", "list"],
)
def test_a_matrix_that_is_too_large_is_refused_before_it_is_written_out(
    matrix: dict[str, list[str]] | list[dict[str, str]],
) -> None:
    with pytest.raises(InvalidInput, match="more than 10000 combinations"):
        expand_matrix(matrix)


@unhurried
@given(MATRICES, MATRICES)
def test_matrices_merge_into_what_either_of_them_names(
    matrix: dict[str, list[str]], other: dict[str, list[str]]
) -> None:
    first, second = expand_matrix(matrix), expand_matrix(other)
    both = merged(first, second)
    assert {frozenset(each) for each in both} == {frozenset([*matrix, *other])}
    assert [decided(each) for each in both[: len(first)]] == [decided(each) for each in first]
    wanted = {frozenset(decided(each).items()) for each in [*first, *second]}
    assert {frozenset(decided(each).items()) for each in both} == wanted
    assert len({frozenset(each.items()) for each in both}) == len(both)


def test_the_baseline_is_the_original_wherever_it_stands() -> None:
    combinations = expand_matrix({"find": ["a", "base"], "rank": ["b", "base"]})
    assert choose_baseline(combinations) == {"find": "base", "rank": "base"}


def test_without_the_original_the_first_combination_is_the_baseline() -> None:
    combinations = expand_matrix({"find": ["a", "b"], "rank": ["base", "c"]})
    assert choose_baseline(combinations) == {"find": "a", "rank": "base"}


@pytest.mark.parametrize(
    ("evaluator", "key"),
    [("wtb.latency", "wtb.latency"), ("a.b:hit", "hit"), ("./scorers.py:hit", "hit")],
)
def test_an_evaluator_scores_under_its_functions_name(evaluator: str, key: str) -> None:
    assert score_key(evaluator) == key

"""Exclusions leave out the combinations that have all of their pairs, and nothing else."""

import pytest
from factories import unhurried
from hypothesis import assume, given
from hypothesis import strategies as st

from wtb_async.domain.errors import InvalidInput
from wtb_async.domain.variant_matrix import expand_matrix

NAMES = st.sampled_from(["find", "rank", "answer", "__workflow__"])
VARIANTS = st.sampled_from(["base", "a", "b"])
MATRICES = st.dictionaries(NAMES, st.lists(VARIANTS, min_size=1, unique=True), min_size=1)
ENTRIES = st.lists(st.dictionaries(NAMES, VARIANTS, min_size=1), max_size=4)

MATRIX = {"find": ["base", "bm25"], "rank": ["base", "overlap"]}


def is_excluded(combination: dict[str, str], entry: dict[str, str]) -> bool:
    """Pair by pair, as the rule is written."""
    return all(combination.get(name) == variant for name, variant in entry.items())


@unhurried
@given(MATRICES, ENTRIES)
def test_what_is_left_is_what_a_naive_filter_leaves(
    matrix: dict[str, list[str]], entries: list[dict[str, str]]
) -> None:
    every = expand_matrix(matrix)
    left = [each for each in every if not any(is_excluded(each, entry) for entry in entries)]
    idle = [entry for entry in entries if not any(is_excluded(each, entry) for each in every)]
    if idle or not left:
        with pytest.raises(InvalidInput, match="exclude"):
            expand_matrix(matrix, entries)
    else:
        assert expand_matrix(matrix, entries) == left


@unhurried
@given(MATRICES, ENTRIES)
def test_a_product_and_the_list_of_its_combinations_exclude_alike(
    matrix: dict[str, list[str]], entries: list[dict[str, str]]
) -> None:
    try:
        left = expand_matrix(matrix, entries)
    except InvalidInput:
        assume(False)
    assert expand_matrix(expand_matrix(matrix), entries) == left


def test_an_exclusion_may_name_some_of_the_nodes() -> None:
    assert expand_matrix(MATRIX, [{"find": "bm25"}]) == [
        {"find": "base", "rank": "base"},
        {"find": "base", "rank": "overlap"},
    ]


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"fnd": "bm25"}, "exclude.0.fnd: the matrix does not have it; it has find, rank"),
        ({"find": "bm26"}, "exclude.0.find: the matrix has no 'bm26' of it; it has base, bm25"),
        (
            {"__workflow__": "flat", "find": "bm25"},
            "exclude.0.__workflow__: the matrix does not have it; it has find, rank",
        ),
        ({}, "exclude: it leaves no combination"),
    ],
)
def test_an_exclusion_that_names_what_is_not_there_says_so(
    entry: dict[str, str], problem: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        expand_matrix(MATRIX, [entry])
    assert str(caught.value) == problem


def test_an_exclusion_that_matches_no_combination_says_so() -> None:
    listed = [{"find": "bm25", "rank": "base"}, {"find": "base", "rank": "overlap"}]
    with pytest.raises(InvalidInput) as caught:
        expand_matrix(listed, [{"rank": "base"}, {"find": "bm25", "rank": "overlap"}])
    assert str(caught.value) == "exclude.1: no combination of the matrix has all of this"


def test_all_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        expand_matrix(MATRIX, [{"fnd": "x", "rank": "y"}, {"find": "z"}])
    assert [violation.field for violation in caught.value.violations] == [
        "exclude.0.fnd",
        "exclude.0.rank",
        "exclude.1.find",
    ]


def test_an_empty_matrix_has_nothing_to_exclude() -> None:
    with pytest.raises(InvalidInput, match=r"exclude\.0\.find: .* it has no nodes"):
        expand_matrix({}, [{"find": "bm25"}])

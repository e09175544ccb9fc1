"""Variant matrix: the combinations of variants that a batch test compares."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

from wtb_async.domain.errors import InvalidInput, Violation
from wtb_async.domain.graph_choice import Combination
from wtb_async.domain.workflow import BASE_VARIANT

MAX_COMBINATIONS = 10_000
"""Of one batch test; a matrix is counted before it is written out."""

Matrix = dict[str, list[str]] | list[Combination]
"""A product (`{"node": ["variant", ...]}`) or an explicit list of combinations."""


def expand_matrix(matrix: Matrix, exclude: Sequence[Combination] = ()) -> list[Combination]:
    """Every combination that a variant matrix stands for, in the order it was written.

    Args:
        matrix: a product or a list; a node that a listed combination leaves out stays `base`.
        exclude: a combination that has all pairs of one of these is left out.

    Raises:
        InvalidInput: nothing to run, too much of it, a combination written twice, or an exclusion
            that leaves nothing out.
    """
    check_size(_size(matrix))
    combinations = _written_out(matrix)
    if not combinations:
        raise InvalidInput.of("variant_matrix", "it has no combination; give each node a variant")
    if len({tuple(c.items()) for c in combinations}) != len(combinations):
        raise InvalidInput.of("variant_matrix", "a combination is listed twice")
    return _without(combinations, exclude)


def check_size(combinations: int) -> None:
    """Raise `InvalidInput` when there are more combinations than a batch test takes."""
    if combinations > MAX_COMBINATIONS:
        message = f"more than {MAX_COMBINATIONS} combinations, which no batch test takes"
        raise InvalidInput.of("variant_matrix", message)


def with_names(combinations: Iterable[Combination], names: Sequence[str]) -> list[Combination]:
    """The combinations with all of these names; what one leaves out stays `base`."""
    return [{name: each.get(name, BASE_VARIANT) for name in names} for each in combinations]


def merged(combinations: Sequence[Combination], others: Sequence[Combination]) -> list[Combination]:
    """All combinations, each once, with the names of all; the first ones keep their places."""
    names = list(dict.fromkeys([*combinations[0], *(name for each in others[:1] for name in each)]))
    every = with_names([*combinations, *others], names)
    return list({tuple(each.values()): each for each in every}.values())


def choose_baseline(combinations: list[Combination]) -> Combination:
    """The combination that the others are compared with: all `base`, or else the first."""
    all_base = dict.fromkeys(combinations[0], BASE_VARIANT)
    return all_base if all_base in combinations else combinations[0]


def _size(matrix: Matrix) -> int:
    """How many combinations there are; of too many, at least one more than a batch takes."""
    if isinstance(matrix, list):
        return len(matrix)
    size = 1
    for variants in matrix.values():
        # A product of a thousand nodes has more digits than Python writes down.
        size = min(size * len(variants), MAX_COMBINATIONS + 1)
    return size


def _written_out(matrix: Matrix) -> list[Combination]:
    if isinstance(matrix, dict):
        return [dict(zip(matrix, choice, strict=True)) for choice in product(*matrix.values())]
    return with_names(matrix, list(dict.fromkeys(name for each in matrix for name in each)))


def _without(combinations: list[Combination], exclude: Sequence[Combination]) -> list[Combination]:
    offered = {name: dict.fromkeys(c[name] for c in combinations) for name in combinations[0]}
    violations = [
        violation
        for number, entry in enumerate(exclude)
        if not any(_has(each, entry) for each in combinations)
        for violation in _why_idle(entry, f"exclude.{number}", offered)
    ]
    if violations:
        raise InvalidInput(violations)
    left = [each for each in combinations if not any(_has(each, entry) for entry in exclude)]
    if not left:
        raise InvalidInput.of("exclude", "it leaves no combination")
    return left


def _has(combination: Combination, entry: Combination) -> bool:
    return entry.items() <= combination.items()


def _why_idle(
    entry: Combination, field: str, offered: Mapping[str, Iterable[str]]
) -> list[Violation]:
    """Why an exclusion leaves nothing out: names that the matrix does not have, or none."""
    unknown = [
        Violation(f"{field}.{name}", problem)
        for name, variant in entry.items()
        if (problem := _unknown(name, variant, offered))
    ]
    return unknown or [Violation(field, "no combination of the matrix has all of this")]


def _unknown(name: str, variant: str, offered: Mapping[str, Iterable[str]]) -> str | None:
    if name not in offered:
        return f"the matrix does not have it; it has {', '.join(offered) or 'no nodes'}"
    if variant not in offered[name]:
        return f"the matrix has no {variant!r} of it; it has {', '.join(offered[name])}"
    return None

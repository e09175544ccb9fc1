"""Two batch tests compared case by case, perhaps of different workflows."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from wtb_async.domain.comparing import (
    CombinationKey,
    Rivals,
    RowsByCombination,
    combination_key,
    compare_on,
    group_rows,
    lower_is_better,
    nodes_of,
    rank,
    score_keys,
)
from wtb_async.domain.comparison import (
    Combination,
    Comparison,
    OtherBatch,
    Pairing,
    ScoredRow,
)
from wtb_async.domain.errors import InvalidInput

_NAMED_CASES = 3


class NothingToPair(InvalidInput):
    """Two batch tests have no test case in common."""


@dataclass(frozen=True, kw_only=True)
class ComparedBatch:
    """One side of the comparison: a batch test with all of its ended executions."""

    id: UUID
    name: str
    baseline: Combination
    rows: Sequence[ScoredRow]


def compare_batches(
    batch: ComparedBatch,
    other: ComparedBatch,
    *,
    evaluator_order: Sequence[str] = (),
) -> Comparison:
    """Compare the combinations of a batch test with those of another, by the ids of the cases.

    Batch tests of the same combinations are compared combination by combination, others by their
    baselines alone.

    Args:
        batch: the one that the verdicts speak of.
        other: the one that it may be better or worse than.
        evaluator_order: as of `compare`.

    Raises:
        NothingToPair: no test case of one has the id of one of the other.
    """
    _check_cases(batch.rows, other.rows)
    grouped, theirs = _grouped(batch), _grouped(other)
    pairing, rival_of = _paired(batch, grouped, other, theirs)
    rivals = Rivals(f"batch test {other.name!r}", theirs, rival_of)
    rows = [*batch.rows, *other.rows]
    lower = lower_is_better(rows)
    evaluators = tuple(
        compare_on(key, grouped, rivals, higher_is_better=key not in lower)
        for key in score_keys(rows, evaluator_order)
    )
    return Comparison(
        baseline=dict(_baseline(batch)),
        evaluators=evaluators,
        ranking=rank(grouped, evaluators),
        against=OtherBatch(
            batch_test_id=other.id,
            name=other.name,
            baseline=dict(_baseline(other)),
            pairing=pairing,
        ),
    )


def _grouped(batch: ComparedBatch) -> RowsByCombination:
    return group_rows(batch.rows, nodes_of(batch.rows, batch.baseline))


def _baseline(batch: ComparedBatch) -> CombinationKey:
    return combination_key(batch.baseline, nodes_of(batch.rows, batch.baseline))


def _paired(
    batch: ComparedBatch,
    grouped: RowsByCombination,
    other: ComparedBatch,
    theirs: RowsByCombination,
) -> tuple[Pairing, dict[CombinationKey, CombinationKey]]:
    """Find the rival of each combination; a node that one side does not name is the original."""
    nodes = nodes_of([*batch.rows, *other.rows], batch.baseline, other.baseline)
    own_by_choice = {combination_key(dict(each), nodes): each for each in grouped}
    their_by_choice = {combination_key(dict(each), nodes): each for each in theirs}
    if own_by_choice.keys() == their_by_choice.keys():
        rival_of = {own: their_by_choice[choice] for choice, own in own_by_choice.items()}
        return Pairing.COMBINATIONS, rival_of
    own = _baseline(batch)
    return Pairing.BASELINES, {own: _baseline(other)} if own in grouped else {}


def _check_cases(rows: Iterable[ScoredRow], other_rows: Iterable[ScoredRow]) -> None:
    own = {row.test_case_id for row in rows}
    theirs = {row.test_case_id for row in other_rows}
    if own.isdisjoint(theirs):
        message = (
            f"it has no test case in common with this one: {_some(theirs)} there, {_some(own)} here"
        )
        raise NothingToPair.of("against", message)


def _some(cases: Collection[str]) -> str:
    if not cases:
        return "no ended execution"
    shown = ", ".join(sorted(cases)[:_NAMED_CASES])
    return shown if len(cases) <= _NAMED_CASES else f"{shown} and {len(cases) - _NAMED_CASES} more"

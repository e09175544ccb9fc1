"""Batch test: variant combinations x test cases x repetitions of one workflow."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import product
from uuid import UUID

from wtb_async.domain.errors import InvalidInput
from wtb_async.domain.json import JsonObject, JsonValue
from wtb_async.domain.transitions import TransitionTable
from wtb_async.domain.workflow import BASE_VARIANT

Combination = dict[str, str]
"""Node name to variant name, with the same nodes in every combination of a batch."""


class BatchStatus(StrEnum):
    """Where a batch test stands."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


_S = BatchStatus

BATCH_TRANSITIONS = TransitionTable(
    "batch test",
    {
        _S.PENDING: frozenset({_S.RUNNING, _S.CANCELLED}),
        _S.RUNNING: frozenset({_S.PAUSED, _S.COMPLETED, _S.FAILED, _S.CANCELLED}),
        _S.PAUSED: frozenset({_S.RUNNING, _S.CANCELLED}),
        _S.COMPLETED: frozenset({_S.RUNNING}),
        _S.FAILED: frozenset({_S.RUNNING}),
        _S.CANCELLED: frozenset(),
    },
)


@dataclass(eq=False, kw_only=True)
class TestCase:
    """A named input with optional reference outputs, of one batch test or of a dataset.

    It never changes: a dataset's case that is edited ends with one version, and another one with
    the same key begins.
    """

    __test__ = False  # pytest would take it for a class of tests.

    id: UUID
    key: str
    """The caller's own id of the case, unique in its batch test or version of a dataset."""
    position: int
    input: JsonObject
    reference: JsonValue = None
    annotations: JsonObject = field(default_factory=dict)
    batch_test_id: UUID | None = None
    dataset_id: UUID | None = None
    since_version: int | None = None
    """The first version of the dataset that has the case."""
    until_version: int | None = None
    """The first version that has it no more; None while the newest has it."""


@dataclass(eq=False, kw_only=True)
class BatchTest:
    """What the user asked to compare; it owns its executions."""

    id: UUID
    workflow_id: UUID
    name: str
    combinations: list[Combination]
    baseline: Combination
    evaluators: list[str]
    repetitions: int
    total: int
    limits: JsonObject
    created_by: str
    created_at: datetime
    dataset_id: UUID | None = None
    dataset_version: int | None = None
    """The version that it runs on, whatever becomes of the dataset."""
    status: BatchStatus = BatchStatus.PENDING
    version: int = 1
    started_at: datetime | None = None
    finished_at: datetime | None = None


def expand_matrix(matrix: dict[str, list[str]] | list[Combination]) -> list[Combination]:
    """Every combination that a variant matrix stands for, in the order it was written.

    Args:
        matrix: a product (`{"node": ["variant", ...]}`) or an explicit list of combinations; a
            node that a listed combination leaves out stays `base`.

    Raises:
        InvalidInput: nothing to run, or a combination written twice.
    """
    if isinstance(matrix, dict):
        names = list(matrix)
        combinations = [
            dict(zip(names, choice, strict=True)) for choice in product(*matrix.values())
        ]
    else:
        names = list(dict.fromkeys(node for combination in matrix for node in combination))
        combinations = [{n: c.get(n, BASE_VARIANT) for n in names} for c in matrix]
    if not combinations:
        raise InvalidInput.of("variant_matrix", "it has no combination; give each node a variant")
    if len({tuple(c.items()) for c in combinations}) != len(combinations):
        raise InvalidInput.of("variant_matrix", "a combination is listed twice")
    return combinations


def choose_baseline(combinations: list[Combination]) -> Combination:
    """The combination that the others are compared with: all `base`, or else the first."""
    all_base = dict.fromkeys(combinations[0], BASE_VARIANT)
    return all_base if all_base in combinations else combinations[0]


def score_key(evaluator: str) -> str:
    """The key under which an evaluator scores unless it names one itself.

    Built-in evaluators (`wtb.latency`) score under their own name, others (`module:function`)
    under their function's.
    """
    return evaluator.rpartition(":")[2]

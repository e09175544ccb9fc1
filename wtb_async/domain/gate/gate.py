"""A gate: what must not be true of a batch test, and what was found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self
from uuid import UUID

from wtb_async.domain.comparison import Combination, Interval
from wtb_async.domain.gate.condition import Condition
from wtb_async.domain.gate.reading import read_condition, read_rival

Rival = UUID | Mapping[str, str]
"""Another batch test, or a combination of the same one."""


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What must not be true of a batch test.

    `scores` are the keys on which it may not be worse than its rivals; none are all scores of its
    evaluators. A `strict` gate fails where there is doubt, too.
    """

    fail_if: tuple[Condition, ...] = ()
    worse_than: tuple[Rival, ...] = ()
    scores: tuple[str, ...] = ()
    strict: bool = False

    @classmethod
    def read(
        cls,
        *,
        fail_if: Sequence[str] = (),
        worse_than: Sequence[str] = (),
        scores: Sequence[str] = (),
        strict: bool = False,
    ) -> Self:
        """Read a gate as people write it. Raises InvalidInput for what cannot be read."""
        return cls(
            fail_if=tuple(map(read_condition, fail_if)),
            worse_than=tuple(map(read_rival, worse_than)),
            scores=tuple(scores),
            strict=strict,
        )


class Outcome(StrEnum):
    """What became of one condition on one combination."""

    FAILED = "failed"
    DOUBTFUL = "doubtful"
    """It did not hold as far as can be seen, but not everything can; strict gates fail."""
    PASSED = "passed"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One condition on one combination, or on the batch test as a whole.

    `value` is what was held against the condition, `interval` its 95 % interval and `n` how many
    test cases (for a percentile, minimum, maximum or number of failures: executions) it is made
    of. For a rival, `value` is the paired difference. They are None where there is none.
    """

    condition: str
    combination: Combination | None
    outcome: Outcome
    message: str
    value: float | None = None
    interval: Interval | None = None
    n: int | None = None


@dataclass(frozen=True, kw_only=True)
class GateReport:
    """What a gate found; in the order in which its conditions were given."""

    batch_test_id: UUID
    passed: bool
    findings: tuple[Finding, ...]

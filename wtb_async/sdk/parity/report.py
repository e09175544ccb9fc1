"""What two benches disagree about."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from wtb_async.domain.comparison import combination_label
from wtb_async.domain.json import JsonValue


class DiscrepancyKind(StrEnum):
    """In what two executions of the same combination, case and repetition differ."""

    MISSING_ROW = "missing_row"
    STATUS = "status"
    OUTPUT = "output"
    ERROR = "error"
    SCORE = "score"
    NODE_EXECUTIONS = "node_executions"
    EVENTS = "events"
    DURATION = "duration"


@dataclass(frozen=True, slots=True, order=True)
class RowKey:
    """Which execution of a batch test it is, on every bench."""

    combination: tuple[tuple[str, str], ...]
    test_case_id: str
    repetition: int

    def __str__(self) -> str:
        label = combination_label(dict(self.combination))
        return f"{label}, case {self.test_case_id}, repetition {self.repetition}"


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One difference; `path` says where in the row, `output.answer.0` or `scores.accuracy`."""

    kind: DiscrepancyKind
    row: RowKey
    path: str
    first: JsonValue
    second: JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class ParityReport:
    """Whether a batch test came out the same on two benches; as text it is a table.

    Attributes:
        first: the name of one bench.
        second: the name of the other.
        rows: how many executions were compared.
        discrepancies: every difference outside of the tolerance, in the order of the rows.
    """

    first: str
    second: str
    rows: int
    discrepancies: tuple[Discrepancy, ...]

    @property
    def is_clean(self) -> bool:
        """Whether there is no difference."""
        return not self.discrepancies

    def counts(self) -> dict[str, int]:
        """How many differences there are of each kind."""
        return dict(Counter(each.kind.value for each in self.discrepancies))

    @property
    def summary(self) -> str:
        """One sentence."""
        counts = ", ".join(f"{count} {kind}" for kind, count in self.counts().items())
        compared = f"{self.rows} executions compared on {self.first} and {self.second}"
        return f"{compared}: {counts or 'no discrepancy'}"

    def __str__(self) -> str:
        lines = [
            f"{each.kind.value:<15}  {each.row}  {each.path}: {each.first!r} on {self.first}, "
            f"{each.second!r} on {self.second}"
            for each in self.discrepancies
        ]
        return "\n".join([self.summary, *lines])

"""Status tables: which status may follow which, and nothing else."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from wtb_async.domain.errors import InvalidTransition

Status = TypeVar("Status", bound=StrEnum)


class TransitionTable(Generic[Status]):
    """The allowed moves between the statuses of one kind of object.

    Statements that change many rows at once take their `WHERE status IN (...)` from `sources`, so
    that the table here stays the only place where the rule is written.
    """

    def __init__(self, subject: str, moves: Mapping[Status, frozenset[Status]]) -> None:
        self._subject = subject
        self._moves = moves

    def allows(self, current: Status, target: Status) -> bool:
        """Tell whether `target` may follow `current`."""
        return target in self._moves[current]

    def check(self, current: Status, target: Status) -> None:
        """Raise `InvalidTransition` unless `target` may follow `current`."""
        if not self.allows(current, target):
            raise InvalidTransition(
                f"a {current.value} {self._subject} cannot become {target.value}"
            )

    def sources(self, target: Status) -> tuple[Status, ...]:
        """Every status that `target` may follow."""
        return tuple(status for status, targets in self._moves.items() if target in targets)

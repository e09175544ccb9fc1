"""What an integrity check needs from outside: places to look at, and ways to mend them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from wtb_async.application.ports import UnitOfWork
from wtb_async.domain.integrity import Check, Finding


@dataclass(frozen=True, slots=True)
class Looked:
    """What one part of a check has found; without a cursor there is no other part."""

    findings: Sequence[Finding]
    cursor: list[str] | None


class Inspection(Protocol):
    """Makes a check, part by part, each of bounded size and seen at one moment."""

    @property
    def check(self) -> Check:
        """What is checked."""

    async def look(self, cursor: list[str] | None) -> Looked:
        """Look at the part behind the cursor. Raises TransientError."""


Repair = Callable[[Sequence[Finding], UnitOfWork], Awaitable[int]]
"""Mends rows for which a finding still holds; answers how many. The caller commits."""

Restore = Callable[[Sequence[Finding]], Awaitable[int]]
"""Mends what is outside of the database; answers how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """All checks of a system, and what mends their findings, by the check's name.

    What mends is safe while runs go on, and may be called again.
    """

    inspections: Sequence[Inspection]
    repairs: Mapping[str, Repair]
    restores: Mapping[str, Restore]

    def wanted(self, *, deep: bool) -> list[Inspection]:
        """Those that a report is made of."""
        return [each for each in self.inspections if deep or not each.check.is_deep]

    @property
    def repairable(self) -> frozenset[str]:
        """The checks whose findings can be mended."""
        return frozenset({*self.repairs, *self.restores})

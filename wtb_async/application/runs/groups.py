"""Groups: executions that share a run until they part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from wtb_async.domain.run import Run, Thread


@dataclass(frozen=True, slots=True)
class RunGroup:
    """A run with the executions that it serves, and the variants that each has chosen."""

    run: Run
    members: Mapping[UUID, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parting:
    """Executions that leave the thread of their group for a fork of it."""

    thread: Thread
    executions: Sequence[UUID]
    run: Run | None = None
    """Goes on with them; None leaves them with the run that they had."""
    keeps_writes: bool = True
    """Tasks that had finished after the last checkpoint are not run again."""
    spent_ms: float | None = None
    """What the run that they leave has taken them; None where that is counted later, or not."""

"""Places in the event stream of an execution.

Lifecycle events are numbered 1, 2, 3 by the execution's version. Between them a run shows live
events, which are counted from 1 for each run.
"""

import re
from dataclasses import dataclass

from wtb_async.domain.events import (
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionPaused,
    ExecutionStarted,
    ExecutionTakenOver,
)

RUN_BEGINS = ExecutionStarted.__name__
"""The type of the event whose number a run's live events carry."""

RUN_ENDS = frozenset(
    event.__name__
    for event in (
        ExecutionCompleted,
        ExecutionFailed,
        ExecutionPaused,
        ExecutionCancelled,
        ExecutionTakenOver,
    )
)
"""The types of the events that no live event of the run before them follows."""

POSITION_PATTERN = r"^[0-9]{1,9}(-[0-9]{1,15})?$"
"""`7`, or `7-12`."""


@dataclass(frozen=True, slots=True, order=True)
class EventPosition:
    """After which event somebody goes on: `7` after a lifecycle event, `7-12` after a live one.

    `version` is the number of the last lifecycle event that was seen, and `live` says how many live
    events were seen of the run that was under way then. A live event's id has the same form, with
    the number of the event that began its run.
    """

    version: int
    live: int = 0

    def __str__(self) -> str:
        return f"{self.version}-{self.live}" if self.live else str(self.version)

    @classmethod
    def parse(cls, text: str) -> "EventPosition":
        """What `str` gave. Raises ValueError for anything else."""
        if not re.fullmatch(POSITION_PATTERN, text):
            raise ValueError(f"{text!r} is no position in an event stream")
        version, _, live = text.partition("-")
        return cls(int(version), int(live or 0))

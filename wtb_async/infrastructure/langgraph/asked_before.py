"""Questions that were asked before executions parted: the tasks that asked are not run again."""

from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType

from langgraph.types import Interrupt, StateSnapshot

Questions = Mapping[str, tuple[Interrupt, ...]]
"""By the id of the task that asked."""

ASKED: ContextVar[Questions] = ContextVar("wtb_asked", default=MappingProxyType({}))
"""What tasks of the superstep that a run goes on with have asked already."""


def questions_of(snapshot: StateSnapshot) -> Questions:
    """The open questions where a graph rests."""
    return {task.id: task.interrupts for task in snapshot.tasks if task.interrupts}

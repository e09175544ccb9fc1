"""What executions and their timelines need from the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from wtb_async.application.executions.plan import ExecutionPlan
from wtb_async.application.executions.views import CheckpointView, NodeBoundaryView
from wtb_async.domain.execution import Execution
from wtb_async.domain.json import JsonObject, JsonValue
from wtb_async.domain.run import Run, Thread


class ExecutionRepository(Protocol):
    """Executions, each with the run and the thread that work for it."""

    def add(self, plan: ExecutionPlan) -> None:
        """Insert the plan's executions, runs and threads when the unit of work commits."""

    def add_one(self, execution: Execution) -> None:
        """Keep a new execution whose run and thread exist."""

    async def get(self, execution_id: UUID) -> tuple[Execution, Run]:
        """An execution and its latest run. Raises NotFound."""

    async def lock(self, execution_id: UUID) -> tuple[Execution, Run]:
        """An execution and its latest run for a change, the run locked first. Raises NotFound."""

    async def forget_scores(self, execution_id: UUID) -> None:
        """Drop what evaluators said of an outcome that no longer stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """A thread to make, and what it takes along of the superstep that follows its last checkpoint.

    The thread names its parent and the root checkpoint to fork at; None is the parent's head.
    """

    thread: Thread
    keeps_writes: bool = True
    """Tasks of that superstep that had finished are not run again; False runs all of it again."""


class ThreadRepository(Protocol):
    """Timelines of checkpoints."""

    async def fork(self, forks: Sequence[Fork]) -> None:
        """Make threads as copies of their parents up to a checkpoint. Raises NotFound."""

    async def answer(
        self,
        thread_id: UUID,
        checkpoint_id: str,
        answers: Mapping[str, JsonValue],
        values: JsonObject,
    ) -> None:
        """Answer open interrupts at a thread's head, and add values to its state.

        Raises InvalidInput when an answer is not what its question takes.
        """


class Timelines(Protocol):
    """Reads what has happened; checkpoints never change, so no transaction is needed."""

    async def checkpoint(self, thread_id: UUID, checkpoint_id: UUID) -> CheckpointView:
        """A root checkpoint on the lineage of this thread. Raises NotFound."""

    async def last_visit(
        self, execution_id: UUID, node: str, *, completed: bool
    ) -> NodeBoundaryView | None:
        """The last time that the execution's timeline came to a node of the graph itself."""

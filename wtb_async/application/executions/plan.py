"""Executions that are accepted together, with what they share said once.

A batch test accepts thousands of executions in one transaction, and building three entities for
each would hold the API's event loop for a second. A plan carries ids and positions instead; the
database multiplies it out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from wtb_async.application.ids import new_id
from wtb_async.domain.execution import NO_BREAKPOINTS, Breakpoints, Limits
from wtb_async.domain.graph_choice import GraphChoice
from wtb_async.domain.json import JsonObject
from wtb_async.domain.run import DEFAULT_POOL


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedInput:
    """An input, or the test case whose input it is: the database knows that already."""

    input: JsonObject | None = None
    test_case_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class PlannedExecution:
    """One pending execution with the run that will start it and the thread it will write.

    `input` and `choice` are positions in the plan's `inputs` and `choices`.
    """

    execution_id: UUID
    run_id: UUID
    thread_id: UUID
    input: int
    choice: int
    repetition: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionPlan:
    """Pending executions of one workflow, in the order in which they will be claimed."""

    workflow_id: UUID
    inputs: Sequence[PlannedInput]
    choices: Sequence[GraphChoice]
    executions: Sequence[PlannedExecution]
    limits: Limits
    caller: str
    created_at: datetime
    metadata: JsonObject
    breakpoints: Breakpoints = NO_BREAKPOINTS
    stream: tuple[str, ...] = ()
    batch_test_id: UUID | None = None
    pool: str = DEFAULT_POOL

    @property
    def first_version(self) -> int:
        """The version, and with it the number of the last event, that an execution begins with.

        An execution of its own begins with the event of its creation. One of a batch has none:
        its creation is an event of the batch, and its own history begins with its start.
        """
        return 1 if self.batch_test_id is None else 0


def plan_one(input_: int = 0, choice: int = 0, repetition: int = 0) -> PlannedExecution:
    """A planned execution with new ids."""
    return PlannedExecution(new_id(), new_id(), new_id(), input_, choice, repetition)


Extent = tuple[int, int, int]
"""How many inputs, choices and repetitions a product has."""

NOTHING: Extent = (0, 0, 0)


def plan_product(wanted: Extent, done: Extent = NOTHING) -> list[PlannedExecution]:
    """Every choice on every input, as often as asked for, without the product that is done.

    Input by input, with every choice of an input next to each other: what is stopped early has
    compared all choices on the inputs it got to. Of what is done, the inputs and choices come
    first among those that are wanted.
    """
    inputs, choices, repetitions = map(range, wanted)
    return [
        plan_one(input_, choice, repetition)
        for input_ in inputs
        for repetition in repetitions
        for choice in choices
        if not (input_ < done[0] and choice < done[1] and repetition < done[2])
    ]

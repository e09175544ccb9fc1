"""Executions that are accepted together, with what they share said once.

A batch test accepts thousands of executions in one transaction, and building three entities for
each would hold the API's event loop for a second. A plan carries ids and positions instead; the
database multiplies it out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from wtb_async.application.ids import new_id
from wtb_async.domain.execution import NO_BREAKPOINTS, Breakpoints, Limits
from wtb_async.domain.graph_choice import GraphChoice
from wtb_async.domain.json import JsonObject
from wtb_async.domain.run import DEFAULT_POOL
from wtb_async.domain.shared_prefix import agreement_of


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedInput:
    """An input, or the test case whose input it is: the database knows that already."""

    input: JsonObject | None = None
    test_case_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class PlannedExecution:
    """One pending execution with the run that will start it and the thread it will write.

    `input`, `choice` and `beginning` are positions in the plan's `inputs`, `choices` and
    `beginnings`. An execution that joins the run of an earlier one has no beginning of its own.
    """

    execution_id: UUID
    run_id: UUID
    thread_id: UUID
    input: int
    choice: int
    repetition: int
    beginning: int | None


@dataclass(frozen=True, slots=True)
class Beginning:
    """With what a run begins: the graph that all whom it serves have chosen."""

    choice: GraphChoice
    gates: tuple[str, ...] = ()
    """The nodes of whose variants they have chosen different ones."""


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
    is_limited: bool = False
    """Its runs wait until the batch test has places for them."""
    pool: str = DEFAULT_POOL
    shared: Sequence[Beginning] | None = None
    """The beginnings of runs that serve several executions; None: each serves its own."""

    @property
    def beginnings(self) -> Sequence[Beginning]:
        """With what the runs begin."""
        if self.shared is not None:
            return self.shared
        return [Beginning(choice) for choice in self.choices]

    @property
    def first_version(self) -> int:
        """The version, and with it the number of the last event, that an execution begins with.

        An execution of its own begins with the event of its creation. One of a batch has none:
        its creation is an event of the batch, and its own history begins with its start.
        """
        return 1 if self.batch_test_id is None else 0


def plan_one(input_: int = 0, choice: int = 0, repetition: int = 0) -> PlannedExecution:
    """A planned execution with new ids."""
    return PlannedExecution(new_id(), new_id(), new_id(), input_, choice, repetition, choice)


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


def share_prefixes(plan: ExecutionPlan) -> ExecutionPlan:
    """The same executions, with one run for all that differ in variants of the same graph only.

    Nobody may watch the graph at work: a run shows what it does to one execution only.
    """
    groups: dict[tuple[int, int, str | None], list[PlannedExecution]] = {}
    for planned in plan.executions:
        graph = plan.choices[planned.choice].workflow_variant
        groups.setdefault((planned.input, planned.repetition, graph), []).append(planned)
    beginnings: dict[tuple[int, ...], int] = {}
    for group in groups.values():
        beginnings.setdefault(_choices_of(group), len(beginnings))
    return replace(
        plan,
        executions=[
            planned
            for group in groups.values()
            for planned in _joined(group, beginnings[_choices_of(group)])
        ],
        shared=[_beginning([plan.choices[at] for at in choices]) for choices in beginnings],
    )


def _choices_of(group: Iterable[PlannedExecution]) -> tuple[int, ...]:
    return tuple(planned.choice for planned in group)


def _beginning(choices: Sequence[GraphChoice]) -> Beginning:
    agreed = agreement_of([choice.variants for choice in choices])
    return Beginning(GraphChoice(agreed.variants, choices[0].workflow_variant), agreed.gates)


def _joined(group: Sequence[PlannedExecution], beginning: int) -> Iterable[PlannedExecution]:
    """The group on the run and the thread of its first execution."""
    first, *others = group
    yield replace(first, beginning=beginning)
    for other in others:
        yield replace(other, run_id=first.run_id, thread_id=first.thread_id, beginning=None)

"""Moments of an execution's timeline, as callers name them."""

from dataclasses import asdict, dataclass
from uuid import UUID

from wtb_async.application.executions.repositories import Timelines
from wtb_async.application.executions.views import CheckpointView
from wtb_async.domain.errors import InvalidInput, NotFound
from wtb_async.domain.execution import Execution
from wtb_async.domain.json import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A checkpoint, or the moment before or after the last time a node ran: exactly one."""

    checkpoint_id: UUID | None = None
    before_node: str | None = None
    after_node: str | None = None

    def __post_init__(self) -> None:
        """Raise InvalidInput unless exactly one is given."""
        if sum(value is not None for value in asdict(self).values()) != 1:
            raise InvalidInput.of(
                "checkpoint_id", "give one of checkpoint_id, before_node and after_node"
            )

    def to_json(self) -> JsonObject:
        """What was given, by its name."""
        return {name: str(value) for name, value in asdict(self).items() if value is not None}


async def find_checkpoint(
    execution: Execution, place: Place, timelines: Timelines
) -> CheckpointView:
    """The root checkpoint that a place means. Raises InvalidInput."""
    field, name = next(iter(place.to_json().items()))
    checkpoint_id = name
    if field != "checkpoint_id":
        checkpoint_id = await _of_node(execution, field, name, timelines)
    try:
        return await timelines.checkpoint(execution.thread_id, UUID(checkpoint_id))
    except NotFound as error:
        message = f"the execution has no root checkpoint {checkpoint_id!r}; see its checkpoints"
        raise InvalidInput.of(field, message) from error


async def _of_node(execution: Execution, field: str, node: str, timelines: Timelines) -> str:
    after = field == "after_node"
    visit = await timelines.last_visit(execution.id, node, completed=after)
    found = visit and (visit.exit_checkpoint_id if after else visit.entry_checkpoint_id)
    if not found:
        done = "completed" if after else "run"
        raise InvalidInput.of(field, f"node {node!r} has not {done} in this execution; see nodes")
    return found

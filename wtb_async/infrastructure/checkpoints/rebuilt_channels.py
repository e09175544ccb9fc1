"""Values that checkpoints keep as differences, which only the graph's own reducers put together."""

from collections.abc import Sequence
from uuid import UUID

from wtb_async.application.executions.views import ExecutionView
from wtb_async.application.ports import UnitOfWorkFactory
from wtb_async.domain.errors import InvalidInput, NotFound
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.langgraph.inspection import (
    ChannelsAt,
    CodeInspector,
    ShownChannels,
)


class ChannelRebuilder:
    """Has the channels of an execution rebuilt where its graph may be loaded."""

    def __init__(
        self,
        inspector: CodeInspector,
        uow_factory: UnitOfWorkFactory,
        *,
        database_url: str,
    ) -> None:
        self._inspector = inspector
        self._uow_factory = uow_factory
        self._database_url = database_url

    async def rebuild(
        self, execution: ExecutionView, thread_id: UUID, checkpoint_id: str, names: Sequence[str]
    ) -> ShownChannels:
        """The channels' values at a checkpoint; where the graph fails at it, the reason."""
        wanted = ChannelsAt(
            database_url=self._database_url,
            thread_id=str(thread_id),
            checkpoint_id=checkpoint_id,
            names=tuple(names),
        )
        async with self._uow_factory() as uow:
            workflow = await uow.workflows.get(execution.workflow_id)
        try:
            graph = _graph_of(workflow, execution.workflow_variant)
            return await self._inspector.rebuild_channels(workflow.project, graph, wanted)
        except (InvalidInput, NotFound) as error:
            reason = f"the graph has to put it together, and does not load: {error}"
            return ShownChannels(values={}, not_shown=dict.fromkeys(names, reason))


def _graph_of(workflow: Workflow, variant: str | None) -> str:
    """The reference of the graph, whose channels no variant of a node changes."""
    if variant is None:
        return workflow.graph
    found = workflow.find_workflow_variant(variant)
    if found is None:
        raise NotFound("workflow variant", variant)
    return found.graph

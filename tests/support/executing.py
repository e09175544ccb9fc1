"""Executions of the test projects: accepted, awaited, and the nodes that they visited."""

from uuid import UUID

from arranging import accept, eventually, new_workflow, select

from wtb_async.application.executions.views import ExecutionView, NodeBoundaryView
from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.execution import ENDED, ExecutionStatus, Limits
from wtb_async.domain.json import JsonObject
from wtb_async.infrastructure.postgres.queries.executions import ExecutionQueries
from wtb_async.infrastructure.postgres.queries.node_boundaries import NodeBoundaryQueries


async def submit(
    platform: Platform, graph: str, graph_input: JsonObject, limits: Limits | None = None
) -> UUID:
    """Accept an execution of `project:function`."""
    project, _, function = graph.partition(":")
    workflow = new_workflow(project)
    workflow.graph = f"./{project}.py:{function or 'build'}"
    async with platform.database.unit_of_work() as uow:
        uow.workflows.add(workflow)
        await uow.commit()
    plan = await accept(platform.database.unit_of_work, workflow, input_=graph_input, limits=limits)
    return plan.executions[0].execution_id


async def ended(platform: Platform, execution_id: UUID) -> ExecutionView:
    """Wait until an execution has ended or is paused."""
    queries = ExecutionQueries(platform.database.engine)

    async def there() -> ExecutionView | None:
        execution = await queries.get(execution_id)
        return execution if execution.status in {*ENDED, ExecutionStatus.PAUSED} else None

    found = await eventually(there)
    assert found is not None
    return found


async def nodes(platform: Platform, execution_id: UUID) -> list[NodeBoundaryView]:
    """Its node boundaries."""
    queries = NodeBoundaryQueries(platform.database.engine)
    page = await queries.list(execution_id, limit=50, cursor=None)
    assert page.next_cursor is None
    return page.items


async def run(
    platform: Platform, graph: str, graph_input: JsonObject, limits: Limits | None = None
) -> tuple[ExecutionView, list[NodeBoundaryView]]:
    """Execute; answers the end and the node boundaries."""
    execution_id = await submit(platform, graph, graph_input, limits)
    return await ended(platform, execution_id), await nodes(platform, execution_id)


def ends(visited: list[NodeBoundaryView]) -> list[tuple[str, int, str]]:
    """Node, attempt and status of each."""
    return [(each.node, each.attempt, each.status.value) for each in visited]


async def checkpoints(platform: Platform, execution: ExecutionView) -> list[str]:
    """The root checkpoints of an execution's thread, oldest first."""
    found = await select(
        platform.database,
        "SELECT checkpoint_id FROM checkpoints"
        " WHERE thread_id = :thread AND checkpoint_ns = '' ORDER BY 1",
        thread=str(execution.thread_id),
    )
    return [row["checkpoint_id"] for row in found]

"""Registers graphs under a name."""

from dataclasses import dataclass

from wtb_async.application.clock import utc_now
from wtb_async.application.ids import new_id
from wtb_async.application.ports import GraphInspector, Nudges, UnitOfWorkFactory
from wtb_async.application.workflows.changes import registering, registration_of
from wtb_async.domain.errors import AlreadyExists
from wtb_async.domain.json import JsonObject
from wtb_async.domain.workflow import Workflow


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterWorkflow:
    """A request to make a graph runnable under a name."""

    name: str
    project: str
    graph: str
    description: str
    caller: str


async def register_workflow(
    request: RegisterWorkflow,
    *,
    uow_factory: UnitOfWorkFactory,
    inspector: GraphInspector,
    nudges: Nudges,
) -> Workflow:
    """Load the graph once, to know that it works, and keep it.

    Raises:
        InvalidInput: the reference lies outside the project or does not load.
        AlreadyExists: the name is taken.
    """
    async with uow_factory() as uow:
        if await uow.workflows.find(request.name):
            raise AlreadyExists("workflow", request.name)
    topology = await inspector.inspect_graph(request.project, request.graph, workflow=request.name)
    workflow = new_workflow(request, topology)
    async with uow_factory() as uow:
        uow.workflows.add(workflow)
        payload = {"name": request.name, "project": request.project, "graph": request.graph}
        command = registering(workflow, request.caller, payload)
        uow.journal.record(*registration_of(workflow), command=command)
        await uow.commit()
    nudges.new_events()
    return workflow


def new_workflow(request: RegisterWorkflow, topology: JsonObject) -> Workflow:
    """The workflow that the request asks for."""
    now = utc_now()
    return Workflow(
        id=new_id(),
        name=request.name,
        project=request.project,
        graph=request.graph,
        description=request.description,
        topology=topology,
        created_by=request.caller,
        created_at=now,
        updated_at=now,
    )

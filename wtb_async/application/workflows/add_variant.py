"""Adds variants of nodes, and whole-graph variants, to a workflow."""

from dataclasses import dataclass

from wtb_async.application.clock import utc_now
from wtb_async.application.ids import new_id
from wtb_async.application.ports import GraphInspector, Nudges, UnitOfWorkFactory
from wtb_async.application.workflows.changes import change_of, registering
from wtb_async.domain.errors import AlreadyExists, InvalidInput
from wtb_async.domain.json import JsonObject
from wtb_async.domain.workflow import BASE_VARIANT, NodeVariant, WorkflowVariant


@dataclass(frozen=True, slots=True, kw_only=True)
class AddNodeVariant:
    """A request to offer another implementation of a node."""

    workflow: str
    node: str
    name: str
    implementation: str
    description: str
    environment: JsonObject | None
    resources: JsonObject | None
    caller: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddWorkflowVariant:
    """A request to offer another whole graph."""

    workflow: str
    name: str
    graph: str
    description: str
    caller: str


async def add_node_variant(
    request: AddNodeVariant,
    *,
    uow_factory: UnitOfWorkFactory,
    inspector: GraphInspector,
    nudges: Nudges,
) -> NodeVariant:
    """Load the implementation in its node's place, to know that it fits, and keep it.

    Raises:
        NotFound: no such workflow or node.
        InvalidInput: the reference does not load, or the graph does not compile with it.
        AlreadyExists: the node has a variant of this name.
    """
    _check_name(request.name)
    async with uow_factory() as uow:
        workflow = await uow.workflows.get(request.workflow)
    workflow.check_node(request.node)
    await inspector.inspect_graph(
        workflow.project,
        workflow.graph,
        [(request.node, request.implementation)],
        workflow=workflow.name,
    )
    now = utc_now()
    async with uow_factory() as uow:
        workflow = await uow.workflows.get(request.workflow, for_update=True)
        if workflow.find_node_variant(request.node, request.name):
            raise AlreadyExists(f"variant of node {request.node!r}", request.name)
        variant = NodeVariant(
            id=new_id(),
            workflow_id=workflow.id,
            node=request.node,
            name=request.name,
            implementation=request.implementation,
            description=request.description,
            environment=request.environment,
            resources=request.resources,
            created_by=request.caller,
            created_at=now,
        )
        workflow.node_variants.append(variant)
        workflow.touch(now)
        what = f"variant {request.node}={request.name} added"
        payload = {
            "node": request.node,
            "name": request.name,
            "implementation": request.implementation,
        }
        command = registering(workflow, request.caller, payload)
        uow.journal.record(*change_of(workflow, what, request.caller), command=command)
        await uow.commit()
    nudges.new_events()
    return variant


async def add_workflow_variant(
    request: AddWorkflowVariant,
    *,
    uow_factory: UnitOfWorkFactory,
    inspector: GraphInspector,
    nudges: Nudges,
) -> WorkflowVariant:
    """Load the other graph, to know that it works, and keep it.

    Raises:
        NotFound: no such workflow.
        InvalidInput: the reference does not load.
        AlreadyExists: the workflow has a variant of this name.
    """
    _check_name(request.name)
    async with uow_factory() as uow:
        workflow = await uow.workflows.get(request.workflow)
    topology = await inspector.inspect_graph(workflow.project, request.graph)
    now = utc_now()
    async with uow_factory() as uow:
        workflow = await uow.workflows.get(request.workflow, for_update=True)
        if workflow.find_workflow_variant(request.name):
            raise AlreadyExists("workflow variant", request.name)
        variant = WorkflowVariant(
            id=new_id(),
            workflow_id=workflow.id,
            name=request.name,
            graph=request.graph,
            description=request.description,
            topology=topology,
            created_by=request.caller,
            created_at=now,
        )
        workflow.workflow_variants.append(variant)
        workflow.touch(now)
        what = f"workflow variant {request.name} added"
        payload = {"name": request.name, "graph": request.graph}
        command = registering(workflow, request.caller, payload)
        uow.journal.record(*change_of(workflow, what, request.caller), command=command)
        await uow.commit()
    nudges.new_events()
    return variant


def _check_name(name: str) -> None:
    if name == BASE_VARIANT:
        raise InvalidInput.of("name", f"{BASE_VARIANT!r} always means the original node")

"""`/workflows`: graphs and their variants."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.answers import JsonAnswer, created
from api.dependencies import Cursor, Limit, PlatformDep
from api.security import Caller, KeyedRoute
from wtb_async.application.views import Page
from wtb_async.application.workflows.add_variant import (
    AddNodeVariant,
    AddWorkflowVariant,
    add_node_variant,
    add_workflow_variant,
)
from wtb_async.application.workflows.register_workflow import RegisterWorkflow, register_workflow
from wtb_async.application.workflows.sync_project import ProjectGraph, sync_workflow
from wtb_async.application.workflows.views import (
    NodeVariantView,
    WorkflowSummary,
    WorkflowVariantView,
    WorkflowView,
    view_of_node_variant,
    view_of_workflow,
    view_of_workflow_variant,
)
from wtb_async.domain.workflow import free_name
from wtb_async.infrastructure.postgres.queries.workflows import WorkflowQueries

router = APIRouter(prefix="/workflows", tags=["workflows"], route_class=KeyedRoute)

Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9][\w.\- ]*$")]
VariantName = Annotated[Name, AfterValidator(free_name)]
Reference = Annotated[
    str,
    Field(min_length=3, max_length=500, examples=["./graph.py:build_graph", "package.module:attr"]),
]
Description = Annotated[str, Field(max_length=10_000)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NewWorkflow(_Body):
    """A graph to register."""

    name: Name
    graph: Reference
    project: str | None = None
    """The folder name of its `langgraph.json`; may be left out when the server has only one."""
    description: Description = ""


class WholeWorkflow(_Body):
    """A graph with all its variants."""

    graph: Reference
    project: str | None = None
    """The folder name of its `langgraph.json`; may be left out when the server has only one."""
    description: Description | None = None
    node_variants: dict[str, dict[VariantName, Reference]] = {}
    """Node, variant name, reference."""
    workflow_variants: dict[VariantName, Reference] = {}


class Environment(_Body):
    """What a node variant needs to run."""

    dependencies: list[str] = []
    python: str | None = None
    env: dict[str, str] = {}


class Resources(_Body):
    """What a node variant takes of a machine; memory in bytes."""

    num_cpus: float | None = Field(None, ge=0)
    num_gpus: float | None = Field(None, ge=0)
    memory: int | None = Field(None, ge=0)


class NewNodeVariant(_Body):
    """Another implementation of a node."""

    name: Name
    implementation: Reference
    description: Description = ""
    environment: Environment | None = None
    resources: Resources | None = None


class NewWorkflowVariant(_Body):
    """Another whole graph."""

    name: Name
    graph: Reference
    description: Description = ""


@router.post("", status_code=201, operation_id="create_workflow", response_model=WorkflowView)
async def create_workflow(body: NewWorkflow, caller: Caller, platform: PlatformDep) -> JsonAnswer:
    """Register a graph; it is loaded once, in a process of its own, to know that it works."""
    project = body.project or platform.projects.default().name
    workflow = await register_workflow(
        RegisterWorkflow(
            name=body.name,
            project=project,
            graph=body.graph,
            description=body.description,
            caller=caller,
        ),
        uow_factory=platform.database.unit_of_work,
        inspector=platform.inspector,
        nudges=platform.nudges,
    )
    return created(view_of_workflow(workflow), f"/api/v1/workflows/{workflow.id}")


@router.put("/{workflow}", operation_id="put_workflow", response_model=WorkflowView)
async def put_workflow(
    workflow: Name, body: WholeWorkflow, caller: Caller, platform: PlatformDep
) -> JsonAnswer:
    """Register a graph and its variants under a name, or bring them up to date.

    Doing so again changes nothing; variants that the body does not name stay.
    """
    wanted = ProjectGraph(
        name=workflow,
        project=body.project or platform.projects.default().name,
        graph=body.graph,
        node_variants=body.node_variants,
        workflow_variants=body.workflow_variants,
        description=body.description,
        caller=caller,
    )
    await sync_workflow(
        wanted, uow_factory=platform.database.unit_of_work, inspector=platform.inspector
    )
    platform.nudges.new_events()
    async with platform.database.unit_of_work() as uow:
        found = await uow.workflows.get(workflow)
    return JsonAnswer(view_of_workflow(found))


@router.get("", operation_id="list_workflows", response_model=Page[WorkflowSummary])
async def list_workflows(
    _: Caller, platform: PlatformDep, limit: Limit = 50, cursor: Cursor = None
) -> JsonAnswer:
    """Registered graphs, newest first."""
    queries = WorkflowQueries(platform.database.engine)
    return JsonAnswer(await queries.list(limit=limit, cursor=cursor))


@router.get("/{workflow}", operation_id="get_workflow", response_model=WorkflowView)
async def get_workflow(workflow: str, _: Caller, platform: PlatformDep) -> JsonAnswer:
    """A graph by name or id: nodes, edges, schemas, Mermaid, variants."""
    async with platform.database.unit_of_work() as uow:
        found = await uow.workflows.get(workflow)
    return JsonAnswer(view_of_workflow(found))


@router.post(
    "/{workflow}/nodes/{node}/variants",
    status_code=201,
    operation_id="create_node_variant",
    response_model=NodeVariantView,
)
async def create_node_variant(
    workflow: str, node: str, body: NewNodeVariant, caller: Caller, platform: PlatformDep
) -> JsonAnswer:
    """Offer another implementation of a node; the graph is compiled with it, to know it fits."""
    variant = await add_node_variant(
        AddNodeVariant(
            workflow=workflow,
            node=node,
            name=body.name,
            implementation=body.implementation,
            description=body.description,
            environment=_plain(body.environment),
            resources=_plain(body.resources),
            caller=caller,
        ),
        uow_factory=platform.database.unit_of_work,
        inspector=platform.inspector,
        nudges=platform.nudges,
    )
    location = f"/api/v1/workflows/{workflow}/nodes/{node}/variants/{variant.name}"
    return created(view_of_node_variant(variant), location)


@router.get(
    "/{workflow}/nodes/{node}/variants",
    operation_id="list_node_variants",
    response_model=Page[NodeVariantView],
)
async def list_node_variants(
    workflow: str, node: str, _: Caller, platform: PlatformDep
) -> JsonAnswer:
    """The implementations of a node beside its own."""
    async with platform.database.unit_of_work() as uow:
        found = await uow.workflows.get(workflow)
    found.check_node(node)
    items = [view_of_node_variant(v) for v in found.node_variants if v.node == node]
    return JsonAnswer(Page(items, None))


@router.post(
    "/{workflow}/variants",
    status_code=201,
    operation_id="create_workflow_variant",
    response_model=WorkflowVariantView,
)
async def create_workflow_variant(
    workflow: str, body: NewWorkflowVariant, caller: Caller, platform: PlatformDep
) -> JsonAnswer:
    """Offer another whole graph under the same workflow."""
    variant = await add_workflow_variant(
        AddWorkflowVariant(
            workflow=workflow,
            name=body.name,
            graph=body.graph,
            description=body.description,
            caller=caller,
        ),
        uow_factory=platform.database.unit_of_work,
        inspector=platform.inspector,
        nudges=platform.nudges,
    )
    location = f"/api/v1/workflows/{workflow}/variants/{variant.name}"
    return created(view_of_workflow_variant(variant), location)


@router.get(
    "/{workflow}/variants",
    operation_id="list_workflow_variants",
    response_model=Page[WorkflowVariantView],
)
async def list_workflow_variants(workflow: str, _: Caller, platform: PlatformDep) -> JsonAnswer:
    """The other graphs of a workflow."""
    async with platform.database.unit_of_work() as uow:
        found = await uow.workflows.get(workflow)
    items = [view_of_workflow_variant(variant) for variant in found.workflow_variants]
    return JsonAnswer(Page(items, None))


def _plain(body: BaseModel | None) -> dict[str, Any] | None:
    return body.model_dump(exclude_none=True) if body else None

"""Workflows and their variants as readers see them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from wtb_async.domain.json import JsonObject, JsonValue
from wtb_async.domain.workflow import NodeVariant, Workflow, WorkflowVariant


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeVariantView:
    """Another implementation of one node."""

    node: str
    name: str
    implementation: str
    description: str
    environment: JsonObject | None
    resources: JsonObject | None
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowVariantView:
    """Another whole graph under a workflow."""

    name: str
    graph: str
    description: str
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowSummary:
    """A registered graph in a list."""

    id: UUID
    name: str
    project: str
    graph: str
    description: str
    version: int
    created_by: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowView(WorkflowSummary):
    """A registered graph with its topology, schemas and variants."""

    nodes: list[str]
    edges: list[JsonValue]
    mermaid: str
    input_schema: JsonObject
    output_schema: JsonObject
    node_variants: list[NodeVariantView]
    workflow_variants: list[WorkflowVariantView]


def view_of_workflow(workflow: Workflow) -> WorkflowView:
    """A workflow as readers see it."""
    topology = workflow.topology
    edges, mermaid = topology.get("edges"), topology.get("mermaid")
    return WorkflowView(
        id=workflow.id,
        name=workflow.name,
        project=workflow.project,
        graph=workflow.graph,
        description=workflow.description,
        version=workflow.version,
        created_by=workflow.created_by,
        created_at=workflow.created_at,
        updated_at=workflow.updated_at,
        nodes=workflow.nodes,
        edges=edges if isinstance(edges, list) else [],
        mermaid=mermaid if isinstance(mermaid, str) else "",
        input_schema=_schema(topology, "input_schema"),
        output_schema=_schema(topology, "output_schema"),
        node_variants=[view_of_node_variant(v) for v in workflow.node_variants],
        workflow_variants=[view_of_workflow_variant(v) for v in workflow.workflow_variants],
    )


def view_of_node_variant(variant: NodeVariant) -> NodeVariantView:
    """A node variant as readers see it."""
    return NodeVariantView(
        node=variant.node,
        name=variant.name,
        implementation=variant.implementation,
        description=variant.description,
        environment=variant.environment,
        resources=variant.resources,
        created_by=variant.created_by,
        created_at=variant.created_at,
    )


def view_of_workflow_variant(variant: WorkflowVariant) -> WorkflowVariantView:
    """A whole-graph variant as readers see it."""
    return WorkflowVariantView(
        name=variant.name,
        graph=variant.graph,
        description=variant.description,
        created_by=variant.created_by,
        created_at=variant.created_at,
    )


def _schema(topology: JsonObject, name: str) -> JsonObject:
    schema = topology.get(name)
    return schema if isinstance(schema, dict) else {}

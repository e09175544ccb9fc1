"""Brings registered workflows in line with a project: a `langgraph.json`, or one in code."""

from collections.abc import Mapping
from dataclasses import dataclass

from wtb_async.application.clock import utc_now
from wtb_async.application.ids import new_id
from wtb_async.application.ports import GraphInspector, UnitOfWork, UnitOfWorkFactory
from wtb_async.application.workflows.changes import change_of, registering, registration_of
from wtb_async.application.workflows.register_workflow import RegisterWorkflow, new_workflow
from wtb_async.domain.command import Command
from wtb_async.domain.errors import Conflict
from wtb_async.domain.json import JsonObject
from wtb_async.domain.workflow import NodeVariant, Workflow, WorkflowVariant

SYNC = "project-sync"
"""Who made the changes, in the audit trail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectGraph:
    """One graph of a project as its `langgraph.json` names it."""

    name: str
    project: str
    graph: str
    node_variants: Mapping[str, Mapping[str, str]]
    """Node, variant name, reference."""
    workflow_variants: Mapping[str, str]
    description: str | None = None
    """None leaves it as it is."""
    caller: str = SYNC


async def sync_workflow(
    wanted: ProjectGraph, *, uow_factory: UnitOfWorkFactory, inspector: GraphInspector
) -> str:
    """Register or update one workflow and its variants; answers what was done, in words.

    Variants that were added over the API stay. Running it again changes nothing.

    Raises:
        InvalidInput: a graph or a variant does not load.
        Conflict: another project has a workflow of this name.
    """
    pairs = [
        (node, reference)
        for node, variants in wanted.node_variants.items()
        for reference in variants.values()
    ]
    topology = await inspector.inspect_graph(
        wanted.project, wanted.graph, pairs, workflow=wanted.name
    )
    others = {
        name: await inspector.inspect_graph(wanted.project, reference)
        for name, reference in wanted.workflow_variants.items()
    }
    async with uow_factory() as uow:
        workflow = await uow.workflows.find(wanted.name)
        done = "unchanged"
        if workflow is None:
            workflow = _create(wanted, topology, uow)
            done = "registered"
        elif workflow.project != wanted.project:
            raise Conflict(f"project {workflow.project!r} has a workflow {wanted.name!r} already")
        if _update(workflow, wanted, topology, others) and done == "unchanged":
            workflow.touch(utc_now())
            changed = change_of(workflow, "project changed", wanted.caller)
            uow.journal.record(*changed, command=_command(workflow, wanted))
            done = "updated"
        await uow.commit()
    return done


def _create(wanted: ProjectGraph, topology: JsonObject, uow: UnitOfWork) -> Workflow:
    request = RegisterWorkflow(
        name=wanted.name,
        project=wanted.project,
        graph=wanted.graph,
        description=wanted.description or "",
        caller=wanted.caller,
    )
    workflow = new_workflow(request, topology)
    uow.workflows.add(workflow)
    uow.journal.record(*registration_of(workflow), command=_command(workflow, wanted))
    return workflow


def _command(workflow: Workflow, wanted: ProjectGraph) -> Command:
    payload: JsonObject = {"name": wanted.name, "project": wanted.project, "graph": wanted.graph}
    return registering(workflow, wanted.caller, payload)


def _update(
    workflow: Workflow,
    wanted: ProjectGraph,
    topology: JsonObject,
    others: Mapping[str, JsonObject],
) -> bool:
    """Apply what differs; tells whether anything did."""
    changed = (workflow.graph, workflow.topology) != (wanted.graph, topology)
    workflow.graph, workflow.topology = wanted.graph, topology
    if wanted.description is not None:
        changed |= workflow.description != wanted.description
        workflow.description = wanted.description
    for node, variants in wanted.node_variants.items():
        for name, reference in variants.items():
            changed |= _put_node_variant(workflow, node, name, reference, wanted.caller)
    for name, reference in wanted.workflow_variants.items():
        changed |= _put_workflow_variant(workflow, name, reference, others[name], wanted.caller)
    return changed


def _put_node_variant(
    workflow: Workflow, node: str, name: str, reference: str, caller: str
) -> bool:
    variant = workflow.find_node_variant(node, name)
    if variant is None:
        workflow.node_variants.append(
            NodeVariant(
                id=new_id(),
                workflow_id=workflow.id,
                node=node,
                name=name,
                implementation=reference,
                created_by=caller,
                created_at=utc_now(),
            )
        )
        return True
    changed = variant.implementation != reference
    variant.implementation = reference
    return changed


def _put_workflow_variant(
    workflow: Workflow, name: str, reference: str, topology: JsonObject, caller: str
) -> bool:
    variant = workflow.find_workflow_variant(name)
    if variant is None:
        workflow.workflow_variants.append(
            WorkflowVariant(
                id=new_id(),
                workflow_id=workflow.id,
                name=name,
                graph=reference,
                topology=topology,
                created_by=caller,
                created_at=utc_now(),
            )
        )
        return True
    changed = (variant.graph, variant.topology) != (reference, topology)
    variant.graph, variant.topology = reference, topology
    return changed

"""The record of changes of a workflow."""

from wtb_async.application.commands import new_command
from wtb_async.domain.command import Command, CommandKind
from wtb_async.domain.events import (
    Aggregate,
    Change,
    DomainEvent,
    WorkflowChanged,
    WorkflowRegistered,
)
from wtb_async.domain.json import JsonObject
from wtb_async.domain.workflow import Workflow


def registration_of(workflow: Workflow) -> list[Change]:
    """The change that brought the workflow here."""
    return _change(workflow, WorkflowRegistered(name=workflow.name), workflow.created_by)


def change_of(workflow: Workflow, what: str, actor: str) -> list[Change]:
    """One change, told in words, at the workflow's present version."""
    return _change(workflow, WorkflowChanged(name=workflow.name, change=what), actor)


def registering(workflow: Workflow, caller: str, payload: JsonObject) -> Command:
    """The recorded request to register a workflow or one of its variants."""
    return new_command(
        CommandKind.REGISTER, workflow.id, caller, payload, target=Aggregate.WORKFLOW
    )


def _change(workflow: Workflow, event: DomainEvent, actor: str) -> list[Change]:
    return [
        Change(
            aggregate=Aggregate.WORKFLOW,
            aggregate_id=workflow.id,
            version=workflow.version,
            event=event,
            actor=actor,
        )
    ]

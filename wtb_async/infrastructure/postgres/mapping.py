"""Imperative mapping of the domain's dataclasses onto the tables; one class per entity."""

from typing import Any

from sqlalchemy import Column
from sqlalchemy.orm import RelationshipProperty, registry, relationship

from wtb_async.domain.audit import AuditEntry
from wtb_async.domain.batch_test import BatchTest, TestCase
from wtb_async.domain.command import Command
from wtb_async.domain.dataset import Dataset, DatasetVersion
from wtb_async.domain.execution import Execution
from wtb_async.domain.integrity import IntegrityReport
from wtb_async.domain.run import Run, Runner, Thread
from wtb_async.domain.workflow import NodeVariant, Workflow, WorkflowVariant
from wtb_async.infrastructure.postgres import integrity_tables, tables

mapper_registry = registry(metadata=tables.metadata)


def map_domain() -> None:
    """Map every entity, once per process; later calls change nothing."""
    if any(mapper_registry.mappers):
        return
    for entity, table, renamed in (
        (NodeVariant, tables.node_variants, {}),
        (WorkflowVariant, tables.workflow_variants, {}),
        (Thread, tables.threads, {}),
        (Runner, tables.runners, {}),
        (Run, tables.runs, {}),
        (TestCase, tables.test_cases, {"annotations": tables.test_cases.c.metadata}),
        (BatchTest, tables.batch_tests, {}),
        (Dataset, tables.datasets, {}),
        (DatasetVersion, tables.dataset_versions, {}),
        (Execution, tables.executions, {"annotations": tables.executions.c.metadata}),
        (Command, tables.commands, {}),
        (AuditEntry, tables.audit_log, {}),
        (IntegrityReport, integrity_tables.integrity_reports, {}),
    ):
        mapper_registry.map_imperatively(entity, table, properties=renamed)
    mapper_registry.map_imperatively(
        Workflow,
        tables.workflows,
        properties={
            "node_variants": _owned_by_workflow(NodeVariant, tables.node_variants.c.created_at),
            "workflow_variants": _owned_by_workflow(
                WorkflowVariant, tables.workflow_variants.c.created_at
            ),
        },
    )


def _owned_by_workflow(entity: type, order: Column[Any]) -> RelationshipProperty[Any]:
    return relationship(
        entity,
        order_by=order,
        lazy="raise",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )

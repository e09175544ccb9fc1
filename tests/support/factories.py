"""Small makers of objects for tests: whatever a test does not name is ordinary."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings

from wtb_async.application.batches.scoring import Outcome, ScoredCase, ScoringJob
from wtb_async.application.ids import new_id
from wtb_async.application.runs.claims import ClaimedRun
from wtb_async.domain.batch_test import BatchStatus, BatchTest
from wtb_async.domain.evaluator import EvaluatorChoice, choices_of
from wtb_async.domain.events import Aggregate, DomainEvent, OutboxEvent
from wtb_async.domain.execution import Execution, ExecutionStatus, Limits
from wtb_async.domain.json import JsonValue
from wtb_async.domain.workflow import NodeVariant, Workflow, WorkflowVariant
from wtb_async.infrastructure.langgraph.projects import Project, read_project
from wtb_async.settings import Settings

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For property tests: a busy machine is no failure."""


def new_execution(status: ExecutionStatus = ExecutionStatus.PENDING) -> Execution:
    return Execution(
        id=new_id(),
        workflow_id=new_id(),
        run_id=new_id(),
        thread_id=new_id(),
        input={},
        created_by="tester",
        created_at=NOW,
        status=status,
    )


def new_batch(
    status: BatchStatus = BatchStatus.RUNNING,
    becomes: BatchStatus | None = None,
    **changes: Any,  # noqa: ANN401
) -> BatchTest:
    ordinary: dict[str, Any] = {
        "id": new_id(),
        "workflow_id": new_id(),
        "name": "a batch",
        "combinations": [{}],
        "baseline": {},
        "evaluators": [],
        "repetitions": 1,
        "total": 1,
        "limits": {},
        "created_by": "tester",
        "created_at": NOW,
    }
    return BatchTest(**ordinary | changes, status=status, becomes=becomes)


def new_workflow(
    *,
    name: str = "rag",
    nodes: Sequence[str] = ("retrieve", "answer"),
    node_variants: Mapping[str, Sequence[str]] | None = None,
    workflow_variants: Mapping[str, Sequence[str]] | None = None,
) -> Workflow:
    """A workflow; `node_variants` names the variants of each node, `workflow_variants` nodes."""
    workflow = Workflow(
        id=new_id(),
        name=name,
        project="project",
        graph="./graph.py:build",
        topology={"nodes": list(nodes)},
        created_by="tester",
        created_at=NOW,
        updated_at=NOW,
    )
    for node, names in (node_variants or {}).items():
        workflow.node_variants += [new_node_variant(workflow.id, node, each) for each in names]
    for name_, nodes_ in (workflow_variants or {}).items():
        workflow.workflow_variants.append(new_workflow_variant(workflow.id, name_, nodes_))
    return workflow


def new_node_variant(workflow_id: UUID, node: str, name: str) -> NodeVariant:
    return NodeVariant(
        id=new_id(),
        workflow_id=workflow_id,
        node=node,
        name=name,
        implementation=f"./graph.py:{name}",
        created_by="tester",
        created_at=NOW,
    )


def new_workflow_variant(
    workflow_id: UUID, name: str, nodes: Sequence[str] = ()
) -> WorkflowVariant:
    return WorkflowVariant(
        id=new_id(),
        workflow_id=workflow_id,
        name=name,
        graph=f"./graph.py:{name}",
        topology={"nodes": list(nodes)},
        created_by="tester",
        created_at=NOW,
    )


def outbox_event(event: DomainEvent, aggregate_id: UUID | None = None) -> OutboxEvent:
    """The event as a relay finds it in the outbox."""
    return OutboxEvent(
        id=1,
        aggregate=Aggregate.EXECUTION,
        aggregate_id=aggregate_id or new_id(),
        sequence=1,
        type=event.type,
        data=event.data(),
        created_at=NOW,
        available_at=NOW,
    )


def outcome(outputs: JsonValue = None, **changes: Any) -> Outcome:  # noqa: ANN401
    """A completed execution; without outputs it said `4`."""
    ordinary: dict[str, Any] = {
        "execution_id": new_id(),
        "version": 3,
        "status": "completed",
        "outputs": {"answer": "4"} if outputs is None else outputs,
        "error": None,
        "duration_ms": 12.5,
        "started_at": NOW,
        "finished_at": NOW,
    }
    return Outcome(**ordinary | changes)


def scored_case(**changes: Any) -> ScoredCase:  # noqa: ANN401
    """A case in which `4` is expected."""
    ordinary: dict[str, Any] = {
        "key": "q1",
        "inputs": {"question": "2 + 2"},
        "reference_outputs": {"answer": "4"},
        "metadata": {"level": "easy"},
    }
    return ScoredCase(**ordinary | changes)


def scoring_job(
    evaluators: Sequence[EvaluatorChoice | str] = (),
    **changes: Any,  # noqa: ANN401
) -> ScoringJob:
    """A completed execution that said `4` where `4` was expected."""
    ordinary: dict[str, Any] = {
        "outcome": outcome(),
        "case": scored_case(),
        "combination": {"answer": "loud"},
        "repetition": 0,
        "baseline": None,
        "evaluators": tuple(choices_of(evaluators)),
        "project": "project",
        "claimed_until": NOW,
    }
    return ScoringJob(**ordinary | changes)


def write_project(
    folder: Path,
    files: Mapping[str, str],
    *,
    dependencies: Sequence[str] = (".",),
    **content: JsonValue,
) -> Project:
    """A folder with these files and a `langgraph.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    described = {"dependencies": list(dependencies), "graphs": {}} | content
    (folder / "langgraph.json").write_text(json.dumps(described), encoding="utf-8")
    return read_project(folder / "langgraph.json")


def new_settings(**changes: Any) -> Settings:  # noqa: ANN401
    """Settings of a system that nobody will connect to."""
    ordinary: dict[str, Any] = {
        "database_url": "postgresql://user:password@localhost/wtb",
        "redis_url": "redis://:password@localhost/0",
        "api_key": "the-key",
    }
    return Settings(**ordinary | changes)


def claimed_run(**changes: Any) -> ClaimedRun:  # noqa: ANN401
    """A run that a runner holds."""
    ordinary: dict[str, Any] = {
        "id": new_id(),
        "execution_id": new_id(),
        "execution_version": 2,
        "thread_id": new_id(),
        "timeline_id": new_id(),
        "workflow_id": new_id(),
        "workflow_version": 1,
        "variants": {},
        "workflow_variant": None,
        "attempt": 1,
        "limits": Limits(),
        "input": {},
        "batch_test_id": None,
        "resumes": False,
    }
    return ClaimedRun(**ordinary | changes)

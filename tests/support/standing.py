"""Executions that stand in any status, with checkpoints, and no runner anywhere."""

import json
from typing import Any

from api_fixtures import ServedApi
from arranging import change, select
from served_api import Caller
from stock_runs import run

from wtb_async.domain.json import JsonObject
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.postgres.database import Database

_TABLES = (
    "wtb_executions",
    "wtb_runs",
    "wtb_threads",
    "wtb_commands",
    "wtb_outbox",
    "wtb_audit_log",
    "checkpoint_writes",
)


async def standing(
    served: Database, path: str, status: str, *, interrupts: list[JsonObject] | None = None
) -> dict[str, str]:
    """Move an execution whose graph was run to a status; answers its row's ids."""
    execution_id = path.rpartition("/")[2]
    await change(
        served,
        """WITH head AS (
               SELECT max(checkpoint_id) AS id FROM checkpoints
               WHERE checkpoint_ns = '' AND thread_id =
                   (SELECT thread_id::text FROM wtb_executions WHERE id = :id)
           ), moved AS (
               UPDATE wtb_runs SET status = CAST(:status AS text)
               WHERE id = (SELECT run_id FROM wtb_executions WHERE id = :id)
           )
           UPDATE wtb_executions
           SET status = CAST(:status AS text), checkpoint_id = (SELECT id FROM head),
               pause_reason = CASE WHEN CAST(:status AS text) <> 'paused' THEN NULL
                                   WHEN :asks THEN 'interrupt' ELSE 'command' END,
               interrupts = CAST(:interrupts AS jsonb)
           WHERE id = :id""",
        id=execution_id,
        status=status,
        asks=bool(interrupts),
        interrupts=json.dumps(interrupts or []),
    )
    [row] = await select(
        served,
        "SELECT thread_id, checkpoint_id FROM wtb_executions WHERE id = :id",
        id=execution_id,
    )
    return row


async def asking(
    api: ServedApi,
    caller: Caller,
    served: Database,
    workflow: Workflow,
    **given: Any,  # noqa: ANN401
) -> tuple[str, JsonObject]:
    """The path of an execution that waits for an answer, and its question."""
    path = await run(api, caller, workflow, **given)
    state = (await caller.get(f"{path}/state")).json()
    [asked] = [{**question, "kind": "interrupt"} for question in state["interrupts"]]
    await standing(served, path, "paused", interrupts=[asked])
    return path, asked


async def everything(served: Database, path: str) -> list[dict[str, Any]]:
    """All that a command could have changed: the execution, and how many rows there are."""
    counts = ", ".join(f"(SELECT count(*) FROM {table}) AS {table}" for table in _TABLES)  # noqa: S608
    return await select(
        served,
        f"SELECT to_jsonb(execution) || to_jsonb(run) AS rows, {counts}"  # noqa: S608
        " FROM wtb_executions AS execution JOIN wtb_runs AS run ON run.id = execution.run_id"
        " WHERE execution.id = :id",
        id=path.rpartition("/")[2],
    )

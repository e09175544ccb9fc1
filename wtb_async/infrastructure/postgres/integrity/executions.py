"""Checks of executions and runs: whatever they refer to is there, and somebody works on them."""

from wtb_async.domain.integrity import Check, Severity
from wtb_async.infrastructure.postgres.integrity.row_inspection import RowCheck

_ID = {"id": "uuid"}
IS_SETTLED = "item.created_at < clock_timestamp() - make_interval(secs => :grace_seconds)"
"""It is old enough not to be work under way."""

REFERENCES_OF_EXECUTIONS = RowCheck(
    check=Check(
        name="execution_references",
        severity=Severity.CRITICAL,
        title="an execution whose run or thread is gone",
    ),
    table="wtb_executions",
    key=_ID,
    is_looked_at=IS_SETTLED,
    is_broken="""(
        NOT EXISTS (SELECT FROM wtb_runs WHERE id = item.run_id)
        OR NOT EXISTS (SELECT FROM wtb_threads WHERE id = item.thread_id))""",
    subject="item.id",
    detail="format('run %s, thread %s', item.run_id, item.thread_id)",
)

REFERENCES_OF_RUNS = RowCheck(
    check=Check(
        name="run_references",
        severity=Severity.CRITICAL,
        title="a run whose thread or runner is gone",
    ),
    table="wtb_runs",
    key=_ID,
    is_looked_at=IS_SETTLED,
    is_broken="""(
        NOT EXISTS (SELECT FROM wtb_threads WHERE id = item.thread_id)
        OR NOT EXISTS (SELECT FROM wtb_runners WHERE id = item.runner_id)
           AND item.runner_id IS NOT NULL)""",
    subject="item.id",
    detail="format('thread %s, runner %s', item.thread_id, item.runner_id)",
)

CHECKPOINTS_OF_EXECUTIONS = RowCheck(
    check=Check(
        name="execution_checkpoints",
        severity=Severity.ERROR,
        title="an execution that stands at a checkpoint which its thread does not have",
    ),
    table="wtb_executions",
    key=_ID,
    is_looked_at=f"item.checkpoint_id IS NOT NULL AND {IS_SETTLED}",
    is_broken="""NOT EXISTS (
        SELECT FROM checkpoints WHERE thread_id = item.thread_id::text
        AND checkpoint_ns = '' AND checkpoint_id = item.checkpoint_id)""",
    subject="item.id",
    detail="format('checkpoint %s of thread %s', item.checkpoint_id, item.thread_id)",
)

ABANDONED_RUNS = RowCheck(
    check=Check(
        name="abandoned_runs",
        severity=Severity.ERROR,
        title="a run whose runner fell silent long ago, and that nobody has taken over",
    ),
    table="wtb_runs",
    key=_ID,
    is_looked_at="item.status = 'running'",
    is_broken="""EXISTS (
        SELECT FROM wtb_runners WHERE id = item.runner_id
        AND heartbeat_at < clock_timestamp() - make_interval(secs => :grace_seconds))""",
    subject="item.id",
    detail="format('runner %s', item.runner_id)",
)

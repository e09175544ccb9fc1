"""The statements that move batch tests on: when they start, and when nothing of them is left."""

from sqlalchemy import text

from wtb_async.domain.batch_events import (
    BatchCancelled,
    BatchCompleted,
    BatchFailed,
    BatchPaused,
    BatchStarted,
)
from wtb_async.domain.batch_test import BATCH_TRANSITIONS, BatchStatus
from wtb_async.infrastructure.postgres.scoring_statements import (
    OPEN_STATUSES,
    SUMMARIZED,
    UNDER_WAY,
)

MARK_STARTED = text(
    f"""
    WITH moved AS (
        UPDATE wtb_batch_tests AS batch
        SET status = 'running', version = version + 1, started_at = clock_timestamp()
        WHERE batch.id = ANY (ARRAY(
            SELECT id FROM wtb_batch_tests
            WHERE id = ANY (CAST(:ids AS uuid[])) AND status = 'pending'
            ORDER BY id FOR NO KEY UPDATE))
        RETURNING batch.id, batch.version
    ), events AS (
        INSERT INTO wtb_outbox (aggregate, aggregate_id, sequence, type, data)
        SELECT 'batch_test', id, version, '{BatchStarted.__name__}', '{{}}' FROM moved
    )
    INSERT INTO wtb_audit_log
        (actor, action, aggregate, aggregate_id, status_before, status_after)
    SELECT :actor, '{BatchStarted.__name__}', 'batch_test', id, 'pending', 'running' FROM moved
    """  # noqa: S608 - names of the domain
)

_MOVES = ", ".join(
    f"('{before}', '{target}', '{event.__name__}')"
    for target, event in (
        (BatchStatus.PAUSED, BatchPaused),
        (BatchStatus.COMPLETED, BatchCompleted),
        (BatchStatus.CANCELLED, BatchCancelled),
        (BatchStatus.FAILED, BatchFailed),
    )
    for before in BATCH_TRANSITIONS.sources(target)
)

# Whoever changes a batch changes its version, so that nobody moves it by what he saw before that.
# A batch of which every single execution was cancelled before it began has not been completed.
CONCLUDE = text(
    f"""
    WITH looked_at AS MATERIALIZED (
        SELECT batch.*,
            EXISTS (SELECT FROM wtb_executions WHERE batch_test_id = batch.id
                AND status IN ({OPEN_STATUSES})) AS is_open,
            EXISTS (SELECT FROM wtb_executions WHERE batch_test_id = batch.id
                AND status = 'running') AS runs,
            {SUMMARIZED} AS is_summarized,
            CASE WHEN max_failures IS NULL THEN FALSE
                 ELSE max_failures + forgiven_failures < (
                     SELECT count(*) FROM wtb_executions WHERE batch_test_id = batch.id
                     AND status = 'failed') END AS fails
        FROM wtb_batch_tests AS batch
        WHERE id = ANY (CAST(:ids AS uuid[])) AND {UNDER_WAY}
    ), seen AS MATERIALIZED (
        SELECT *,
            fails AND becomes IS DISTINCT FROM 'failed' AND becomes IS DISTINCT FROM 'cancelled'
                AS failing,
            becomes IS NULL AND EXISTS (
                SELECT FROM wtb_executions WHERE batch_test_id = looked_at.id
                AND status = 'paused' AND pause_reason = 'batch') AS left_behind,
            CASE WHEN becomes = 'paused' AND is_open THEN CASE WHEN NOT runs THEN 'paused' END
                 WHEN is_open THEN NULL
                 WHEN evaluators <> '[]' AND EXISTS (
                     SELECT FROM wtb_executions WHERE batch_test_id = looked_at.id
                     AND scored_at IS NULL) THEN NULL
                 WHEN NOT is_summarized THEN NULL
                 WHEN becomes <> 'paused' THEN becomes
                 WHEN status = 'pending' THEN 'cancelled'
                 ELSE 'completed' END AS target
        FROM looked_at
    ), moved AS (
        UPDATE wtb_batch_tests AS batch
        SET status = seen.target, becomes = NULL, version = batch.version + 1,
            finished_at = CASE WHEN seen.target <> 'paused' THEN clock_timestamp() END
        FROM seen JOIN (VALUES {_MOVES}) AS move (before, target, event)
            ON move.before = seen.status AND move.target = seen.target
        WHERE batch.id = seen.id AND batch.version = seen.version AND NOT seen.failing
        RETURNING batch.id, batch.version, move.event, move.before, move.target, batch.error
    ), events AS (
        INSERT INTO wtb_outbox (aggregate, aggregate_id, sequence, type, data)
        SELECT 'batch_test', id, version, event,
               CASE WHEN target = 'failed' THEN jsonb_build_object('error', error) ELSE '{{}}' END
        FROM moved
    ), audit AS (
        INSERT INTO wtb_audit_log
            (actor, action, aggregate, aggregate_id, status_before, status_after)
        SELECT 'relay', event, 'batch_test', id, before, target FROM moved
    )
    SELECT id, id IN (SELECT id FROM moved) AS moved, failing, left_behind FROM seen
    """  # noqa: S608 - names of the domain
)

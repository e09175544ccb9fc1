"""The statements that change all executions of a batch test at once.

Each takes its locks in the order in which settlings take them, runs before executions and both by
id, and decides by the rows as they are once they are locked: claims and settlings go on meanwhile.
A run that was taken over meanwhile is not among them, so the statements that ask something of every
execution are repeated until they find none left to ask.
"""

from wtb_async.domain.events import (
    ExecutionCancelled,
    ExecutionPauseRequested,
    ExecutionResumed,
    ExecutionStopRequested,
)
from wtb_async.domain.execution import ENDED, EXECUTION_TRANSITIONS, ExecutionStatus, PauseReason
from wtb_async.domain.run import RUN_TRANSITIONS, UNCLAIMED, RunStatus


def _names(*statuses: str) -> str:
    return ", ".join(f"'{status}'" for status in statuses)


_OPEN = _names(*(status for status in ExecutionStatus if status not in ENDED))
_HOLDABLE = _names(*RUN_TRANSITIONS.sources(RunStatus.HELD))
_UNCLAIMED = _names(*UNCLAIMED)
_BEGUN = _names(RunStatus.WAITING, RunStatus.PENDING, RunStatus.RUNNING)
_CONTINUABLE = _names(*EXECUTION_TRANSITIONS.sources(ExecutionStatus.PENDING))
_CLAIMABLE_OR_CLAIMED = _names(RunStatus.PENDING, RunStatus.RUNNING)

# The rows behind `wanted.run_id`, locked, as they are now. They are not joined with each other: the
# planner, who knows nothing of their number, would compare each with each.
_LOCKED = """
runs AS MATERIALIZED (
    SELECT * FROM wtb_runs WHERE id = ANY (ARRAY(SELECT run_id FROM wanted))
    ORDER BY id FOR NO KEY UPDATE
), executions AS MATERIALIZED (
    SELECT * FROM wtb_executions
    WHERE run_id = ANY (ARRAY(SELECT id FROM runs)) AND batch_test_id = $1::uuid AND {condition}
    ORDER BY id FOR NO KEY UPDATE
)"""

# What becomes of the rows of `changed`, for the record: $2 is the actor, $3 the command's id and $4
# that of the request that brought it.
_RECORDED = """
events AS (
    INSERT INTO wtb_outbox (aggregate, aggregate_id, sequence, type, data)
    SELECT 'execution', id, version, event_type, event_data FROM changed
), audit AS (
    INSERT INTO wtb_audit_log
        (actor, action, aggregate, aggregate_id, status_before, status_after, command_id,
         request_id)
    SELECT $2::text, event_type, 'execution', id, status_before, status_after, $3::uuid, $4::text
    FROM changed
)"""

# $1 batch id, $2 to $4 as in `_RECORDED`, $5 what is asked of runs that are executed. What is
# cancelled here has nothing to score. Answers how many were left to ask.
STOP = f"""
WITH wanted AS MATERIALIZED (
    SELECT execution.run_id
    FROM wtb_executions AS execution JOIN wtb_runs AS run ON run.id = execution.run_id
    WHERE execution.batch_test_id = $1::uuid AND execution.status IN ({_OPEN})
      AND (execution.status <> 'running' OR run.request ->> 'kind' IS DISTINCT FROM 'stop')
), {_LOCKED.format(condition=f"status IN ({_OPEN})")}, executed AS MATERIALIZED (
    SELECT * FROM executions
    WHERE run_id = ANY (ARRAY(SELECT id FROM runs WHERE status = 'running'))
), others AS MATERIALIZED (
    SELECT * FROM executions
    WHERE run_id <> ALL (ARRAY(SELECT id FROM runs WHERE status = 'running'))
), ended_runs AS (
    UPDATE wtb_runs SET status = 'cancelled', finished_at = clock_timestamp()
    WHERE id = ANY (ARRAY(SELECT id FROM runs WHERE status IN ({_UNCLAIMED})))
), asked_runs AS (
    UPDATE wtb_runs SET request = $5::jsonb
    WHERE id = ANY (ARRAY(SELECT id FROM runs WHERE status = 'running'))
), ended AS (
    UPDATE wtb_executions
    SET status = 'cancelled', pause_reason = NULL, interrupts = '[]', version = version + 1,
        finished_at = clock_timestamp(), scored_at = clock_timestamp()
    WHERE id = ANY (ARRAY(SELECT id FROM others))
), asked AS (
    UPDATE wtb_executions SET version = version + 1 WHERE id = ANY (ARRAY(SELECT id FROM executed))
), changed AS (
    SELECT id, version + 1 AS version, status AS status_before, 'cancelled' AS status_after,
           '{ExecutionCancelled.__name__}' AS event_type,
           jsonb_build_object(
               'batch_test_id', $1::uuid, 'duration_ms', duration_ms, 'is_scored',
               (SELECT evaluators <> '[]' FROM wtb_batch_tests WHERE id = $1::uuid)) AS event_data
    FROM others
    UNION ALL
    SELECT id, version + 1, status, status, '{ExecutionStopRequested.__name__}',
           jsonb_build_object('batch_test_id', $1::uuid)
    FROM executed
), {_RECORDED}
SELECT count(*) AS found FROM wanted
"""  # noqa: S608 - only names from the domain go in

# $1 batch id, $2 to $4 as in `_RECORDED`, $5 what is asked of runs that are executed. What somebody
# asked of a single execution stands. A run whose executions have begun already, because its runner
# was lost or because they have parted from others, is asked as well: it pauses when it is claimed.
PAUSE = f"""
WITH wanted AS MATERIALIZED (
    SELECT execution.run_id
    FROM wtb_executions AS execution JOIN wtb_runs AS run ON run.id = execution.run_id
    WHERE execution.batch_test_id = $1::uuid AND (
        (execution.status = 'pending' AND run.status IN ({_HOLDABLE}))
        OR (execution.status = 'running' AND run.status IN ({_BEGUN}) AND run.request IS NULL))
), {_LOCKED.format(condition="status IN ('pending', 'running')")}, held AS (
    UPDATE wtb_runs SET status = 'held'
    WHERE id = ANY (ARRAY(SELECT run_id FROM executions WHERE status = 'pending'))
      AND status IN ({_HOLDABLE})
), executed AS MATERIALIZED (
    SELECT id FROM runs
    WHERE status IN ({_BEGUN}) AND request IS NULL
      AND id = ANY (ARRAY(SELECT run_id FROM executions WHERE status = 'running'))
), asked_runs AS (
    UPDATE wtb_runs SET request = $5::jsonb WHERE id = ANY (ARRAY(SELECT id FROM executed))
), changed AS MATERIALIZED (
    SELECT id, version + 1 AS version, status AS status_before, status AS status_after,
           '{ExecutionPauseRequested.__name__}' AS event_type,
           jsonb_build_object('batch_test_id', $1::uuid, 'at_node', NULL) AS event_data
    FROM executions WHERE run_id = ANY (ARRAY(SELECT id FROM executed))
), asked AS (
    UPDATE wtb_executions SET version = version + 1 WHERE id = ANY (ARRAY(SELECT id FROM changed))
), {_RECORDED}
SELECT count(*) AS found FROM wanted
"""  # noqa: S608 - only names from the domain go in

# $1 batch id
LET_GO = """
WITH wanted AS MATERIALIZED (
    SELECT execution.run_id
    FROM wtb_executions AS execution JOIN wtb_runs AS run ON run.id = execution.run_id
    WHERE execution.batch_test_id = $1::uuid AND execution.status IN ('pending', 'running')
      AND (run.status = 'held' OR (run.request ->> 'of_batch')::bool)
), runs AS MATERIALIZED (
    SELECT id FROM wtb_runs WHERE id = ANY (ARRAY(SELECT run_id FROM wanted))
    ORDER BY id FOR NO KEY UPDATE
)
UPDATE wtb_runs
SET status = CASE WHEN status <> 'held' THEN status
                  WHEN limited_by IS NULL THEN 'pending' ELSE 'waiting' END,
    request = CASE WHEN (request ->> 'of_batch')::bool THEN NULL ELSE request END
WHERE id = ANY (ARRAY(SELECT id FROM runs))
"""

_RESTS = f"""
(status = ANY ($2::text[]) OR (status = 'paused' AND pause_reason = '{PauseReason.BATCH}'))"""

# $1 batch id, $2 statuses. The runs have ended, so that they do not change meanwhile.
LOCK_RESTING = f"""
WITH wanted AS MATERIALIZED (
    SELECT run_id FROM wtb_executions WHERE batch_test_id = $1::uuid AND {_RESTS}
), {_LOCKED.format(condition=_RESTS)}
SELECT execution.id AS execution_id, execution.status, run.id AS run_id,
       run.status AS run_status, execution.thread_id,
       execution.thread_id <> run.thread_id AS moved,
       execution.started_at IS NOT NULL AS begun
FROM executions AS execution JOIN wtb_runs AS run ON run.id = execution.run_id
ORDER BY run.position
"""  # noqa: S608 - only names from the domain go in

# $1 batch id, $2 to $4 as in `_RECORDED`, $5 time, $6 execution ids, $7 run ids, $8 thread ids.
# Executions with one run among them have not begun, and share it as they shared the last one. Who
# goes on from a fork goes on by itself, and heeds the breakpoints there once more.
CONTINUE = f"""
WITH given AS MATERIALIZED (
    SELECT * FROM unnest($6::uuid[], $7::uuid[], $8::uuid[]) WITH ORDINALITY
        AS given (execution_id, run_id, thread_id, number)
), successors AS (
    SELECT DISTINCT ON (given.run_id) given.*, last.pool, last.workflow_id, last.limits,
           last.limited_by, last.workflow_variant,
           CASE WHEN execution.started_at IS NULL
                THEN last.variants ELSE execution.variants END AS variants,
           CASE WHEN execution.started_at IS NULL THEN last.gates ELSE '[]' END AS gates,
           CASE WHEN execution.thread_id <> last.thread_id
                THEN execution.thread_id ELSE last.timeline_id END AS timeline_id,
           CASE WHEN execution.thread_id = given.thread_id
                THEN execution.checkpoint_id END AS from_checkpoint_id
    FROM given
    JOIN wtb_executions AS execution ON execution.id = given.execution_id
    JOIN wtb_runs AS last ON last.id = execution.run_id
), new_runs AS (
    INSERT INTO wtb_runs (id, pool, status, thread_id, workflow_id, variants, workflow_variant,
                          gates, attempt, limits, limited_by, timeline_id, from_checkpoint_id,
                          created_at)
    SELECT run_id, pool, CASE WHEN limited_by IS NULL THEN 'pending' ELSE 'waiting' END,
           thread_id, workflow_id, variants, workflow_variant, gates, 1, limits, limited_by,
           timeline_id, from_checkpoint_id, $5::timestamptz
    FROM successors ORDER BY number
), forgotten AS (
    DELETE FROM wtb_evaluation_results WHERE execution_id = ANY ($6::uuid[])
), changed AS (
    UPDATE wtb_executions AS execution
    SET status = 'pending', run_id = given.run_id, thread_id = given.thread_id, attempt = 1,
        version = execution.version + 1, pause_reason = NULL, error = NULL, interrupts = '[]',
        finished_at = NULL, scored_at = NULL, scoring_until = NULL
    FROM given
    JOIN wtb_executions AS before ON before.id = given.execution_id
    JOIN wtb_runs AS last ON last.id = before.run_id
    WHERE execution.id = given.execution_id AND execution.status IN ({_CONTINUABLE})
    RETURNING execution.id, execution.version, before.status AS status_before,
              'pending' AS status_after, '{ExecutionResumed.__name__}' AS event_type,
              jsonb_build_object('batch_test_id', $1::uuid, 'pool', last.pool) AS event_data
), {_RECORDED}
SELECT 1
"""  # noqa: S608 - only names from the domain go in

# $1 batch ids. Whoever counts places holds these locks, and begins to count once it has them.
LOCK_BATCHES = """
SELECT id FROM wtb_batch_tests WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE
"""

# $1 batch ids. Only this makes runs of a limited batch claimable; a successor of a lost run takes
# over its place.
RELEASE = f"""
WITH places AS MATERIALIZED (
    SELECT batch.id, batch.max_concurrency - (
        SELECT count(*) FROM wtb_runs
        WHERE limited_by = batch.id AND status IN ({_CLAIMABLE_OR_CLAIMED})) AS free
    FROM wtb_batch_tests AS batch
    WHERE batch.id = ANY ($1::uuid[]) AND batch.max_concurrency IS NOT NULL
), chosen AS MATERIALIZED (
    SELECT waiting.id FROM places CROSS JOIN LATERAL (
        SELECT id FROM wtb_runs WHERE limited_by = places.id AND status = 'waiting'
        ORDER BY position LIMIT GREATEST(places.free, 0) FOR NO KEY UPDATE SKIP LOCKED
    ) AS waiting
)
UPDATE wtb_runs AS run SET status = 'pending'
WHERE run.id = ANY (ARRAY(SELECT id FROM chosen)) RETURNING run.pool
"""  # noqa: S608 - only names from the domain go in

WITH_WAITING_RUNS = """
SELECT id FROM wtb_batch_tests AS batch
WHERE max_concurrency IS NOT NULL AND EXISTS (
    SELECT FROM wtb_runs WHERE limited_by = batch.id AND status = 'waiting')
"""

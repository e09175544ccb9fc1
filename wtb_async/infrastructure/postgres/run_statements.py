"""The statements that every run passes through: claim and settle above all.

Both of these carry the whole change (run, execution, outbox, audit) so that a claim or a settling
of many runs is one round trip. The statuses come from the transition tables of the domain.
"""

from wtb_async.domain.events import ExecutionCancelled
from wtb_async.domain.execution import EXECUTION_TRANSITIONS, ExecutionStatus
from wtb_async.domain.run import RUN_TRANSITIONS, RunStatus


def _sources(*statuses: str) -> str:
    return ", ".join(f"'{status}'" for status in statuses)


_CLAIMABLE = _sources(*RUN_TRANSITIONS.sources(RunStatus.RUNNING))
_STARTABLE = _sources(*EXECUTION_TRANSITIONS.sources(ExecutionStatus.RUNNING))
_ENDABLE = _sources(*RUN_TRANSITIONS.sources(RunStatus.COMPLETED))
_CANCELLED_EVENT = ExecutionCancelled.__name__
_SETTLEABLE = _sources(*EXECUTION_TRANSITIONS.sources(ExecutionStatus.COMPLETED))

# What a runner needs of the rows of `claimed`. Executions that share a run have the same input,
# batch and breakpoints: one stands for all.
_CLAIMED = """
SELECT claimed.id, execution.id AS execution_id, {version} AS execution_version,
       claimed.thread_id, claimed.timeline_id, claimed.workflow_id,
       workflow.version AS workflow_version, claimed.variants, claimed.workflow_variant,
       claimed.attempt, claimed.limits, execution.input, execution.batch_test_id,
       claimed.from_checkpoint_id IS NOT NULL OR thread.reason <> 'start' AS resumes,
       claimed.from_checkpoint_id, claimed.edit, claimed.request, execution.breakpoints,
       execution.stream, claimed.gates, claimed.spent_ms
FROM claimed
JOIN wtb_executions AS execution ON execution.run_id = claimed.id AND (
    claimed.gates = '[]' OR execution.id =
        (SELECT id FROM wtb_executions WHERE run_id = claimed.id ORDER BY id LIMIT 1))
JOIN wtb_workflows AS workflow ON workflow.id = claimed.workflow_id
JOIN wtb_threads AS thread ON thread.id = claimed.thread_id
ORDER BY claimed.position
"""

# $1 runner id, $2 pool, $3 how many. A runner that was declared lost gets nothing: its heartbeat
# will tell it so, and until then it must not spend the attempts of more runs.
CLAIM = f"""
WITH picked AS (
    SELECT id FROM wtb_runs WHERE status IN ({_CLAIMABLE}) AND pool = $2
      AND EXISTS (SELECT FROM wtb_runners WHERE id = $1::uuid AND status = 'alive')
    ORDER BY position LIMIT $3 FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE wtb_runs AS run
    SET status = 'running', runner_id = $1::uuid, claimed_at = clock_timestamp()
    WHERE run.id = ANY (ARRAY(SELECT id FROM picked))
    RETURNING run.*
), started AS (
    UPDATE wtb_executions AS execution
    SET status = 'running', version = version + 1,
        started_at = COALESCE(execution.started_at, clock_timestamp())
    FROM claimed
    WHERE execution.run_id = claimed.id AND execution.status IN ({_STARTABLE})
    RETURNING execution.id, execution.version, execution.batch_test_id,
              claimed.id AS run_id, claimed.attempt
), events AS (
    INSERT INTO wtb_outbox (aggregate, aggregate_id, sequence, type, data)
    SELECT 'execution', id, version, 'ExecutionStarted',
           jsonb_build_object('run_id', run_id, 'attempt', attempt, 'batch_test_id', batch_test_id)
    FROM started
), audit AS (
    INSERT INTO wtb_audit_log
        (actor, action, aggregate, aggregate_id, status_before, status_after)
    SELECT 'runner:' || $1::uuid, 'ExecutionStarted', 'execution', id, 'pending', 'running'
    FROM started
)
{_CLAIMED.format(version="execution.version + 1")}
"""  # noqa: S608 - only names from the domain's tables go in

# $1 runner id, $2 actor, $3 run ids, then one array per column of `given`.
# The fence is `status` and `runner_id`: a runner whose lease was lost changes nothing. A request to
# stop that came after the graph had paused by itself is granted here.
SETTLE = f"""
WITH given AS MATERIALIZED (
    SELECT * FROM unnest(
        $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
        $10::text[], $11::text[], $12::float8[], $13::text[], $14::text[]
    ) AS given (run_id, run_status, status, output, error, pause_reason, checkpoint_id,
                next_nodes, interrupts, duration_ms, event_type, event_data)
), ended AS (
    UPDATE wtb_runs AS run
    SET status = given.run_status, error = given.error::jsonb, finished_at = clock_timestamp()
    FROM given
    WHERE run.id = given.run_id AND run.id = ANY ($3::uuid[])
      AND run.status IN ({_ENDABLE}) AND run.runner_id = $1::uuid
    RETURNING run.id, run.limited_by,
        given.status = 'paused' AND COALESCE(run.request ->> 'kind' = 'stop', FALSE) AS stopped
), settled AS (
    UPDATE wtb_executions AS execution
    SET status = CASE WHEN stopped THEN 'cancelled' ELSE given.status END,
        pause_reason = CASE WHEN NOT stopped THEN given.pause_reason END,
        output = given.output::jsonb, error = given.error::jsonb,
        next_nodes = given.next_nodes::jsonb,
        checkpoint_id = COALESCE(given.checkpoint_id, execution.checkpoint_id),
        interrupts = CASE WHEN stopped THEN '[]' ELSE given.interrupts::jsonb END,
        version = execution.version + 1,
        duration_ms = COALESCE(execution.duration_ms, 0) + given.duration_ms,
        finished_at =
            CASE WHEN stopped OR given.status <> 'paused' THEN clock_timestamp() END
    FROM ended JOIN given ON given.run_id = ended.id
    WHERE execution.run_id = ended.id AND execution.status IN ({_SETTLEABLE})
    RETURNING execution.id, execution.version, execution.batch_test_id, execution.status,
              CASE WHEN stopped THEN '{_CANCELLED_EVENT}' ELSE given.event_type END AS event_type,
              CASE WHEN stopped THEN given.event_data::jsonb - 'reason'
                   ELSE given.event_data::jsonb END AS event_data
), events AS (
    INSERT INTO wtb_outbox (aggregate, aggregate_id, sequence, type, data)
    SELECT 'execution', id, version, event_type,
           event_data || jsonb_build_object(
               'batch_test_id', batch_test_id, 'is_scored',
               (SELECT evaluators <> '[]' FROM wtb_batch_tests WHERE id = batch_test_id))
    FROM settled
), audit AS (
    INSERT INTO wtb_audit_log
        (actor, action, aggregate, aggregate_id, status_before, status_after)
    SELECT $2::text, event_type, 'execution', id, 'running', status FROM settled
)
SELECT id, limited_by FROM ended
"""  # noqa: S608 - only names from the domain's tables go in

# Not only the runs of runners that were lost just now: a run whose row was locked then, or that was
# claimed while its runner was being declared lost, is found by the next look. A last attempt that
# was not being executed alone was still waiting for its turn.
LOCK_LOST = """
SELECT run.*,
       COALESCE(
           runner.alone_run_id = run.id,
           run.attempt = 1 OR run.attempt < (run.limits ->> 'max_attempts')::int
       ) AS charged
FROM wtb_runs AS run
JOIN wtb_runners AS runner ON runner.id = run.runner_id
WHERE run.status = 'running' AND runner.status <> 'alive'
ORDER BY run.position
FOR UPDATE OF run SKIP LOCKED
"""

# $1 runner id, $2 the ids of runs that it knows of
HELD = f"""
WITH claimed AS (
    SELECT * FROM wtb_runs
    WHERE runner_id = $1::uuid AND status = 'running' AND id <> ALL ($2::uuid[])
)
{_CLAIMED.format(version="execution.version")}
"""  # noqa: S608 - only names from the domain's tables go in

# $1 runner id
REQUESTS = """
SELECT id, request FROM wtb_runs
WHERE runner_id = $1::uuid AND status = 'running' AND request IS NOT NULL
"""

# $1 lost run ids, $2 successor run ids, $3 their thread ids, $4 their attempts, $5 pool names,
# $6 actor
HAND_OVER = """
WITH given AS MATERIALIZED (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::text[])
        AS given (lost_id, run_id, thread_id, attempt, pool)
), ended AS (
    UPDATE wtb_runs SET status = 'lost', finished_at = clock_timestamp()
    WHERE id = ANY ($1::uuid[])
), moved AS (
    UPDATE wtb_executions AS execution
    SET run_id = given.run_id, thread_id = given.thread_id, attempt = given.attempt,
        version = execution.version + 1
    FROM given WHERE execution.run_id = given.lost_id
    RETURNING execution.id, execution.version, execution.status, given.attempt, given.pool
), events AS (
    INSERT INTO wtb_outbox (aggregate, aggregate_id, sequence, type, data)
    SELECT 'execution', id, version, 'ExecutionTakenOver',
           jsonb_build_object('pool', pool, 'attempt', attempt)
    FROM moved
)
INSERT INTO wtb_audit_log (actor, action, aggregate, aggregate_id, status_before, status_after)
SELECT $6::text, 'ExecutionTakenOver', 'execution', id, status, status FROM moved
"""

# $1 runner id, $2 run ids. The same fence as that of a settling.
LOCK_GROUPS = """
SELECT * FROM wtb_runs
WHERE id = ANY ($2::uuid[]) AND status = 'running' AND runner_id = $1::uuid
ORDER BY id FOR UPDATE
"""

# $1 run ids, which are locked: nobody joins or leaves them meanwhile.
LOCK_MEMBERS = """
SELECT id, run_id, variants FROM wtb_executions WHERE run_id = ANY ($1::uuid[])
ORDER BY id FOR UPDATE
"""

# $1 execution ids, $2 their threads, $3 their runs or NULL where they stay, $4 what they have spent
MOVE = """
UPDATE wtb_executions AS execution
SET thread_id = given.thread_id, run_id = COALESCE(given.run_id, execution.run_id),
    duration_ms = COALESCE(
        execution.duration_ms + given.spent_ms, given.spent_ms, execution.duration_ms)
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::float8[])
    AS given (execution_id, thread_id, run_id, spent_ms)
WHERE execution.id = given.execution_id
"""

# $1 run ids
END_SPLIT = """
UPDATE wtb_runs SET status = 'split', finished_at = clock_timestamp() WHERE id = ANY ($1::uuid[])
"""

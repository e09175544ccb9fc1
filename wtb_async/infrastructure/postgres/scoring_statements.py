"""The statements by which executions of batch tests get their scores."""

from wtb_async.domain.batch_test import ScoringMode
from wtb_async.domain.execution import ENDED, ExecutionStatus
from wtb_async.domain.graph_choice import WORKFLOW_KEY
from wtb_async.domain.workflow import BASE_VARIANT

ENDED_STATUSES = ", ".join(f"'{status}'" for status in ENDED)
OPEN_STATUSES = ", ".join(f"'{status}'" for status in ExecutionStatus if status not in ENDED)

COMPARES_PAIRS = """batch.evaluators @> '[{"kind": "pairwise"}]'"""

# A change of the evaluators waits until a claim has been made with the ones before, and the other
# way round; so the claim itself is a statement of its own, which sees what was changed.
EVALUATORS = """
SELECT batch.evaluators, batch.baseline, workflow.project
FROM wtb_batch_tests AS batch JOIN wtb_workflows AS workflow ON workflow.id = batch.workflow_id
WHERE batch.id = :batch_id AND batch.evaluators <> '[]'
FOR SHARE OF batch
"""


def _outcome(table: str) -> str:
    names = ("id", "version", "status", "output", "error", "duration_ms")
    return ", ".join(f"{table}.{name}" for name in (*names, "started_at", "finished_at"))


def _combination(execution: str, baseline: str) -> str:
    """An execution's choice with the names that all combinations of its batch have by now."""
    return f"""(
        (SELECT COALESCE(jsonb_object_agg(name, '{BASE_VARIANT}'), '{{}}')
         FROM jsonb_object_keys({baseline}) AS name)
        || {execution}.variants
        || jsonb_strip_nulls(jsonb_build_object('{WORKFLOW_KEY}', {execution}.workflow_variant))
    )"""  # noqa: S608 - names of our own


def unscored(batch_id: str, baseline: str, compares: str) -> str:
    """The condition that a scorer may take `own`, an execution of a batch test, now.

    Where outputs are compared in pairs, it waits for the baseline of its case; that of the baseline
    itself waits for nobody.
    """
    return f"""
        own.batch_test_id = {batch_id} AND own.status IN ({ENDED_STATUSES})
        AND own.scored_at IS NULL
        AND (own.scoring_until IS NULL OR own.scoring_until < clock_timestamp())
        AND (NOT {compares} OR NOT EXISTS (
            SELECT FROM wtb_executions AS other
            WHERE other.test_case_id = own.test_case_id AND other.batch_test_id = {batch_id}
              AND other.repetition = own.repetition AND other.id <> own.id
              AND {_combination("other", baseline)} = {baseline}
              AND other.status IN ({OPEN_STATUSES})))"""


_BASELINE = "CAST(:baseline AS jsonb)"
_COMPARES = "CAST(:compares AS bool)"

CLAIM = f"""
WITH taken AS (
    UPDATE wtb_executions
    SET scoring_until = now() + make_interval(secs => :claim_seconds)
    WHERE id = ANY (ARRAY(
        SELECT own.id FROM wtb_executions AS own
        WHERE {unscored(":batch_id", _BASELINE, _COMPARES)}
        ORDER BY own.id LIMIT :limit FOR UPDATE SKIP LOCKED))
    RETURNING *
)
SELECT {_outcome("taken")}, taken.scoring_until AS claimed_until,
       {_combination("taken", _BASELINE)} AS combination, taken.repetition,
       tested.key, taken.input AS inputs, tested.reference, tested.metadata,
       ARRAY(SELECT DISTINCT evaluator FROM wtb_evaluation_results
             WHERE execution_id = taken.id) AS seen_by,
       to_jsonb(baseline) AS baseline
FROM taken
JOIN wtb_test_cases AS tested ON tested.id = taken.test_case_id
LEFT JOIN LATERAL (
    SELECT {_outcome("other")} FROM wtb_executions AS other
    WHERE other.test_case_id = taken.test_case_id AND other.batch_test_id = :batch_id
      AND other.repetition = taken.repetition AND other.id <> taken.id
      AND {_COMPARES} AND {_combination("other", _BASELINE)} = {_BASELINE}
      AND other.status = '{ExecutionStatus.COMPLETED}'
    LIMIT 1
) AS baseline ON TRUE
"""  # noqa: S608 - statuses of the domain

EXTEND_CLAIMS = """
WITH locked AS MATERIALIZED (
    SELECT id FROM wtb_executions WHERE id = ANY (CAST(:ids AS uuid[]))
    ORDER BY id FOR NO KEY UPDATE
), extended AS (
    UPDATE wtb_executions AS execution
    SET scoring_until = now() + make_interval(secs => :claim_seconds)
    FROM unnest(CAST(:ids AS uuid[]), CAST(:untils AS timestamptz[])) AS given (id, until)
    JOIN locked ON locked.id = given.id
    WHERE execution.id = given.id AND execution.scoring_until = given.until
)
SELECT now() + make_interval(secs => :claim_seconds)
"""

# Whoever takes the outcome of a baseline back locks its row for himself, and so comes before this
# transaction or after. A statement of its own: one that changes the row as well could not lock it.
STANDING_BASELINES = """
SELECT baseline.id, baseline.version FROM wtb_executions AS baseline
JOIN unnest(CAST(:ids AS uuid[]), CAST(:versions AS int[])) AS given (id, version)
  ON given.id = baseline.id AND given.version = baseline.version
ORDER BY baseline.id FOR KEY SHARE OF baseline
"""

# Somebody may have taken an execution back, or let it go on, or asked for other evaluators, while
# evaluators looked at it. Rows are locked in the order of their ids, as commands on whole batches
# lock them, so that nobody waits for each other.
RECORD_SCORES = """
WITH locked AS MATERIALIZED (
    SELECT id FROM wtb_executions WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE
), standing AS (
    UPDATE wtb_executions AS execution
    SET scored_at = clock_timestamp(), scoring_until = NULL,
        input_tokens = given.input_tokens, output_tokens = given.output_tokens,
        cost = COALESCE(given.cost, execution.cost)
    FROM unnest(
        $1::uuid[], $2::int[], $3::timestamptz[], $4::uuid[], $5::bigint[], $6::bigint[],
        $7::float8[]
    ) AS given (id, version, until, baseline_id, input_tokens, output_tokens, cost)
    JOIN locked ON locked.id = given.id
    WHERE execution.id = given.id AND execution.version = given.version
      AND execution.scoring_until = given.until
    RETURNING execution.id, given.until, given.baseline_id
)
INSERT INTO wtb_evaluation_results
    (execution_id, key, evaluator, score, comment, error, lower_is_better, baseline_first,
     baseline_id)
SELECT execution_id, key, evaluator, score::jsonb, comment, error, lower_is_better, baseline_first,
       CASE WHEN baseline_first IS NOT NULL THEN standing.baseline_id END
FROM unnest($8::uuid[], $9::timestamptz[], $10::text[], $11::text[], $12::text[], $13::text[],
            $14::text[], $15::bool[], $16::bool[])
    AS said (execution_id, until, key, evaluator, score, comment, error, lower_is_better,
             baseline_first)
JOIN standing ON standing.id = said.execution_id AND standing.until = said.until
ON CONFLICT (execution_id, key) DO NOTHING
"""


def _claimable_again(which: str) -> str:
    """Let scorers take executions again, which are locked in the order in which scorers lock."""
    return f"""
    UPDATE wtb_executions SET scored_at = NULL, scoring_until = NULL
    WHERE id = ANY (ARRAY(
        SELECT own.id FROM wtb_executions AS own WHERE {which}
        ORDER BY own.id FOR NO KEY UPDATE))"""  # noqa: S608 - conditions of our own


# Every row, whatever a claim that is being made is about to do with it.
_ENDED = f"own.batch_test_id = :batch_id AND own.status IN ({ENDED_STATUSES})"

_WITH_ERRORS = """EXISTS (
    SELECT FROM wtb_evaluation_results AS result
    WHERE result.execution_id = own.id AND result.error IS NOT NULL)"""

_FORGET_RESULTS = """
DELETE FROM wtb_evaluation_results AS result USING wtb_executions AS execution
WHERE result.execution_id = execution.id AND execution.batch_test_id = :batch_id
"""

_FORGET_SUMMARIES = """
UPDATE wtb_batch_tests SET summaries = NULL, summarized_at = NULL WHERE id = :batch_id
"""

SCORE_AGAIN = {
    ScoringMode.ADD: (_claimable_again(_ENDED),),
    ScoringMode.REPLACE: (_claimable_again(_ENDED), _FORGET_RESULTS, _FORGET_SUMMARIES),
    ScoringMode.RETRY: (
        _claimable_again(f"{_ENDED} AND {_WITH_ERRORS}"),
        _FORGET_RESULTS + "  AND result.error IS NOT NULL",
        _FORGET_SUMMARIES,
    ),
}
"""What is done for each mode, one after the other."""

# What others were told of an outcome that no longer stands.
FORGET_PREFERENCES = f"""
WITH compared AS (
    SELECT other.id FROM wtb_executions AS own
    JOIN wtb_batch_tests AS batch ON batch.id = own.batch_test_id
     AND batch.baseline = {_combination("own", "batch.baseline")}
     AND {COMPARES_PAIRS}
    JOIN wtb_executions AS other ON other.test_case_id = own.test_case_id
     AND other.batch_test_id = own.batch_test_id AND other.repetition = own.repetition
     AND other.id <> own.id
    WHERE own.id = ANY (CAST(:execution_ids AS uuid[]))
), forgotten AS (
    DELETE FROM wtb_evaluation_results
    WHERE baseline_id = ANY (CAST(:execution_ids AS uuid[]))
)
{_claimable_again("own.id = ANY (ARRAY(SELECT id FROM compared))")}
"""  # noqa: S608 - names of our own

UNDER_WAY = "(batch.status IN ('pending', 'running') OR batch.becomes IS NOT NULL)"
"""The condition that a batch test moves on by itself: one that is paused to stay so does not."""

# An execution that was scored after the summaries were begun was not part of them.
ALL_SCORED = f"""
    NOT EXISTS (
        SELECT FROM wtb_executions AS execution WHERE execution.batch_test_id = batch.id
          AND execution.status IN ({OPEN_STATUSES}))
    AND (batch.evaluators = '[]' OR NOT EXISTS (
        SELECT FROM wtb_executions AS execution WHERE execution.batch_test_id = batch.id
          AND execution.scored_at IS NULL))"""  # noqa: S608 - statuses of the domain

SUMMARIZED = """
    (NOT batch.evaluators @> '[{"kind": "summary"}]'
     OR COALESCE(batch.summarized_at, '-infinity') > COALESCE((
        SELECT max(scored_at) FROM wtb_executions AS execution
        WHERE execution.batch_test_id = batch.id), '-infinity'))"""

UNSUMMARIZED = f"""
SELECT batch.evaluators, batch.baseline, workflow.project, clock_timestamp() AS read_at
FROM wtb_batch_tests AS batch JOIN wtb_workflows AS workflow ON workflow.id = batch.workflow_id
WHERE batch.id = :batch_id AND NOT {SUMMARIZED} AND {ALL_SCORED} AND {UNDER_WAY}
"""  # noqa: S608 - conditions from above

COLUMNS = f"""
SELECT {_outcome("execution")},
       {_combination("execution", _BASELINE)} AS combination, execution.input AS inputs,
       tested.key, tested.reference, tested.metadata
FROM wtb_executions AS execution
JOIN wtb_test_cases AS tested ON tested.id = execution.test_case_id
WHERE execution.batch_test_id = :batch_id AND execution.status = '{ExecutionStatus.COMPLETED}'
ORDER BY tested.position, execution.repetition, execution.id
"""  # noqa: S608 - statuses of the domain

RECORD_SUMMARIES = f"""
UPDATE wtb_batch_tests AS batch
SET summaries = CAST(:summaries AS jsonb), summarized_at = :read_at
WHERE id = :batch_id AND {UNDER_WAY} AND (summarized_at IS NULL OR summarized_at < :read_at)
"""  # noqa: S608 - a condition from above

"""Checks of batch tests: they have the executions that they count, and end when these have."""

from wtb_async.domain.integrity import Check, Severity
from wtb_async.infrastructure.postgres.integrity.executions import IS_SETTLED
from wtb_async.infrastructure.postgres.integrity.row_inspection import RowCheck
from wtb_async.infrastructure.postgres.scoring_statements import OPEN_STATUSES

COUNTS_OF_BATCHES = RowCheck(
    check=Check(
        name="batch_counts",
        severity=Severity.ERROR,
        title="a batch test with more or fewer executions than it counts",
    ),
    table="wtb_batch_tests",
    key={"id": "uuid"},
    is_looked_at=IS_SETTLED,
    is_broken="""item.total <>
        (SELECT count(*) FROM wtb_executions WHERE batch_test_id = item.id)""",
    subject="item.id",
    detail="""format('%s counted, %s there', item.total,
        (SELECT count(*) FROM wtb_executions WHERE batch_test_id = item.id))""",
)

STUCK_BATCHES = RowCheck(
    check=Check(
        name="stuck_batches",
        severity=Severity.WARNING,
        title="a batch test that goes on although all its executions ended long ago",
    ),
    table="wtb_batch_tests",
    key={"id": "uuid"},
    is_looked_at=f"item.status IN ('pending', 'running') AND {IS_SETTLED}",
    is_broken=f"""NOT EXISTS (
        SELECT FROM wtb_executions WHERE batch_test_id = item.id AND (
            status IN ({OPEN_STATUSES})
            OR finished_at > clock_timestamp() - make_interval(secs => :grace_seconds)))""",
    subject="item.id",
    detail="""(SELECT format('%s of %s executions have no scores yet',
        count(*) FILTER (WHERE scored_at IS NULL AND item.evaluators <> '[]'), count(*))
        FROM wtb_executions WHERE batch_test_id = item.id)""",
)

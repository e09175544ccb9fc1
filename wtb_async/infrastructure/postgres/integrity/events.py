"""Checks of what was recorded: events without gaps, an audit entry for each, all delivered."""

from wtb_async.domain.integrity import Check, Severity
from wtb_async.infrastructure.postgres.integrity.row_inspection import RowCheck

_IS_KEPT = "item.created_at > clock_timestamp() - make_interval(months => :kept_months)"
_ID = {"id": "uuid"}
# The time spares the statement the partitions of before. It is written by another clock.
_OF_ITEM = "aggregate_id = item.id AND created_at > item.created_at - interval '1 day'"


def _numbered(table: str, object_: str) -> RowCheck:
    return RowCheck(
        check=Check(
            name=f"{object_}_events",
            severity=Severity.ERROR,
            title=f"a {object_.replace('_', ' ')} whose events are not numbered without a gap",
        ),
        table=table,
        key=_ID,
        is_looked_at=_IS_KEPT,
        is_broken=f"""(
            SELECT (count(*), COALESCE(min(sequence), 1), COALESCE(max(sequence), 0))
                <> (item.version, 1, item.version)
            FROM wtb_outbox WHERE {_OF_ITEM})""",  # noqa: S608 - a constant of our own
        subject="item.id",
        detail=f"""(
            SELECT format('version %s, %s events', item.version, count(*))
            FROM wtb_outbox WHERE {_OF_ITEM})""",  # noqa: S608 - a constant of our own
    )


def _audited(table: str, object_: str) -> RowCheck:
    return RowCheck(
        check=Check(
            name=f"{object_}_audit",
            severity=Severity.ERROR,
            title=f"a {object_.replace('_', ' ')} that changed without an audit entry",
        ),
        table=table,
        key=_ID,
        is_looked_at=_IS_KEPT,
        is_broken=f"""(
            SELECT (count(*), (array_agg(status_after ORDER BY id DESC))[1])
                IS DISTINCT FROM (item.version::bigint, item.status::text)
            FROM wtb_audit_log WHERE {_OF_ITEM} AND status_after IS NOT NULL)""",  # noqa: S608 - a constant of our own
        subject="item.id",
        detail=f"""(
            SELECT format('version %s and %s, %s entries', item.version, item.status, count(*))
            FROM wtb_audit_log WHERE {_OF_ITEM} AND status_after IS NOT NULL)""",  # noqa: S608 - a constant of our own
    )


EVENTS_OF_EXECUTIONS = _numbered("wtb_executions", "execution")
EVENTS_OF_BATCHES = _numbered("wtb_batch_tests", "batch")
AUDIT_OF_EXECUTIONS = _audited("wtb_executions", "execution")
AUDIT_OF_BATCHES = _audited("wtb_batch_tests", "batch")

STUCK_EVENTS = RowCheck(
    check=Check(
        name="stuck_events",
        severity=Severity.WARNING,
        title="an event that has not been delivered for long",
    ),
    table="wtb_outbox",
    key={"id": "bigint"},
    is_looked_at="item.sent_at IS NULL AND item.dead_at IS NULL",
    is_broken="item.created_at < clock_timestamp() - make_interval(secs => :grace_seconds)",
    subject="item.id",
    detail="""format(
        '%s of %s %s, %s attempts: %s', item.type, item.aggregate, item.aggregate_id,
        item.attempts, item.last_error)""",
)

DEAD_LETTERS = RowCheck(
    check=Check(
        name="dead_letters",
        severity=Severity.ERROR,
        title="an event whose delivery was given up",
    ),
    table="wtb_outbox",
    key={"id": "bigint"},
    is_looked_at="item.dead_at IS NOT NULL",
    is_broken="TRUE",
    subject="item.id",
    detail="""format(
        '%s of %s %s: %s', item.type, item.aggregate, item.aggregate_id, item.last_error)""",
)

FAILED_VERIFICATIONS = RowCheck(
    check=Check(
        name="failed_verifications",
        severity=Severity.ERROR,
        title="an event that promised what was not so when it was verified",
    ),
    table="wtb_failed_verifications",
    key={"event_id": "bigint", "problem": "text"},
    is_broken="TRUE",
    subject="item.event_id",
    detail="""format(
        '%s of %s %s: %s', item.event_type, item.aggregate, item.aggregate_id, item.problem)""",
)

"""What the events of the outbox promised, compared with what is there: one statement per kind.

Each answers `event_id, problem` for the events `:ids` whose promise was not kept. An object that
has changed since is passed over where only its present state could be looked at: its later event
speaks for that.
"""

from sqlalchemy import text

from wtb_async.domain.batch_events import BatchCancelled, BatchCompleted, BatchFailed
from wtb_async.domain.events import (
    ExecutionBranched,
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionFailed,
    ExecutionPaused,
    ExecutionRolledBack,
)
from wtb_async.infrastructure.postgres.scoring_statements import OPEN_STATUSES

_EVENTS = """
events AS MATERIALIZED (
    SELECT id, aggregate_id, sequence, data FROM wtb_outbox
    WHERE id = ANY (CAST(:ids AS bigint[]))
)"""

_RESTS = text(
    f"""
    WITH {_EVENTS}, rested AS MATERIALIZED (
        SELECT events.id, execution.thread_id, execution.checkpoint_id
        FROM events JOIN wtb_executions AS execution
            ON execution.id = events.aggregate_id AND execution.version = events.sequence
        WHERE execution.checkpoint_id IS NOT NULL
    )
    SELECT id AS event_id, 'the checkpoint it stands at is gone' AS problem FROM rested
    WHERE NOT EXISTS (
        SELECT FROM checkpoints AS c WHERE c.thread_id = rested.thread_id::text
        AND c.checkpoint_ns = '' AND c.checkpoint_id = rested.checkpoint_id)
    UNION ALL
    SELECT id, 'a file that it wrote was never stored' FROM rested
    WHERE EXISTS (
        SELECT FROM wtb_checkpoint_files AS link
        JOIN wtb_file_mementos AS memento ON memento.commit_id = link.commit_id
        LEFT JOIN wtb_file_blobs AS blob ON blob.sha256 = memento.sha256
        WHERE link.thread_id = rested.thread_id
          AND memento.sha256 IS NOT NULL AND blob.stored_at IS NULL)
    """  # noqa: S608 - a constant of our own
)

_FILES_AT = """(
    SELECT link.commit_id FROM wtb_checkpoint_files AS link
    WHERE link.thread_id = {thread} AND link.task_id = ''
      AND link.checkpoint_id <= forks.checkpoint_id
    ORDER BY link.checkpoint_id DESC LIMIT 1)"""

_FORKS = text(
    f"""
    WITH {_EVENTS}, forks AS MATERIALIZED (
        SELECT events.id, thread.id AS thread_id, thread.parent_id, thread.fork_checkpoint_id,
               data ->> 'checkpoint_id' AS checkpoint_id, data ? 'file_commit_id' AS names_files,
               (data ->> 'file_commit_id')::uuid AS file_commit_id
        FROM events LEFT JOIN wtb_threads AS thread ON thread.id = (data ->> 'thread_id')::uuid
        WHERE data ? 'thread_id'
    )
    SELECT id AS event_id, 'the thread that it went to does not begin there' AS problem FROM forks
    WHERE fork_checkpoint_id IS DISTINCT FROM checkpoint_id
    UNION ALL
    SELECT id, 'the checkpoint that it went to is gone' FROM forks
    WHERE NOT EXISTS (
        SELECT FROM checkpoints AS c WHERE c.thread_id = forks.thread_id::text
        AND c.checkpoint_ns = '' AND c.checkpoint_id = forks.checkpoint_id)
    UNION ALL
    SELECT id, 'its files are not those that it was to have there' FROM forks
    WHERE {_FILES_AT.format(thread="forks.thread_id")}
        IS DISTINCT FROM CASE WHEN names_files THEN file_commit_id
            ELSE {_FILES_AT.format(thread="forks.parent_id")} END
    """  # noqa: S608 - constants of our own
)

_BATCHES = text(
    f"""
    WITH {_EVENTS}, ended AS MATERIALIZED (
        SELECT events.id, batch.total, count(execution.id) AS there,
               count(*) FILTER (WHERE execution.status IN ({OPEN_STATUSES})) AS open
        FROM events
        JOIN wtb_batch_tests AS batch
            ON batch.id = events.aggregate_id AND batch.version = events.sequence
        LEFT JOIN wtb_executions AS execution ON execution.batch_test_id = batch.id
        GROUP BY events.id, batch.total
    )
    SELECT id AS event_id, format('it counts %s executions and has %s', total, there) AS problem
    FROM ended WHERE total <> there
    UNION ALL
    SELECT id, format('%s of its executions had not ended', open) FROM ended WHERE open > 0
    """  # noqa: S608 - constants of our own
)

VERIFICATIONS = {
    _RESTS: frozenset(
        event.__name__
        for event in (ExecutionCompleted, ExecutionFailed, ExecutionPaused, ExecutionCancelled)
    ),
    _FORKS: frozenset({ExecutionRolledBack.__name__, ExecutionBranched.__name__}),
    _BATCHES: frozenset(event.__name__ for event in (BatchCompleted, BatchCancelled, BatchFailed)),
}
"""Which types of events each statement verifies."""

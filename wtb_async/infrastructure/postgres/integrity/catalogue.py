"""All checks of rows, in the order in which they are made."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from wtb_async.infrastructure.postgres.integrity import batches, events, executions, files, threads
from wtb_async.infrastructure.postgres.integrity.row_inspection import (
    InspectionOptions,
    RowInspection,
)

ROW_CHECKS = (
    executions.REFERENCES_OF_EXECUTIONS,
    executions.REFERENCES_OF_RUNS,
    executions.CHECKPOINTS_OF_EXECUTIONS,
    executions.ABANDONED_RUNS,
    threads.ORPHAN_THREADS,
    threads.CHECKPOINTS_OF_FORKS,
    threads.CHECKPOINTS_OF_BOUNDARIES,
    events.EVENTS_OF_EXECUTIONS,
    events.EVENTS_OF_BATCHES,
    events.AUDIT_OF_EXECUTIONS,
    events.AUDIT_OF_BATCHES,
    events.STUCK_EVENTS,
    events.DEAD_LETTERS,
    events.FAILED_VERIFICATIONS,
    batches.COUNTS_OF_BATCHES,
    batches.STUCK_BATCHES,
    files.LINKS,
    files.PARENTS_OF_COMMITS,
    files.CONTENTS_OF_MEMENTOS,
)


def row_inspections(engine: AsyncEngine, options: InspectionOptions) -> Sequence[RowInspection]:
    """Every check of rows on this database."""
    return [RowInspection(check, engine, options) for check in ROW_CHECKS]

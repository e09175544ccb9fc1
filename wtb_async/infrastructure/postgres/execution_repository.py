"""Executions, inserted with their runs and threads."""

from dataclasses import fields
from typing import Any

from wtb_async.domain.execution import Execution
from wtb_async.domain.run import Run, Thread
from wtb_async.infrastructure.postgres import tables
from wtb_async.infrastructure.postgres.bulk import BulkWriter


class PostgresExecutionRepository:
    """Collects new executions; the unit of work inserts all of them with one statement."""

    def __init__(self, bulk: BulkWriter) -> None:
        self._bulk = bulk

    def add(self, execution: Execution, run: Run, thread: Thread) -> None:
        """Insert all three when the unit of work commits."""
        self._bulk.add(tables.threads, thread_row(thread))
        self._bulk.add(tables.runs, run_row(run))
        self._bulk.add(tables.executions, _execution_row(execution))


_THREAD = tuple(field.name for field in fields(Thread))
_RUN = tuple(field.name for field in fields(Run) if field.name != "position")
_EXECUTION = tuple(field.name for field in fields(Execution) if field.name != "annotations")


def thread_row(thread: Thread) -> dict[str, Any]:
    """A thread as a row of `wtb_threads`."""
    return {name: getattr(thread, name) for name in _THREAD}


def run_row(run: Run) -> dict[str, Any]:
    """A run as a row of `wtb_runs`; the database gives the position."""
    return {name: getattr(run, name) for name in _RUN}


def _execution_row(execution: Execution) -> dict[str, Any]:
    row = {name: getattr(execution, name) for name in _EXECUTION}
    row["metadata"] = execution.annotations
    return row

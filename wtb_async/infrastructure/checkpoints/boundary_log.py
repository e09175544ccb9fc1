"""Node boundaries on their way to the database: they ride with the checkpoint's own commits."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID


class BoundaryRow(NamedTuple):
    """A row of `wtb_node_boundaries`; values are JSON texts."""

    id: UUID
    thread_id: str
    run_id: UUID
    node: str
    task_id: str
    attempt: int
    status: str
    checkpoint_ns: str
    entry_checkpoint_id: str
    started_at: datetime
    finished_at: datetime
    input: str
    output: str | None
    error: str | None


@dataclass(slots=True)
class _OpenThread:
    run_id: UUID
    rows: list[BoundaryRow] = field(default_factory=list)


class BoundaryLog:
    """Collects the boundaries of the threads that are open, until a commit takes them along."""

    def __init__(self) -> None:
        self._threads: dict[str, _OpenThread] = {}

    def open(self, thread_id: str, run_id: UUID) -> None:
        """Record what this run does on its thread."""
        self._threads[thread_id] = _OpenThread(run_id)

    def close(self, thread_id: str) -> None:
        """Record no more, and drop what was not taken."""
        self._threads.pop(thread_id, None)

    def run_of(self, thread_id: str | None) -> UUID | None:
        """The run that has this thread open."""
        thread = self._threads.get(thread_id) if thread_id else None
        return thread.run_id if thread else None

    def add(self, row: BoundaryRow) -> None:
        """Let a boundary wait for the next commit of its thread, unless the run is over."""
        if thread := self._threads.get(row.thread_id):
            thread.rows.append(row)

    def take(self, thread_id: str) -> Sequence[BoundaryRow]:
        """All boundaries that wait; the caller commits them."""
        thread = self._threads.get(thread_id)
        if thread is None or not thread.rows:
            return ()
        rows, thread.rows = thread.rows, []
        return rows

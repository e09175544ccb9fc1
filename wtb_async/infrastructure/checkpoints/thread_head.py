"""Where a thread stands when a run goes on from it."""

from dataclasses import dataclass
from uuid import UUID

from langgraph.checkpoint.serde.types import INTERRUPT

EDIT_KEY = "wtb_edit"
"""The key in a checkpoint's metadata that names the edit which the checkpoint holds."""

HEAD_STATEMENT = f"""
SELECT head.checkpoint_id, (head.metadata ->> 'step')::int AS step,
       (SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = %(thread_id)s) AS newest_id,
       (SELECT max(checkpoint_id) FROM checkpoints
        WHERE thread_id = %(thread_id)s AND checkpoint_ns = ''
          AND metadata ->> '{EDIT_KEY}' = %(edit_id)s) AS edit_checkpoint_id,
       EXISTS (SELECT FROM checkpoint_writes AS asked
               WHERE asked.thread_id = head.thread_id AND asked.checkpoint_ns = ''
                 AND asked.checkpoint_id = head.checkpoint_id
                 AND asked.channel = '{INTERRUPT}') AS has_asked,
       files.commit_id AS file_commit_id, files.task_id = '' AS has_files_of_its_own
FROM checkpoints AS head
LEFT JOIN LATERAL (
    SELECT commit_id, task_id FROM wtb_checkpoint_files
    WHERE thread_id = head.thread_id::uuid ORDER BY position DESC LIMIT 1
) AS files ON true
WHERE head.thread_id = %(thread_id)s AND head.checkpoint_ns = ''
ORDER BY head.checkpoint_id DESC LIMIT 1
"""  # noqa: S608 - only our own key goes in


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadHead:
    """The newest root checkpoint of a thread, and what else a run must know to go on from it."""

    checkpoint_id: str
    step: int
    """The supersteps of the timeline that led here, -1 for the input."""
    newest_id: str
    """The newest id of the graph itself or of a subgraph."""
    edit_checkpoint_id: str | None
    """The checkpoint that holds the edit that was asked for, if it has been applied."""
    has_asked: bool
    """Whether tasks of the superstep that follows have asked questions."""
    file_commit_id: UUID | None
    """The newest files of the thread."""
    has_files_of_its_own: bool | None
    """Whether these belong to a checkpoint, not to a task that has finished after it."""

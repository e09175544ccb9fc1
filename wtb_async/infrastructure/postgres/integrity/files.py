"""Checks of files: checkpoints, commits, mementos and blobs that belong together are all there."""

from wtb_async.domain.integrity import Check, Severity
from wtb_async.infrastructure.postgres.integrity.row_inspection import RowCheck

LINKS = RowCheck(
    check=Check(
        name="file_links",
        severity=Severity.CRITICAL,
        title="files of a checkpoint whose commit, or which itself, is gone",
    ),
    table="wtb_checkpoint_files",
    key={"thread_id": "uuid", "checkpoint_id": "text", "task_id": "text"},
    is_broken="""(
        NOT EXISTS (SELECT FROM wtb_file_commits WHERE id = item.commit_id)
        OR NOT EXISTS (SELECT FROM wtb_threads WHERE id = item.thread_id)
        OR NOT EXISTS (
            SELECT FROM checkpoints WHERE thread_id = item.thread_id::text
            AND checkpoint_ns = '' AND checkpoint_id = item.checkpoint_id))""",
    subject="item.thread_id",
    detail="format('checkpoint %s, commit %s', item.checkpoint_id, item.commit_id)",
)

PARENTS_OF_COMMITS = RowCheck(
    check=Check(
        name="file_commits",
        severity=Severity.CRITICAL,
        title="a file commit whose parent, of which it stores the changes, is gone",
    ),
    table="wtb_file_commits",
    key={"id": "uuid"},
    is_looked_at="item.parent_id IS NOT NULL",
    is_broken="NOT EXISTS (SELECT FROM wtb_file_commits WHERE id = item.parent_id)",
    subject="item.id",
    detail="format('parent %s', item.parent_id)",
)

CONTENTS_OF_MEMENTOS = RowCheck(
    check=Check(
        name="file_contents",
        severity=Severity.CRITICAL,
        title="a file whose commit or blob is not known, or whose blob was never stored",
    ),
    table="wtb_file_mementos",
    key={"commit_id": "uuid", "path": "text"},
    is_broken="""(
        NOT EXISTS (SELECT FROM wtb_file_commits WHERE id = item.commit_id)
        OR NOT EXISTS (
            SELECT FROM wtb_file_blobs WHERE sha256 = item.sha256 AND stored_at IS NOT NULL)
           AND item.sha256 IS NOT NULL)""",
    subject="item.commit_id",
    detail="format('%s with blob %s', item.path, item.sha256)",
)

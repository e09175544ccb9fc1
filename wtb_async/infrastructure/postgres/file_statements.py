"""The statements on file commits and their links: one for each question."""

# $1..$6 the commits, then one array per column of the mementos.
ADD_COMMITS = """
WITH commits AS (
    INSERT INTO wtb_file_commits (id, parent_id, files, size, chain, created_at)
    SELECT * FROM unnest(
        $1::uuid[], $2::uuid[], $3::int[], $4::bigint[], $5::int[], $6::timestamptz[])
)
INSERT INTO wtb_file_mementos (commit_id, path, kind, sha256, target, mode, mtime_ns)
SELECT * FROM unnest(
    $7::uuid[], $8::text[], $9::text[], $10::text[], $11::text[], $12::int[], $13::bigint[])
"""

# $1 commit. A row without a path stands for a commit without files; no row, for no commit.
MANIFEST = """
WITH RECURSIVE chain AS (
    SELECT id, parent_id, 0 AS age FROM wtb_file_commits WHERE id = $1
    UNION ALL
    SELECT parent.id, parent.parent_id, chain.age + 1
    FROM chain JOIN wtb_file_commits AS parent ON parent.id = chain.parent_id
), newest AS (
    SELECT DISTINCT ON (path) memento.*
    FROM chain JOIN wtb_file_mementos AS memento ON memento.commit_id = chain.id
    ORDER BY path, chain.age
)
SELECT newest.path, newest.kind, newest.sha256, blob.size, newest.target, newest.mode,
       newest.mtime_ns
FROM wtb_file_commits AS asked
LEFT JOIN newest ON newest.kind IS NOT NULL
LEFT JOIN wtb_file_blobs AS blob ON blob.sha256 = newest.sha256
WHERE asked.id = $1
ORDER BY newest.path
"""

_COMMIT = """
SELECT file_commit.*
FROM wtb_checkpoint_files AS link
JOIN wtb_file_commits AS file_commit ON file_commit.id = link.commit_id
WHERE link.thread_id = $1
"""

# $1 thread, $2 checkpoint.
COMMIT_AT = f"""{_COMMIT} AND link.task_id = '' AND link.checkpoint_id <= $2
ORDER BY link.checkpoint_id DESC LIMIT 1
"""

# $1 thread.
COMMIT_OF_HEAD = f"{_COMMIT} ORDER BY link.position DESC LIMIT 1"

# $1 thread, $2 checkpoint, $3 commit.
LINK = """
INSERT INTO wtb_checkpoint_files (thread_id, checkpoint_id, commit_id) VALUES ($1, $2, $3)
ON CONFLICT (thread_id, checkpoint_id, task_id)
DO UPDATE SET commit_id = EXCLUDED.commit_id, position = EXCLUDED.position
"""

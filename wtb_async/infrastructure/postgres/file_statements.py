"""The statements on blobs, file commits and their links: one for each question."""

# $1 hashes, $2 sizes. In the order of the hashes, so that two claims cannot wait for each other.
CLAIM_BLOBS = """
WITH claimed AS (
    INSERT INTO wtb_file_blobs (sha256, size, claimed_at)
    SELECT sha256, size, clock_timestamp()
    FROM unnest($1::text[], $2::bigint[]) AS given (sha256, size) ORDER BY sha256
    ON CONFLICT (sha256) DO UPDATE SET claimed_at = EXCLUDED.claimed_at
    RETURNING sha256, stored_at
)
SELECT sha256 FROM claimed WHERE stored_at IS NULL
"""

# $1..$6 the commits, then one array per column of the mementos.
ADD_COMMITS = """
WITH commits AS (
    INSERT INTO wtb_file_commits (id, parent_id, files, size, chain, created_at)
    SELECT * FROM unnest(
        $1::uuid[], $2::uuid[], $3::int[], $4::bigint[], $5::int[], $6::timestamptz[])
), changes AS MATERIALIZED (
    SELECT * FROM unnest(
        $7::uuid[], $8::text[], $9::text[], $10::text[], $11::text[], $12::int[], $13::bigint[]
    ) AS given (commit_id, path, kind, sha256, target, mode, mtime_ns)
), stored AS (
    UPDATE wtb_file_blobs SET stored_at = clock_timestamp()
    WHERE sha256 = ANY (ARRAY(
        SELECT sha256 FROM wtb_file_blobs
        WHERE sha256 = ANY (ARRAY(SELECT sha256 FROM changes)) AND stored_at IS NULL
        ORDER BY sha256 FOR NO KEY UPDATE))
)
INSERT INTO wtb_file_mementos (commit_id, path, kind, sha256, target, mode, mtime_ns)
SELECT * FROM changes
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

# $1 the time before which they were made, $2 how many at most.
DROP_COMMITS = """
WITH dropped AS (
    DELETE FROM wtb_file_commits WHERE id = ANY (ARRAY(
        SELECT id FROM wtb_file_commits AS old
        WHERE created_at < $1
          AND NOT EXISTS (SELECT FROM wtb_checkpoint_files WHERE commit_id = old.id)
          AND NOT EXISTS (SELECT FROM wtb_file_commits AS child WHERE child.parent_id = old.id)
        ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED))
    RETURNING id
)
SELECT count(*) FROM dropped
"""

# $1 the time since which nobody claimed them, $2 how many at most. A claim that comes first is
# seen, because a locked row is looked at again.
LOCK_GARBAGE = """
DELETE FROM wtb_file_blobs WHERE sha256 = ANY (ARRAY(
    SELECT sha256 FROM wtb_file_blobs AS old
    WHERE claimed_at < $1
      AND NOT EXISTS (SELECT FROM wtb_file_mementos WHERE sha256 = old.sha256)
    ORDER BY claimed_at LIMIT $2 FOR UPDATE SKIP LOCKED))
RETURNING sha256, size
"""

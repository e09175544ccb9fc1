"""The statements that find and remove what nothing refers to.

Who adds a reference holds a lock on what it refers to until its commit. So each removal is two
statements in one transaction: the first takes the locks it can get, and the second, which sees all
that was committed until then, looks once more.
"""

from sqlalchemy import text

_UNUSED_SINCE = "clock_timestamp() - make_interval(secs => :unused_seconds)"
_IS_UNLINKED = "NOT EXISTS (SELECT FROM wtb_checkpoint_files WHERE commit_id = file_commit.id)"


def _dead(condition: str, limit: str = "") -> str:
    """Commits that lead to no checkpoint: those without children, and what only led to them."""
    is_dead = f"{_IS_UNLINKED} AND {condition}"
    return f"""
    WITH RECURSIVE dead AS (
        (SELECT id, parent_id FROM wtb_file_commits AS file_commit
         WHERE {is_dead}
           AND NOT EXISTS (SELECT FROM wtb_file_commits WHERE parent_id = file_commit.id)
         {limit})
        UNION ALL
        SELECT file_commit.id, file_commit.parent_id
        FROM dead JOIN wtb_file_commits AS file_commit ON file_commit.id = dead.parent_id
        WHERE {is_dead}
          AND NOT EXISTS (SELECT FROM wtb_file_commits AS child
                          WHERE child.parent_id = file_commit.id AND child.id <> dead.id)
    )
    """  # noqa: S608 - expressions of our own


LOCK_DEAD_COMMITS = text(
    f"""
    {_dead(f"file_commit.created_at < {_UNUSED_SINCE}", "LIMIT :limit")}
    SELECT id FROM wtb_file_commits WHERE id IN (SELECT id FROM dead) FOR UPDATE SKIP LOCKED
    """  # noqa: S608
)
DELETE_DEAD_COMMITS = text(
    f"""
    {_dead("file_commit.id = ANY (CAST(:ids AS uuid[]))")}
    DELETE FROM wtb_file_commits WHERE id IN (SELECT id FROM dead) RETURNING id
    """  # noqa: S608
)

_IS_UNUSED = f"""
    blob.claimed_at < {_UNUSED_SINCE}
    AND NOT EXISTS (SELECT FROM wtb_file_mementos WHERE sha256 = blob.sha256)
"""
LOCK_UNUSED_BLOBS = text(
    f"""
    SELECT blob.sha256 FROM wtb_file_blobs AS blob
    WHERE blob.sha256 >= :hash_prefix AND blob.sha256 < CAST(:hash_prefix AS text) || 'g'
      AND {_IS_UNUSED}
    ORDER BY blob.sha256 LIMIT :limit FOR UPDATE SKIP LOCKED
    """  # noqa: S608
)
CONDEMN_BLOBS = text(
    f"""
    UPDATE wtb_file_blobs AS blob SET claimed_at = NULL, stored_at = NULL, number = DEFAULT
    WHERE blob.sha256 = ANY (CAST(:sha256s AS text[])) AND {_IS_UNUSED}
    RETURNING blob.sha256
    """  # noqa: S608
)
CONDEMN_UNKNOWN = text(
    """
    INSERT INTO wtb_file_blobs (sha256, size, claimed_at)
    SELECT sha256, size, NULL
    FROM unnest(CAST(:sha256s AS text[]), CAST(:sizes AS bigint[])) AS blob (sha256, size)
    WHERE NOT EXISTS (SELECT FROM wtb_file_blobs AS known WHERE known.sha256 = blob.sha256)
    ORDER BY sha256
    ON CONFLICT (sha256) DO NOTHING
    RETURNING sha256
    """
)
DROP_CONDEMNED = text(
    """
    DELETE FROM wtb_file_blobs
    WHERE sha256 = ANY (ARRAY(
        SELECT sha256 FROM wtb_file_blobs WHERE claimed_at IS NULL
        ORDER BY sha256 LIMIT :limit FOR UPDATE SKIP LOCKED))
    RETURNING sha256
    """
)

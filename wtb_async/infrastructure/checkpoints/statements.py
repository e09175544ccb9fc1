"""The saver's SQL: rows of many calls in one statement, the same rows that the stock saver writes.

Blobs and plain task writes never change once written (`DO NOTHING`); a checkpoint, and the writes
of the special channels (errors, interrupts, resume values), are replaced.
"""

_BLOBS = """
INSERT INTO checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[])
ON CONFLICT DO NOTHING
"""


def _writes(first: int) -> str:
    types = ("text", "text", "text", "text", "text", "int", "text", "text", "bytea")
    arrays = ", ".join(f"${first + offset}::{name}[]" for offset, name in enumerate(types))
    return f"""
INSERT INTO checkpoint_writes
    (thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, blob)
SELECT * FROM unnest({arrays})
ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
"""  # noqa: S608 - only types and positions go in


_CHECKPOINTS = """
INSERT INTO checkpoints
    (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata)
SELECT thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id,
       checkpoint::jsonb, metadata::jsonb
FROM unnest($16::text[], $17::text[], $18::text[], $19::text[], $20::text[], $21::text[])
    AS given (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata)
ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id)
DO UPDATE SET checkpoint = EXCLUDED.checkpoint, metadata = EXCLUDED.metadata
"""

# Fenced: what a runner does after its run was taken from it leaves no trace.
_BOUNDARIES = """
INSERT INTO wtb_node_boundaries
    (id, thread_id, run_id, node, task_id, attempt, status, checkpoint_ns, entry_checkpoint_id,
     started_at, finished_at, input, output, error)
SELECT given.id, given.thread_id, given.run_id, node, task_id, given.attempt, given.status,
       checkpoint_ns, entry_checkpoint_id, given.started_at, given.finished_at,
       input::jsonb, output::jsonb, given.error::jsonb
FROM unnest($22::uuid[], $23::uuid[], $24::uuid[], $25::text[], $26::text[], $27::int[],
            $28::text[], $29::text[], $30::text[], $31::timestamptz[], $32::timestamptz[],
            $33::text[], $34::text[], $35::text[])
    AS given (id, thread_id, run_id, node, task_id, attempt, status, checkpoint_ns,
              entry_checkpoint_id, started_at, finished_at, input, output, error)
JOIN wtb_runs AS run ON run.id = given.run_id AND run.status = 'running'
"""

# A batch is sent again if its commit was cut. Partitioned tables have no unique key without their
# time, so a look tells what the first commit left; looking every time would cost more than writing.
_NOT_YET_SENT = """
WHERE NOT EXISTS (
    SELECT FROM wtb_node_boundaries AS sent
    WHERE sent.thread_id = given.thread_id AND sent.id = given.id
      AND sent.created_at BETWEEN now() - INTERVAL '1 hour' AND now()
)
"""

_PUT = f"WITH blobs AS ({_BLOBS}), writes AS ({_writes(7)} DO NOTHING)"

PUT_STATEMENT = f"{_PUT} {_CHECKPOINTS}"
"""What the stock saver writes, and nothing else."""

PUT_WITH_BOUNDARIES_STATEMENT = f"{_PUT}, boundaries AS ({_BOUNDARIES}) {_CHECKPOINTS}"

PUT_WITH_BOUNDARIES_AGAIN_STATEMENT = (
    f"{_PUT}, boundaries AS ({_BOUNDARIES}{_NOT_YET_SENT}) {_CHECKPOINTS}"
)

# Nothing fences these: a runner whose run was taken from it writes to a thread of its own. Sent
# again, they change nothing.
_FILES = """
links AS (
    INSERT INTO wtb_checkpoint_files (thread_id, checkpoint_id, task_id, commit_id)
    SELECT thread_id::uuid, checkpoint_id, task_id, commit_id
    FROM unnest($36::text[], $37::text[], $38::text[], $39::uuid[])
        AS given (thread_id, checkpoint_id, task_id, commit_id)
    ON CONFLICT (thread_id, checkpoint_id, task_id)
    DO UPDATE SET commit_id = EXCLUDED.commit_id, position = EXCLUDED.position
), workspaces AS (
    INSERT INTO wtb_workspaces (thread_id, host, path, removed_at)
    SELECT thread_id::uuid, host, path, removed_at
    FROM unnest($40::text[], $41::text[], $42::text[], $43::timestamptz[])
        AS given (thread_id, host, path, removed_at)
    ON CONFLICT (thread_id, host)
    DO UPDATE SET path = EXCLUDED.path, removed_at = EXCLUDED.removed_at
)
"""

PUT_WITH_FILES_STATEMENT = f"{_PUT}, boundaries AS ({_BOUNDARIES}), {_FILES} {_CHECKPOINTS}"

PUT_WITH_FILES_AGAIN_STATEMENT = (
    f"{_PUT}, boundaries AS ({_BOUNDARIES}{_NOT_YET_SENT}), {_FILES} {_CHECKPOINTS}"
)

REPLACE_WRITES_STATEMENT = f"""{_writes(1)}
DO UPDATE SET channel = EXCLUDED.channel, type = EXCLUDED.type, blob = EXCLUDED.blob
"""

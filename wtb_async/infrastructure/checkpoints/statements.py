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

PUT_STATEMENT = f"WITH blobs AS ({_BLOBS}), writes AS ({_writes(7)} DO NOTHING) {_CHECKPOINTS}"

REPLACE_WRITES_STATEMENT = f"""{_writes(1)}
DO UPDATE SET channel = EXCLUDED.channel, type = EXCLUDED.type, blob = EXCLUDED.blob
"""

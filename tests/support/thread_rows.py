"""All rows of a thread with ids and times replaced, so that two threads can be compared."""

import re

from arranging import select

from wtb_async.infrastructure.postgres.database import Database

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{32}\b")
_VERSION = re.compile(r"\b(\d{32})\.\d+\.\d+")

# Each in an order that depends on no id, except that later checkpoint ids are larger.
_CHECKPOINTS = """
SELECT checkpoint_ns, checkpoint_id, parent_checkpoint_id, type,
       (checkpoint - 'ts')::text, (metadata - 'thread_id')::text
FROM checkpoints WHERE thread_id = :thread ORDER BY checkpoint_id
"""
# LangGraph keeps a node's edges in a set: in which order it follows them says nothing.
_WRITES = """
SELECT checkpoint_ns, checkpoint_id, task_id, task_path,
       CASE WHEN channel NOT LIKE 'branch:to:%' THEN idx END AS idx, channel, type, blob
FROM checkpoint_writes WHERE thread_id = :thread
ORDER BY checkpoint_id, task_path, idx, channel
"""
_BLOBS = """
SELECT checkpoint_ns, channel, version, type, blob
FROM checkpoint_blobs WHERE thread_id = :thread
"""


class Renaming:
    """Names ids in the order in which they are met, and cuts the random half off versions."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def __call__(self, value: object) -> str:
        """The value's representation without what differs from run to run."""
        return _ID.sub(self._name, _VERSION.sub(r"v\1", repr(value)))

    def _name(self, found: re.Match[str]) -> str:
        return self._names.setdefault(found[0], f"id {len(self._names)}")


async def rows_of_thread(database: Database, thread: str) -> list[str]:
    """Every row of the three tables, comparable to those of another thread."""
    renamed = Renaming()
    ordered = [
        renamed(tuple(row.values()))
        for query in (_CHECKPOINTS, _WRITES)
        for row in await select(database, query, thread=thread)
    ]
    blobs = await select(database, _BLOBS, thread=thread)
    return [*ordered, *sorted(renamed(tuple(row.values())) for row in blobs)]

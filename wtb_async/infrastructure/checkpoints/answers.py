"""Answers interrupts in the transaction of the command that brings the answers.

LangGraph keeps what a task was told in the task's `RESUME` write, a list with one value for each
`interrupt()` that the node has passed. Writing that list here, as the node itself would once it has
the answer, needs no graph, and whoever goes on from the thread finds it: a runner, its successor
after a crash, or plain LangGraph.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from uuid import UUID

import jsonschema
from langgraph.checkpoint.base import WRITES_IDX_MAP
from langgraph.checkpoint.serde.base import SerializerProtocol
from langgraph.checkpoint.serde.types import INTERRUPT, RESUME
from langgraph.types import Interrupt
from sqlalchemy.ext.asyncio import AsyncConnection

from wtb_async.domain.errors import InvalidInput, InvalidTransition
from wtb_async.domain.json import JsonObject, JsonValue
from wtb_async.infrastructure.checkpoints.display_reader import DisplayReader
from wtb_async.infrastructure.checkpoints.serializer import StrictSerializer

_ANY_TASK = "00000000-0000-0000-0000-000000000000"
"""LangGraph's id for writes that come from outside, not from a task."""

# $1 thread, $2 its root checkpoint. A question of a subgraph is stored with the task that asked
# and with every task around it; the one with the longest namespace asked.
_QUESTIONS = """
SELECT asked.checkpoint_ns, asked.checkpoint_id, asked.task_id, asked.task_path,
       asked.type, asked.blob, told.type AS told_type, told.blob AS told_blob
FROM checkpoint_writes AS asked
LEFT JOIN checkpoint_writes AS told
    ON told.thread_id = asked.thread_id AND told.checkpoint_ns = asked.checkpoint_ns
    AND told.checkpoint_id = asked.checkpoint_id AND told.task_id = asked.task_id
    AND told.channel = $4
WHERE asked.thread_id = $1 AND asked.channel = $3 AND (
    (asked.checkpoint_ns = '' AND asked.checkpoint_id = $2)
    OR EXISTS (
        SELECT FROM checkpoints AS inner_head
        WHERE inner_head.thread_id = asked.thread_id
          AND inner_head.checkpoint_ns = asked.checkpoint_ns AND asked.checkpoint_ns <> ''
          AND inner_head.checkpoint_id = asked.checkpoint_id
          AND inner_head.metadata -> 'parents' ->> '' = $2))
ORDER BY length(asked.checkpoint_ns)
"""

_NEXT_INDEX = """
SELECT COALESCE(max(idx) + 1, 0) FROM checkpoint_writes
WHERE thread_id = $1 AND checkpoint_ns = '' AND checkpoint_id = $2 AND task_id = $3 AND idx >= 0
"""

_WRITE = """
INSERT INTO checkpoint_writes
    (thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, blob)
SELECT $1, * FROM unnest(
    $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[], $8::text[], $9::bytea[])
ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
DO UPDATE SET channel = EXCLUDED.channel, type = EXCLUDED.type, blob = EXCLUDED.blob
"""


_Place = tuple[str, str, str, str]
"""Namespace, checkpoint, task and path: where a task's writes are."""


class _Task(NamedTuple):
    """A task that waits for an answer, and what it has been told before."""

    place: _Place
    question: Interrupt
    told: list[Any]


async def answer_interrupts(
    connection: AsyncConnection,
    thread_id: UUID,
    checkpoint_id: str,
    answers: Mapping[str, JsonValue],
    values: JsonObject,
) -> None:
    """Write answers, and values for the state, where the thread's next run finds them.

    Args:
        connection: the connection of the unit of work.
        thread_id: the thread, whose head is `checkpoint_id`.
        checkpoint_id: the root checkpoint whose tasks asked.
        answers: by interrupt id.
        values: what a node would return; reducers apply when the run goes on.

    Raises:
        InvalidTransition: no such question is open.
        InvalidInput: an answer does not fit the schema that the node gave with its question.
    """
    serde = StrictSerializer()
    tasks = await _open_tasks(connection, str(thread_id), checkpoint_id, serde)
    rows = [
        (*place, WRITES_IDX_MAP[RESUME], RESUME, *serde.dumps_typed(told))
        for place, told in (_told(tasks, *answer) for answer in answers.items())
    ]
    first = await _next_index(connection, str(thread_id), checkpoint_id) if values else 0
    rows += [
        ("", checkpoint_id, _ANY_TASK, "", at, channel, *serde.dumps_typed(value))
        for at, (channel, value) in enumerate(values.items(), first)
    ]
    columns = [list(column) for column in zip(*rows, strict=True)]
    await connection.exec_driver_sql(_WRITE, (str(thread_id), *columns))


async def _next_index(connection: AsyncConnection, thread_id: str, checkpoint_id: str) -> int:
    """Where values may be put behind those that came with earlier answers."""
    found = await connection.exec_driver_sql(_NEXT_INDEX, (thread_id, checkpoint_id, _ANY_TASK))
    return int(found.scalar_one())


async def _open_tasks(
    connection: AsyncConnection, thread_id: str, checkpoint_id: str, serde: SerializerProtocol
) -> dict[str, _Task]:
    """The innermost task of each question, by interrupt id."""
    parameters = (thread_id, checkpoint_id, INTERRUPT, RESUME)
    rows = (await connection.exec_driver_sql(_QUESTIONS, parameters)).mappings()
    reader = DisplayReader()
    tasks: dict[str, _Task] = {}
    for row in rows:
        asked = reader.loads_typed((row["type"], row["blob"]))
        told = serde.loads_typed((row["told_type"], row["told_blob"])) if row["told_type"] else []
        place = (row["checkpoint_ns"], row["checkpoint_id"], row["task_id"], row["task_path"])
        tasks |= {question.id: _Task(place, question, told) for question in _questions(asked)}
    return tasks


def _questions(asked: object) -> Iterator[Interrupt]:
    """What a row holds of questions; a row that somebody else wrote may hold anything."""
    if isinstance(asked, list | tuple):
        yield from (item for item in asked if isinstance(item, Interrupt))


def _told(
    tasks: Mapping[str, _Task], interrupt_id: str, answer: JsonValue
) -> tuple[_Place, list[Any]]:
    """Where the asking task's answers are kept, and all of them with the new one."""
    task = tasks.get(interrupt_id)
    if task is None:
        raise InvalidTransition(f"no question {interrupt_id!r} is open")
    if isinstance(schema := task.question.response_schema, dict):
        _check_answer(answer, schema, f"answers.{interrupt_id}")
    return task.place, [*task.told, answer]


def _check_answer(answer: JsonValue, schema: JsonObject, field: str) -> None:
    try:
        jsonschema.validate(answer, schema)
    except jsonschema.ValidationError as error:
        raise InvalidInput.of(field, error.message) from error

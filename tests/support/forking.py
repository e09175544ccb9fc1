"""Threads of random graphs, and their forks."""

from collections.abc import Sequence
from uuid import UUID

from langgraph.checkpoint.base.id import uuid6
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from random_graphs import State, compile_plan, run_to_end

from wtb_async.application.clock import utc_now
from wtb_async.application.executions.repositories import Fork
from wtb_async.application.ids import new_id
from wtb_async.domain.run import ForkReason, Thread
from wtb_async.infrastructure.checkpoints.fork import fork_threads
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.infrastructure.postgres.tables import threads

INPUT: State = {"item": "x", "log": [], "changes": ["input"]}


LAST_TIMESTAMP = "langgraph.checkpoint.base.id._last_v6_timestamp"
"""What LangGraph remembers of the newest checkpoint id made in this process; None at its start."""


def an_hour_ahead() -> int:
    """The timestamp that a machine whose clock is an hour ahead would remember."""
    return uuid6().time + 3600 * 10_000_000


async def begin_thread(database: Database) -> UUID:
    """A thread that nothing ran on."""
    async with database.engine.begin() as connection:
        row = {"id": (thread := new_id()), "reason": ForkReason.START, "created_at": utc_now()}
        await connection.execute(threads.insert().values(row))
    return thread


async def fork(
    database: Database,
    source: UUID,
    checkpoint_id: str | None = None,
    *,
    count: int = 1,
    reason: ForkReason = ForkReason.ROLLBACK,
    keeps_writes: bool = True,
) -> list[UUID]:
    """Fork a thread as a use case would; answers the new threads."""
    made = [
        Fork(
            thread=Thread(
                id=new_id(),
                created_at=utc_now(),
                reason=reason,
                parent_id=source,
                fork_checkpoint_id=checkpoint_id,
            ),
            keeps_writes=keeps_writes,
        )
        for _ in range(count)
    ]
    async with database.engine.begin() as connection:
        await fork_threads(connection, made)
    return [each.thread.id for each in made]


async def finished(database: Database, saver: AsyncPostgresSaver, plan: Sequence[str]) -> UUID:
    """A thread whose run has ended."""
    thread = await begin_thread(database)
    await run_to_end(compile_plan(plan, saver), INPUT, str(thread))
    return thread

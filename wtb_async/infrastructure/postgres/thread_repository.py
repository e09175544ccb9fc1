"""Threads: forked, and answered at their heads."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from wtb_async.application.executions.repositories import Fork
from wtb_async.domain.json import JsonObject, JsonValue
from wtb_async.infrastructure.checkpoints.fork import fork_threads


class PostgresThreadRepository:
    """Statements on `wtb_threads` and LangGraph's checkpoint tables."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def fork(self, forks: Sequence[Fork]) -> None:
        """Make threads as copies of their parents up to a checkpoint. Raises NotFound."""
        await fork_threads(await self._session.connection(), forks)

    async def answer(
        self,
        thread_id: UUID,
        checkpoint_id: str,
        answers: Mapping[str, JsonValue],
        values: JsonObject,
    ) -> None:
        """Answer open interrupts at a thread's head, and add values to its state.

        Raises InvalidInput when an answer is not what its question takes.
        """
        # LangGraph's serializer takes half a second to import, which most processes never need.
        from wtb_async.infrastructure.checkpoints.answers import (  # noqa: PLC0415
            answer_interrupts,
        )

        connection = await self._session.connection()
        await answer_interrupts(connection, thread_id, checkpoint_id, answers, values)

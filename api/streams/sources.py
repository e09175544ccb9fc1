"""Opens the streams of executions and batch tests."""

from uuid import UUID

from api.streams.batch_events import BatchEvents
from api.streams.execution_events import ExecutionEvents
from wtb_async.application.ports import LiveEventSource
from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.event_position import EventPosition
from wtb_async.infrastructure.postgres.queries.batch_tests import BatchTestQueries
from wtb_async.infrastructure.postgres.queries.events import EventQueries
from wtb_async.infrastructure.postgres.queries.executions import ExecutionQueries


class Sources:
    """What streams read from, whatever carries them."""

    def __init__(self, platform: Platform, live: LiveEventSource) -> None:
        self._engine = platform.database.engine
        self._live = live

    async def of_execution(self, execution_id: UUID, after: EventPosition) -> ExecutionEvents:
        """The events of an execution after a position. Raises NotFound."""
        execution = await ExecutionQueries(self._engine).get(execution_id)
        return ExecutionEvents(
            execution_id,
            after,
            lifecycle=EventQueries(self._engine),
            live=self._live if execution.stream else None,
        )

    async def of_batch(self, batch_id: UUID, after: int) -> BatchEvents:
        """The events of a batch test after one of them, with its progress. Raises NotFound."""
        batches = BatchTestQueries(self._engine)
        await batches.get(batch_id)
        events = EventQueries(self._engine)
        return BatchEvents(batch_id, after, events=events, batches=batches)

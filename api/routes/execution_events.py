"""`/executions/{id}/events`: what becomes of an execution, while it happens."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query

from api.dependencies import HubDep, LiveEventsDep, PlatformDep
from api.security import Caller, KeyedRoute
from api.streams.execution_events import ExecutionEvents
from api.streams.sse import EventStream, event_stream, execution_history
from wtb_async.domain.event_position import POSITION_PATTERN, EventPosition
from wtb_async.infrastructure.postgres.queries.events import EventQueries
from wtb_async.infrastructure.postgres.queries.executions import ExecutionQueries

router = APIRouter(tags=["executions"], route_class=KeyedRoute)

LastEventId = Annotated[str, Header(alias="Last-Event-ID", pattern=POSITION_PATTERN)]
Since = Annotated[str, Query(pattern=POSITION_PATTERN, examples=["7", "7-12"])]


@router.get(
    "/executions/{execution_id}/events",
    operation_id="stream_execution_events",
    response_class=EventStream,
)
async def stream_execution_events(
    execution_id: UUID,
    _: Caller,
    platform: PlatformDep,
    hub: HubDep,
    live: LiveEventsDep,
    last_event_id: LastEventId = "0",
    since: Since = "0",
) -> EventStream:
    """The execution's history and then its future, as Server-Sent Events.

    Between them come the live events of its runs, if it was created with `stream`.
    """
    engine = platform.database.engine
    execution = await ExecutionQueries(engine).get(execution_id)
    events = ExecutionEvents(
        execution_id,
        max(EventPosition.parse(last_event_id), EventPosition.parse(since)),
        lifecycle=EventQueries(engine),
        live=live if execution.stream else None,
    )
    return event_stream(execution_history(events, hub))

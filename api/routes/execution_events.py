"""`/executions/{id}/events`: what becomes of an execution, while it happens."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query

from api.dependencies import HubDep, PlatformDep, SourcesDep
from api.security import Caller, KeyedRoute
from api.streams.sse import EventStream
from wtb_async.domain.event_position import POSITION_PATTERN, EventPosition

router = APIRouter(tags=["executions"], route_class=KeyedRoute)

LastEventId = Annotated[str, Header(alias="Last-Event-ID", pattern=POSITION_PATTERN)]
Since = Annotated[str, Query(pattern=POSITION_PATTERN, examples=["7", "7-12"])]


@router.get(
    "/executions/{execution_id}/events",
    operation_id="stream_execution_events",
    response_class=EventStream,
    status_code=200,
)
async def stream_execution_events(
    execution_id: UUID,
    _: Caller,
    platform: PlatformDep,
    hub: HubDep,
    sources: SourcesDep,
    last_event_id: LastEventId = "0",
    since: Since = "0",
) -> EventStream:
    """The execution's history and then its future, as Server-Sent Events.

    Between them come the live events of its runs, if it was created with `stream`. Who reads too
    slowly gets a last `StreamClosed`, and may come again.
    """
    after = max(EventPosition.parse(last_event_id), EventPosition.parse(since))
    source = await sources.of_execution(execution_id, after)
    return EventStream(source, hub, patience=platform.settings.api.slow_reader_seconds)

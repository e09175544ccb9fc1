"""`/outbox`: what waits to be relayed, and what was given up."""

from typing import Annotated

from fastapi import APIRouter, Path

from api.answers import JsonAnswer, accepted
from api.dependencies import Cursor, Limit, PlatformDep
from api.errors import described
from api.security import Caller, KeyedRoute
from wtb_async.application.outbox.replay_dead_letter import replay_dead_letter
from wtb_async.application.outbox.views import DeadLetterView, OutboxStatsView
from wtb_async.application.views import Page
from wtb_async.infrastructure.postgres.queries.outbox import OutboxQueries

router = APIRouter(prefix="/outbox", tags=["outbox"], route_class=KeyedRoute)

EventId = Annotated[int, Path(ge=1, le=2**63 - 1)]

_NO_KEY = described({401: "The key is not valid."})
_REFUSED = described(
    {
        404: "There is no such dead letter.",
        409: "An earlier event of the same object is a dead letter too; nothing was changed.",
    }
)


@router.get(
    "/stats",
    operation_id="get_outbox_stats",
    response_model=OutboxStatsView,
    responses=_NO_KEY,
)
async def get_outbox_stats(_: Caller, platform: PlatformDep) -> JsonAnswer:
    """How many events wait, how old the oldest is, how many leave, and how many were given up."""
    return JsonAnswer(await OutboxQueries(platform.database.engine).stats())


@router.get("/dead-letters", operation_id="list_dead_letters", response_model=Page[DeadLetterView])
async def list_dead_letters(
    _: Caller, platform: PlatformDep, limit: Limit = 50, cursor: Cursor = None
) -> JsonAnswer:
    """Events that could not be delivered, newest first."""
    queries = OutboxQueries(platform.database.engine)
    return JsonAnswer(await queries.dead_letters(limit=limit, cursor=cursor))


@router.post(
    "/dead-letters/{event_id}/replay",
    status_code=202,
    operation_id="replay_dead_letter",
    response_model=DeadLetterView,
    responses=_REFUSED,
)
async def replay(event_id: EventId, caller: Caller, platform: PlatformDep) -> JsonAnswer:
    """Have a dead letter delivered after all; one that was replayed already stays as it is."""
    await replay_dead_letter(
        event_id,
        caller,
        uow_factory=platform.database.unit_of_work,
        nudges=platform.nudges,
    )
    event = await OutboxQueries(platform.database.engine).failed(event_id)
    return accepted(event, "/api/v1/outbox/dead-letters")

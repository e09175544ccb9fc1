"""What routes ask for."""

from typing import Annotated

from fastapi import Depends, Query, Request

from api.streams.hub import EventHub
from wtb_async.bootstrap.platform import Platform


def _platform(request: Request) -> Platform:
    platform: Platform = request.app.state.platform
    return platform


def _hub(request: Request) -> EventHub:
    hub: EventHub = request.app.state.hub
    return hub


PlatformDep = Annotated[Platform, Depends(_platform)]
HubDep = Annotated[EventHub, Depends(_hub)]
Limit = Annotated[int, Query(ge=1, le=200, description="How many items at most")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before")]

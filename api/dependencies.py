"""What routes ask for."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Query, Request
from fastapi.requests import HTTPConnection

from api.probes import Probe
from api.streams.hub import EventHub
from api.streams.sources import Sources
from wtb_async.application.files.sources import FileSources
from wtb_async.bootstrap.platform import Platform
from wtb_async.infrastructure.postgres.queries.committed_files import PostgresCommittedFiles
from wtb_async.infrastructure.postgres.queries.node_boundaries import NodeBoundaryQueries
from wtb_async.infrastructure.telemetry.metrics import MetricsPage

if TYPE_CHECKING:
    from langgraph.checkpoint.serde.base import SerializerProtocol

    from wtb_async.infrastructure.checkpoints.history import CheckpointHistory
    from wtb_async.infrastructure.checkpoints.state import StateReader
    from wtb_async.infrastructure.postgres.queries.timelines import PostgresTimelines


async def _platform(connection: HTTPConnection) -> Platform:
    platform: Platform = connection.app.state.platform
    return platform


async def _hub(connection: HTTPConnection) -> EventHub:
    hub: EventHub = connection.app.state.hub
    return hub


def checkpoint_history(platform: Platform) -> "CheckpointHistory":
    """Reads timelines; made when it is asked for."""
    # LangGraph takes half a second to import, which most servers never need.
    from wtb_async.infrastructure.checkpoints.history import CheckpointHistory  # noqa: PLC0415

    return CheckpointHistory(platform.database.engine, _serializer())


def state_reader(platform: Platform) -> "StateReader":
    """Reads states; made when it is asked for."""
    from wtb_async.infrastructure.checkpoints.rebuilt_channels import (  # noqa: PLC0415
        ChannelRebuilder,
    )
    from wtb_async.infrastructure.checkpoints.state import StateReader  # noqa: PLC0415

    rebuilder = ChannelRebuilder(
        platform.inspector,
        platform.database.unit_of_work,
        database_url=platform.settings.database_url.get_secret_value(),
    )
    return StateReader(platform.database.engine, _serializer(), rebuilder.rebuild)


def timelines(platform: Platform) -> "PostgresTimelines":
    """Finds the moments that commands go back to; made when it is asked for."""
    from wtb_async.infrastructure.postgres.queries.timelines import (  # noqa: PLC0415
        PostgresTimelines,
    )

    boundaries = NodeBoundaryQueries(platform.database.engine)
    return PostgresTimelines(checkpoint_history(platform), boundaries)


async def _file_sources(request: Request) -> FileSources:
    platform = await _platform(request)
    return FileSources(
        uow_factory=platform.database.unit_of_work,
        timelines=partial(timelines, platform),
        committed=PostgresCommittedFiles(platform.database.engine),
        blobs=platform.files.blobs,
        threads=platform.files.threads,
    )


def _serializer() -> "SerializerProtocol":
    from wtb_async.infrastructure.checkpoints.display_reader import DisplayReader  # noqa: PLC0415

    return DisplayReader()


async def _sources(connection: HTTPConnection) -> Sources:
    state = connection.app.state
    return Sources(state.platform, state.live_events)


async def _probes(request: Request) -> Sequence[Probe]:
    probes: Sequence[Probe] = request.app.state.probes
    return probes


async def _metrics(request: Request) -> MetricsPage:
    page: MetricsPage = request.app.state.metrics
    return page


PlatformDep = Annotated[Platform, Depends(_platform)]
HubDep = Annotated[EventHub, Depends(_hub)]
FileSourcesDep = Annotated[FileSources, Depends(_file_sources)]
SourcesDep = Annotated[Sources, Depends(_sources)]
ProbesDep = Annotated[Sequence[Probe], Depends(_probes)]
MetricsDep = Annotated[MetricsPage, Depends(_metrics)]
Limit = Annotated[int, Query(ge=1, le=200, description="How many items at most")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before")]

"""`/audit/events` and `/executions/{id}/audit`: who did what, page by page or all of it."""

from collections.abc import AsyncIterator, Sequence
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from api.answers import JsonAnswer, to_json
from api.dependencies import PlatformDep
from api.errors import described
from api.moments import Moment
from api.security import Caller, KeyedRoute
from wtb_async.application.audit.views import AuditEntryView
from wtb_async.application.views import Page
from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.audit import Severity
from wtb_async.domain.command import CommandKind
from wtb_async.infrastructure.postgres.queries.audit import AuditFilter, AuditQueries
from wtb_async.infrastructure.postgres.queries.executions import ExecutionQueries

router = APIRouter(tags=["audit"], route_class=KeyedRoute)

LINES = "application/x-ndjson"

_BOTH: dict[int | str, dict[str, Any]] = {200: {"content": {LINES: {"schema": {"type": "string"}}}}}


class AuditFormat(StrEnum):
    """A page of the selection, or all of it with one entry per line."""

    JSON = "json"
    JSONL = "jsonl"


class EntryParameters(BaseModel):
    """Which entries; what is left out does not restrict."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    caller: str | None = None
    kind: CommandKind | None = Field(None, description="Only what this kind of command did")
    action: str | None = Field(None, examples=["ExecutionPaused"])
    severity: Severity | None = None
    since: Moment | None = None
    until: Moment | None = Field(None, description="Only what came before")
    format: AuditFormat | None = Field(
        None, description=f"`jsonl`, or `Accept: {LINES}`, gives the whole selection"
    )
    limit: int = Field(50, ge=1, le=200, description="How many items a page has at most")
    cursor: str | None = Field(None, description="`next_cursor` of the page before")

    def wanted(self, **more: UUID) -> AuditFilter:
        """The same as a filter."""
        given = self.model_dump(exclude={"format", "limit", "cursor"})
        return AuditFilter(**given | more)


class TrailParameters(EntryParameters):
    """Which entries of the whole trail."""

    execution: UUID | None = None
    batch: UUID | None = Field(None, description="Of the batch test and of its executions")


Accept = Annotated[str, Header(include_in_schema=False)]


@router.get(
    "/audit/events",
    operation_id="list_audit_entries",
    response_model=Page[AuditEntryView],
    responses=_BOTH,
)
async def list_audit_entries(
    parameters: Annotated[TrailParameters, Query()],
    _: Caller,
    platform: PlatformDep,
    accept: Accept = "",
) -> Response:
    """Who did what to which object, newest first."""
    return await _answer(parameters, parameters.wanted(), accept, platform)


@router.get(
    "/executions/{execution_id}/audit",
    operation_id="list_audit_entries_of_execution",
    response_model=Page[AuditEntryView],
    responses={**_BOTH, **described({404: "There is no such execution."})},
)
async def list_audit_entries_of_execution(
    execution_id: UUID,
    parameters: Annotated[EntryParameters, Query()],
    _: Caller,
    platform: PlatformDep,
    accept: Accept = "",
) -> Response:
    """Who did what to one execution, newest first."""
    await ExecutionQueries(platform.database.engine).get(execution_id)
    wanted = parameters.wanted(execution=execution_id)
    return await _answer(parameters, wanted, accept, platform)


async def _answer(
    parameters: EntryParameters, wanted: AuditFilter, accept: str, platform: Platform
) -> Response:
    queries = AuditQueries(platform.database.engine)
    chosen = parameters.format or (AuditFormat.JSONL if LINES in accept else AuditFormat.JSON)
    if chosen is AuditFormat.JSONL:
        # The first entries are read before the head is sent: a problem still has its status.
        chunks = queries.walk(wanted)
        return StreamingResponse(_lines(await anext(chunks), chunks), media_type=LINES)
    page = await queries.list(wanted, limit=parameters.limit, cursor=parameters.cursor)
    return JsonAnswer(page)


async def _lines(
    first: Sequence[AuditEntryView], others: AsyncIterator[Sequence[AuditEntryView]]
) -> AsyncIterator[bytes]:
    yield _written(first)
    async for entries in others:
        yield _written(entries)


def _written(entries: Sequence[AuditEntryView]) -> bytes:
    return b"".join(to_json(entry) + b"\n" for entry in entries)

"""Files of test cases on their way into datasets and out of them."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import StreamingResponse

from api.answers import JsonAnswer
from api.dependencies import PlatformDep
from api.routes.test_cases import Version
from api.security import Caller
from api.uploads import UploadRoute, received_file
from wtb_async.application.datasets.import_cases import import_cases
from wtb_async.application.datasets.views import CaseChangesView
from wtb_async.domain.dataset import CaseFormat, ImportMode
from wtb_async.infrastructure.datasets.reading import RowLimits, read_cases
from wtb_async.infrastructure.datasets.writing import write_cases
from wtb_async.infrastructure.postgres.queries.datasets import DatasetQueries

router = APIRouter(prefix="/datasets/{dataset}", tags=["datasets"], route_class=UploadRoute)

_FORMATS = {each.media_type: each for each in CaseFormat} | {
    "application/x-ndjson": CaseFormat.JSONL
}
_CONTENT: dict[str, Any] = {kind: {"schema": {"type": "string"}} for kind in _FORMATS}


@router.post(
    "/test-cases",
    operation_id="import_test_cases",
    response_model=CaseChangesView,
    openapi_extra={"requestBody": {"required": True, "content": _CONTENT}},
)
async def import_test_cases(
    dataset: str,
    request: Request,
    caller: Caller,
    platform: PlatformDep,
    mode: Annotated[ImportMode, Query()] = ImportMode.APPEND,
) -> JsonAnswer:
    """Take in a case, a JSON list of them, a JSONL or a CSV file: all of it, or nothing."""
    case_format = _format_of(request)
    limits = platform.settings.api
    async with received_file(request, limits.max_import_bytes) as file:
        changes = await import_cases(
            dataset,
            read_cases(file, case_format, RowLimits(limits.max_body_bytes, limits.max_json_depth)),
            mode,
            caller,
            uow_factory=platform.database.unit_of_work,
            nudges=platform.nudges,
        )
    return JsonAnswer(changes)


@router.get(
    "/export",
    operation_id="export_test_cases",
    response_class=StreamingResponse,
    responses={200: {"content": _CONTENT}},
)
async def export_test_cases(
    dataset: str,
    _: Caller,
    platform: PlatformDep,
    version: Version = None,
    case_format: Annotated[CaseFormat, Query(alias="format")] = CaseFormat.JSONL,
) -> StreamingResponse:
    """The cases of a version as a file that can be imported again."""
    queries = DatasetQueries(platform.database.engine)
    found, state = await queries.at_version(dataset, version)
    name = quote(f"{found.name}-v{state.version}.{case_format.value}")
    return StreamingResponse(
        write_cases(queries.written(found.id, state), case_format),
        media_type=case_format.media_type,
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}"},
    )


def _format_of(request: Request) -> CaseFormat:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _FORMATS:
        raise HTTPException(415, f"send test cases as {', '.join(_FORMATS)}")
    return _FORMATS[kind]

"""`/executions/{id}/files` and `/archive`: what the workspace held, at any checkpoint."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from api.answers import JsonAnswer
from api.dependencies import Cursor, FileSourcesDep, Limit
from api.errors import described
from api.file_answers import file_answer
from api.file_headers import saved_as
from api.security import Caller, KeyedRoute
from api.streaming import begun
from api.whole_path import whole_path
from wtb_async.application.files.archive_files import archive_files
from wtb_async.application.files.archive_formats import ArchiveFormat
from wtb_async.application.files.list_files import list_files
from wtb_async.application.files.read_file import find_file
from wtb_async.application.files.sources import FilesAt
from wtb_async.application.files.views import FilesView
from wtb_async.domain.file_path import MAX_PATH_BYTES

NOT_FOUND = {404: "There is no such execution, or no such root checkpoint on its timeline."}

router = APIRouter(
    prefix="/executions/{execution_id}",
    tags=["files"],
    route_class=KeyedRoute,
    responses=described(NOT_FOUND),
)

CheckpointId = Annotated[
    UUID | None,
    Query(description="A root checkpoint of its timeline; without it, the newest files"),
]
Prefix = Annotated[
    str,
    Query(
        max_length=MAX_PATH_BYTES,
        description="Paths that begin with this only",
        examples=["models/"],
    ),
]

FILE: dict[str, Any] = {
    "path": "models/forest.pkl",
    "kind": "file",
    "size": 48213,
    "mode": 0o644,
    "modified_at": "2026-03-04T05:06:07Z",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "target": None,
}
_FILES = {
    "items": [FILE],
    "next_cursor": None,
    "file_commit_id": "0199f0c4-6f0e-7c42-9d57-0d2f1a1e8c11",
}
_FILE_PATH = f"/files/{whole_path('path')}"
_BYTES = {"schema": {"type": "string", "format": "binary"}}
_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The whole content.", "content": {"application/octet-stream": _BYTES}},
    206: {"description": "The range.", "content": {"application/octet-stream": _BYTES}},
    304: {"description": "The caller has this content: its ETag is in `If-None-Match`."},
}
_ARCHIVES: dict[int | str, dict[str, Any]] = {
    200: {"content": {each.media_type: _BYTES for each in ArchiveFormat}}
}
_NO_CONTENT = {
    404: "There is no such execution, checkpoint or path.",
    409: "The path is a symbolic link or an empty directory.",
    416: "The range begins behind the end of the content.",
    500: "The content is missing in the blob store, or was altered there.",
}


@router.get(
    "/files",
    operation_id="list_files",
    response_model=FilesView,
    responses={200: {"content": {"application/json": {"example": _FILES}}}},
)
async def list_execution_files(
    execution_id: UUID,
    _: Caller,
    sources: FileSourcesDep,
    checkpoint_id: CheckpointId = None,
    prefix: Prefix = "",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> JsonAnswer:
    """The execution's files by the bytes of their paths; none if its nodes asked for no workspace.

    While it runs its newest files may change between two pages: `file_commit_id` tells.
    """
    place = FilesAt(execution_id, checkpoint_id)
    return JsonAnswer(
        await list_files(place, prefix=prefix, limit=limit, cursor=cursor, sources=sources)
    )


@router.head(_FILE_PATH, include_in_schema=False)
@router.get(
    _FILE_PATH,
    operation_id="read_file",
    response_class=StreamingResponse,
    responses=_CONTENT | described(_NO_CONTENT),
)
async def read_execution_file(
    execution_id: UUID,
    path: str,
    request: Request,
    _: Caller,
    sources: FileSourcesDep,
    checkpoint_id: CheckpointId = None,
) -> Response:
    """The content of a file, or a range of it (`Range`, `If-Range`).

    Its ETag is the SHA-256. A content that is read whole is checked against it: one that was
    altered is not sent to its end.
    """
    blob = await find_file(FilesAt(execution_id, checkpoint_id), path, sources)
    return await file_answer(request, path, blob, sources.blobs)


@router.get(
    "/archive",
    operation_id="download_archive",
    response_class=StreamingResponse,
    responses=_ARCHIVES,
)
async def download_archive(
    execution_id: UUID,
    _: Caller,
    sources: FileSourcesDep,
    checkpoint_id: CheckpointId = None,
    archive_format: Annotated[ArchiveFormat, Query(alias="format")] = ArchiveFormat.TAR_GZ,
) -> StreamingResponse:
    """All of the execution's files, the same bytes for the same files.

    Links are in it as links. An archive that comes without its end is to be thrown away.
    """
    pieces = await archive_files(FilesAt(execution_id, checkpoint_id), archive_format, sources)
    return StreamingResponse(
        await begun(pieces),
        media_type=archive_format.media_type,
        headers=saved_as(f"{execution_id}.{archive_format.value}"),
    )

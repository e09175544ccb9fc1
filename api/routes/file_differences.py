"""`/executions/{id}/files/diff`: what two moments have different files."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import StringConstraints

from api.answers import JsonAnswer
from api.dependencies import Cursor, FileSourcesDep, Limit
from api.errors import described
from api.routes.files import FILE, NOT_FOUND, read_execution_file
from api.security import Caller, KeyedRoute
from wtb_async.application.files.diff_files import diff_files
from wtb_async.application.files.sources import FilesAt
from wtb_async.application.files.views import FileDifferencesView
from wtb_async.domain.errors import InvalidInput
from wtb_async.domain.file_path import MAX_PATH_BYTES

router = APIRouter(tags=["files"], route_class=KeyedRoute, responses=described(NOT_FOUND))

From = Annotated[
    UUID | None, Query(alias="from", description="Checkpoint to compare with; its newest files")
]
To = Annotated[
    UUID | None, Query(description="Checkpoint of the later files; without it, the newest files")
]
Against = Annotated[
    UUID | None, Query(description="Another execution, whose files are the later ones")
]
Paths = Annotated[
    list[Annotated[str, StringConstraints(min_length=1, max_length=MAX_PATH_BYTES)]],
    Query(
        max_length=100,
        description="These only, and what is below them; may be given several times",
        examples=[["models", "report.md"]],
    ),
]
_DIFFERENCES = {
    "items": [
        {
            "path": "notes.txt",
            "change": "changed",
            "before": FILE | {"path": "notes.txt", "size": 6},
            "after": FILE | {"path": "notes.txt", "size": 12},
            "diff": "--- a/notes.txt\n+++ b/notes.txt\n@@ -1 +1,2 @@\n first\n+second\n",
        }
    ],
    "next_cursor": None,
    "before_commit_id": "0199f0c4-6f0e-7c42-9d57-0d2f1a1e8c11",
    "after_commit_id": "0199f0c4-71a3-7a05-b0a4-5b0d2c6f9e02",
}


@router.get(
    "/executions/{execution_id}/files/diff",
    operation_id="diff_files",
    response_model=FileDifferencesView,
    responses={200: {"content": {"application/json": {"example": _DIFFERENCES}}}},
)
async def diff_execution_files(
    execution_id: UUID,
    request: Request,
    caller: Caller,
    sources: FileSourcesDep,
    *,
    from_: From = None,
    to: To = None,
    against: Against = None,
    path: Paths = [],  # noqa: B006 - FastAPI copies it
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """The paths that differ between two checkpoints, or between this execution and another.

    Texts come with their unified diff, as far as they are not too large. Without `from`, `to` and
    `against` this is the file whose path is `diff`.
    """
    if from_ is None and against is None:
        if to is not None:
            raise InvalidInput.of("from", "give `from`, or another execution in `against`")
        return await read_execution_file(execution_id, "diff", request, caller, sources)
    return JsonAnswer(
        await diff_files(
            FilesAt(execution_id, from_),
            FilesAt(against or execution_id, to),
            paths=path,
            limit=limit,
            cursor=cursor,
            sources=sources,
        )
    )

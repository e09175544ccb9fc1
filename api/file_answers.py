"""Contents of files as HTTP answers: whole, in part, or known already."""

from http import HTTPStatus

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from api.byte_ranges import ByteRange, is_known, wanted_range
from api.file_headers import media_type_of, safe_headers
from api.streaming import begun
from wtb_async.application.files.blob_store import BlobStore
from wtb_async.domain.file_commit import Blob


async def file_answer(request: Request, path: str, blob: Blob, blobs: BlobStore) -> Response:
    """The content of a file as far as the caller wants and does not have it.

    Raises:
        RangeNotSatisfiable: what is asked for is not in it.
        BlobMissing, BlobAltered: and so does the body, when that shows only later.
    """
    etag = f'"{blob.sha256}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if is_known(request.headers, etag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    media_type = media_type_of(path)
    headers |= {"Accept-Ranges": "bytes"} | safe_headers(path.rpartition("/")[2], media_type)
    if request.method == "HEAD":
        headers["Content-Length"] = str(blob.size)
        return Response(headers=headers, media_type=media_type)
    wanted = wanted_range(request.headers, blob.size, etag)
    part = wanted or ByteRange(0, blob.size)
    headers["Content-Length"] = str(part.end - part.start)
    if wanted:
        headers["Content-Range"] = wanted.content_range(blob.size)
    return StreamingResponse(
        await begun(blobs.read(blob, start=part.start, end=part.end)),
        HTTPStatus.PARTIAL_CONTENT if wanted else HTTPStatus.OK,
        headers,
        media_type,
    )

"""Request bodies that are files: kept on disk, so that neither size nor a slow caller matters."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from fastapi import Request, Response
from fastapi.routing import APIRoute

from api.errors import PayloadTooLarge
from api.security import check_key
from api.strict_json import check_parameters


class UploadRoute(APIRoute):
    """A route that looks at the key first, and leaves the body to its endpoint."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, for callers with a key."""
        handle = super().get_route_handler()

        async def keyed(request: Request) -> Response:
            check_key(request)
            check_parameters(request)
            return await handle(request)

        return keyed


@asynccontextmanager
async def received_file(request: Request, limit: int) -> AsyncIterator[BinaryIO]:
    """The whole body as a file without a name. Raises PayloadTooLarge as soon as it is."""
    if int(request.headers.get("content-length") or 0) > limit:
        raise PayloadTooLarge(limit)
    with TemporaryFile() as file:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise PayloadTooLarge(limit)
            await asyncio.to_thread(file.write, chunk)
        await asyncio.to_thread(file.seek, 0)
        yield file

"""Paths of workspaces on the command line: of one file, or of a folder."""

from collections.abc import AsyncIterator
from typing import Annotated

import typer

from wtb_async.cli.listing import first
from wtb_async.domain.errors import NotFound
from wtb_async.sdk.client import WTBClient
from wtb_async.sdk.file_models import File

At = Annotated[
    str | None,
    typer.Option(
        help="Id of a checkpoint, see `wtb executions checkpoints`; without it, the newest files."
    ),
]
PathOrFolder = Annotated[
    str | None, typer.Argument(metavar="PATH", help="A file or a folder; all files without it.")
]


async def files_at(
    client: WTBClient, execution_id: str, path: str | None, checkpoint_id: str | None
) -> AsyncIterator[File]:
    """The file of this path, or all files of this folder. Raises NotFound when there are none."""
    if path is None:
        async for each in client.files.list(execution_id, checkpoint_id=checkpoint_id):
            yield each
        return
    path = path.rstrip("/")
    # No other path that begins with this one comes before it.
    named = client.files.list(execution_id, checkpoint_id=checkpoint_id, prefix=path, page_size=1)
    found = [each for each in await first(1, named) if each.path == path]
    for each in found:
        yield each
    below = client.files.list(execution_id, checkpoint_id=checkpoint_id, prefix=f"{path}/")
    async for each in below:
        found.append(each)
        yield each
    if not found:
        raise NotFound("file or folder", path)

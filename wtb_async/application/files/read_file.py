"""Finds and reads single files."""

from contextlib import aclosing

from wtb_async.application.files.blob_store import BlobStore
from wtb_async.application.files.sources import FilesAt, FileSources, find_commit
from wtb_async.domain.errors import Conflict, NotFound
from wtb_async.domain.file_commit import Blob, FileKind, FileMemento


class NotAFile(Conflict):
    """The path has no content of its own."""

    code = "not_a_file"

    def __init__(self, path: str, memento: FileMemento) -> None:
        what = "an empty directory"
        if memento.kind is FileKind.SYMLINK:
            what = f"a symbolic link to {memento.target!r}"
        super().__init__(f"{path!r} is {what}")


async def find_file(place: FilesAt, path: str, sources: FileSources) -> Blob:
    """The content of a file of an execution.

    Raises:
        NotFound: no such execution, checkpoint or path.
        NotAFile: the path is a symbolic link or a directory.
    """
    memento = await _memento(place, path, sources)
    if memento is None:
        raise NotFound("file", path)
    if memento.blob is None:
        raise NotAFile(path, memento)
    return memento.blob


async def content_of(blob: Blob, blobs: BlobStore) -> bytes:
    """A content that is small enough to be held. Raises BlobMissing, BlobAltered."""
    return b"".join([piece async for piece in blobs.read(blob)])


async def _memento(place: FilesAt, path: str, sources: FileSources) -> FileMemento | None:
    commit_id = await find_commit(place, sources)
    # No other path that begins with this one comes before it.
    async with aclosing(sources.committed.walk(commit_id, prefix=path, at_once=1)) as walk:
        async for found, memento in walk:
            return memento if found == path else None
    return None

"""Packs all files of a moment into one archive, piece by piece."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import aclosing

from wtb_async.application.files.archive_formats import Archive, ArchiveFormat, new_archive
from wtb_async.application.files.blob_store import BlobStore
from wtb_async.application.files.read_file import content_of
from wtb_async.application.files.sources import FilesAt, FileSources, find_commit
from wtb_async.domain.file_commit import FileMemento

Member = tuple[str, FileMemento]

PIECE_BYTES = 64 * 1024
"""Less is not worth a message of its own, nor a change of threads."""
_READ_AHEAD = 32


async def archive_files(
    place: FilesAt, archive_format: ArchiveFormat, sources: FileSources
) -> AsyncGenerator[bytes]:
    """All files of an execution, in the order of their paths, with constant memory.

    Raises:
        NotFound: no such execution, or no such root checkpoint on its timeline.
        BlobMissing, BlobAltered: while it is read, so that the archive stays without its end.
    """
    commit_id = await find_commit(place, sources)
    members = sources.committed.walk(commit_id)
    return _in_pieces(_packed(members, new_archive(archive_format), sources))


async def _packed(
    members: AsyncGenerator[Member], archive: Archive, sources: FileSources
) -> AsyncGenerator[bytes]:
    async with aclosing(members):
        async for (path, memento), content in _with_small_contents(members, sources.blobs):
            yield archive.begin(path, memento)
            if content is not None:
                yield archive.write(content)
            elif memento.blob:
                async for piece in sources.blobs.read(memento.blob):
                    # To compress is work for a processor, which must not hold up other requests.
                    yield await sources.threads.run(archive.write, piece)
            yield archive.end()
    yield archive.close()


async def _with_small_contents(
    members: AsyncIterable[Member], blobs: BlobStore
) -> AsyncIterator[tuple[Member, bytes | None]]:
    """Small files are read together, since each of them takes its time in a store elsewhere."""
    async for group in _groups(members):
        contents = await asyncio.gather(*(_small_content(memento, blobs) for _, memento in group))
        for member, content in zip(group, contents, strict=True):
            yield member, content


async def _small_content(memento: FileMemento, blobs: BlobStore) -> bytes | None:
    if memento.blob is None or memento.blob.size > PIECE_BYTES:
        return None
    return await content_of(memento.blob, blobs)


async def _groups(members: AsyncIterable[Member]) -> AsyncIterator[list[Member]]:
    group: list[Member] = []
    async for member in members:
        group.append(member)
        if len(group) == _READ_AHEAD:
            yield group
            group = []
    if group:
        yield group


async def _in_pieces(content: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    waiting = bytearray()
    async with aclosing(content):
        async for ready in content:
            waiting += ready
            if len(waiting) >= PIECE_BYTES:
                yield bytes(waiting)
                waiting.clear()
    if waiting:
        yield bytes(waiting)

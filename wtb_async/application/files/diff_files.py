"""Tells what is different between the files of two moments."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from wtb_async.application.cursors import first_of, write_place
from wtb_async.application.files.blob_store import BlobStore
from wtb_async.application.files.read_file import content_of
from wtb_async.application.files.sources import FilesAt, FileSources, find_commit, path_of_cursor
from wtb_async.application.files.views import FileDifferencesView, FileDifferenceView
from wtb_async.domain.file_commit import FileKind, FileMemento
from wtb_async.domain.file_difference import FileChange, FileDifference
from wtb_async.domain.text_diff import MAX_TEXT_BYTES, text_diff

MAX_PAGE_BYTES = 8 * MAX_TEXT_BYTES
"""Of the texts that are compared for one page."""


async def diff_files(
    before: FilesAt,
    after: FilesAt,
    *,
    paths: Collection[str],
    limit: int,
    cursor: str | None,
    sources: FileSources,
) -> FileDifferencesView:
    """A page of the paths that differ, with the differences of texts.

    Args:
        before: the moment to compare with.
        after: the other moment, of this execution or another.
        paths: look at these only, and at what is below them.
        limit: how many paths at most.
        cursor: of the page before.
        sources: where files are read from.

    Raises:
        NotFound: no such execution, or no such root checkpoint on its timeline.
        InvalidInput: it is not a cursor.
        BlobMissing, BlobAltered: the content of a text.
    """
    behind = path_of_cursor(cursor)
    before_id, after_id = await find_commit(before, sources), await find_commit(after, sources)
    differences = sources.committed.differences(
        before_id, after_id, paths=paths, after=behind, at_once=limit + 1
    )
    page, follows = await first_of(differences, limit)
    diffs = await _text_diffs(page, sources)
    return FileDifferencesView(
        items=list(map(FileDifferenceView.of, page, diffs)),
        next_cursor=write_place(page[-1].path.encode()) if follows else None,
        before_commit_id=before_id,
        after_commit_id=after_id,
    )


@dataclass(frozen=True, slots=True)
class _Texts:
    """Two contents to be compared, of which None is no file."""

    path: str
    before: bytes | None
    after: bytes | None

    def diff(self) -> str | None:
        return text_diff(self.path, self.before, self.after)


async def _text_diffs(
    differences: Sequence[FileDifference], sources: FileSources
) -> Iterable[str | None]:
    chosen = _small_enough(differences)
    read = await asyncio.gather(*(_read(each, sources.blobs) for each in chosen))
    # To compare texts is work for a processor, which must not hold up other requests.
    diffs = await sources.threads.run(lambda: {texts.path: texts.diff() for texts in read})
    return [diffs.get(each.path) for each in differences]


def _small_enough(differences: Iterable[FileDifference]) -> list[FileDifference]:
    """Those between files that need not be large to hold up the page."""
    chosen, left = [], MAX_PAGE_BYTES
    for each in differences:
        mementos = [memento for memento in (each.before, each.after) if memento]
        sizes = [memento.blob.size for memento in mementos if memento.blob]
        is_of_files = all(memento.kind is FileKind.FILE for memento in mementos)
        if each.change is FileChange.MODE or not is_of_files or max(sizes) > MAX_TEXT_BYTES:
            continue
        if sum(sizes) <= left:
            chosen.append(each)
            left -= sum(sizes)
    return chosen


async def _read(difference: FileDifference, blobs: BlobStore) -> _Texts:
    before, after = await asyncio.gather(
        _content(difference.before, blobs), _content(difference.after, blobs)
    )
    return _Texts(difference.path, before, after)


async def _content(memento: FileMemento | None, blobs: BlobStore) -> bytes | None:
    if memento is None or memento.blob is None:
        return None
    return await content_of(memento.blob, blobs)

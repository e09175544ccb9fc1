"""Lists files."""

from wtb_async.application.cursors import first_of, write_place
from wtb_async.application.files.sources import FilesAt, FileSources, find_commit, path_of_cursor
from wtb_async.application.files.views import FilesView, FileView


async def list_files(
    place: FilesAt, *, prefix: str, limit: int, cursor: str | None, sources: FileSources
) -> FilesView:
    """A page of an execution's files whose paths begin with a text; empty when it has none.

    Raises:
        NotFound: no such execution, or no such root checkpoint on its timeline.
        InvalidInput: it is not a cursor.
    """
    after = path_of_cursor(cursor)
    commit_id = await find_commit(place, sources)
    walk = sources.committed.walk(commit_id, prefix=prefix, after=after, at_once=limit + 1)
    page, follows = await first_of(walk, limit)
    return FilesView(
        items=[FileView.of(path, memento) for path, memento in page],
        next_cursor=write_place(page[-1][0].encode()) if follows else None,
        file_commit_id=commit_id,
    )

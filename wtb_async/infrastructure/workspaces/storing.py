"""Storing the contents of a workspace that the store has not."""

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path

from wtb_async.application.files.blob_store import BlobStore, FileChanged
from wtb_async.domain.file_commit import Blob, Manifest
from wtb_async.infrastructure.workspaces.opening import open_folder

_AT_ONCE = 128
"""Files stored together: the folders of all of them are held open."""


async def store_missing(
    root: Path, files: Manifest, missing: Collection[str], blobs: BlobStore
) -> None:
    """Put those contents of a workspace's files into the store whose hashes are missing there.

    What earlier commits refer to may be among them: a store can lose a content.

    Args:
        root: the workspace.
        files: as a scan of it has found them.
        missing: hashes of contents that these files have.
        blobs: the store.

    Raises:
        FileChanged: a file was written or replaced since the scan; another scan tells.
        StoreFull, TransientError: the store could not take it.
    """
    found = {
        memento.blob: path
        for path, memento in files.items()
        if memento.blob is not None and memento.blob.sha256 in missing
    }
    paths = iter(found.items())
    while chunk := dict(islice(paths, _AT_ONCE)):
        with _reachable(root, chunk) as reachable:
            await blobs.put_all(reachable)


@contextmanager
def _reachable(root: Path, paths: Mapping[Blob, str]) -> Iterator[dict[Blob, Path]]:
    """Files by paths that lead through open folders, which no link can take the place of."""
    with ExitStack() as stack:
        opened: dict[str, int] = {}
        for folder in {path.rpartition("/")[0] for path in paths.values()}:
            try:
                opened[folder] = open_folder(root, folder)
            except OSError as error:
                raise FileChanged(root / folder) from error
            stack.callback(os.close, opened[folder])

        def reached(path: str) -> Path:
            folder, _, name = path.rpartition("/")
            return Path(f"/proc/self/fd/{opened[folder]}/{name}")

        yield {blob: reached(path) for blob, path in paths.items()}

"""Storing the new contents that a scan found."""

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path

from wtb_async.application.files.blob_store import BlobStore, FileChanged
from wtb_async.domain.file_commit import Blob
from wtb_async.infrastructure.workspaces.opening import open_folder
from wtb_async.infrastructure.workspaces.scan import Scan

_AT_ONCE = 128
"""Files stored together: the folders of all of them are held open."""


async def store_new_contents(scan: Scan, missing: Collection[str], blobs: BlobStore) -> None:
    """Put those new contents of a scan into the store whose hashes are missing there.

    Raises:
        FileChanged: a file was written or replaced since the scan; another scan tells.
        StoreFull, TransientError: the store could not take it.
    """
    paths = ((blob, path) for blob, path in scan.new_blobs.items() if blob.sha256 in missing)
    while chunk := dict(islice(paths, _AT_ONCE)):
        with _reachable(scan.root, chunk) as files:
            await blobs.put_all(files)


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

"""Archives of ended executions."""

import tarfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from workspaces import LAST_WRITTEN, FileBench, file_bench

from wtb_async.application.files.blob_store import BlobMissing
from wtb_async.domain.file_commit import Blob, FileKind, FileMemento
from wtb_async.infrastructure.workspaces.archives import WorkspaceArchives


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[FileBench]:
    with file_bench(tmp_path) as bench:
        yield bench


@pytest.fixture
def archives(bench: FileBench) -> WorkspaceArchives:
    return WorkspaceArchives(bench.folder / "files", bench.blobs, bench.threads)


def extracted(archive: Path, folder: Path) -> Path:
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="tar")
    return folder


async def test_an_archive_has_the_files_as_they_were(
    bench: FileBench, archives: WorkspaceArchives
) -> None:
    manifest = {
        **await bench.manifest_of({"a/é.txt": b"one", "run": b"two"}, 0o755),
        "empty": FileMemento(kind=FileKind.DIRECTORY, mode=0o750, mtime_ns=LAST_WRITTEN),
        "link": FileMemento(kind=FileKind.SYMLINK, mode=0o777, mtime_ns=LAST_WRITTEN, target="a"),
    }
    archive = await archives.write(execution_id := uuid4(), manifest)
    assert archive.name == f"{execution_id}.tar.gz"
    root = extracted(archive, bench.folder / "out")
    assert (root / "link/é.txt").read_bytes() == b"one"
    assert (root / "run").stat().st_mode & 0o777 == 0o755
    assert int((root / "run").stat().st_mtime) == LAST_WRITTEN // 1_000_000_000
    assert (root / "empty").stat().st_mode & 0o777 == 0o750
    again = await archives.write(uuid4(), dict(reversed(manifest.items())))
    assert again.read_bytes() == archive.read_bytes()


async def test_an_archive_that_cannot_be_whole_is_not_written(
    bench: FileBench, archives: WorkspaceArchives
) -> None:
    missing = FileMemento(kind=FileKind.FILE, mode=0o644, mtime_ns=1, blob=Blob("0" * 64, 3))
    with pytest.raises(BlobMissing):
        await archives.write(uuid4(), {"gone": missing})
    assert not list((bench.folder / "files").glob("archives/*"))

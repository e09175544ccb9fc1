"""Puts a large file into a blob store, and prints how many bytes of memory that took.

Run as a program with the file, the folder of the store, and the address of a bucket's server or
nothing.
"""

import asyncio
import hashlib
import resource
import sys
from pathlib import Path

from wtb_async.application.files.blob_store import BlobStore
from wtb_async.domain.file_commit import Blob
from wtb_async.infrastructure.files.file_threads import FileThreads
from wtb_async.infrastructure.files.local_blob_store import LocalBlobStore
from wtb_async.infrastructure.files.s3_blob_store import S3BlobStore
from wtb_async.infrastructure.files.s3_connection import connect_s3


async def move(file: Path, blob: Blob, blobs: BlobStore) -> None:
    await blobs.put(file, blob)
    async for piece in blobs.read(blob):
        assert piece


def blob_in(file: Path) -> Blob:
    with file.open("rb") as opened:
        return Blob(hashlib.file_digest(opened, "sha256").hexdigest(), file.stat().st_size)


def peak_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    file, folder, *endpoint = sys.argv[1:]
    threads = FileThreads(16)
    store: BlobStore = LocalBlobStore(Path(folder), threads)
    if endpoint:
        store = S3BlobStore(connect_s3("s3://bucket/large", *endpoint), Path(folder), threads)
    before = peak_memory()
    asyncio.run(move(Path(file), blob_in(Path(file)), store))
    print(peak_memory() - before)  # noqa: T201 - the answer of this program
    threads.close()

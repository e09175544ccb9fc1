"""The blob store that the settings describe."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from wtb_async.application.files.blob_store import BlobStore
from wtb_async.infrastructure.files.file_threads import FileThreads
from wtb_async.infrastructure.files.local_blob_store import LocalBlobStore
from wtb_async.infrastructure.files.s3_blob_store import S3BlobStore
from wtb_async.infrastructure.files.s3_connection import connect_s3
from wtb_async.infrastructure.files.store_quota import NoQuota, StoreQuota
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.infrastructure.postgres.queries.stored_bytes import stored_bytes
from wtb_async.settings import FileSettings

THREADS = 16
"""Disks and stores far away both take so many at once gladly."""


@contextmanager
def open_blob_store(settings: FileSettings, database: Database) -> Iterator[BlobStore]:
    """Open the store and end its threads again; nothing is created before it is needed."""
    # Nodes may change the working directory of this process.
    folder = settings.folder.absolute()
    threads = FileThreads(THREADS)
    limit = settings.max_store_bytes
    quota = StoreQuota(limit, partial(stored_bytes, database.engine)) if limit else NoQuota()
    try:
        if settings.store_url:
            store = connect_s3(settings.store_url, settings.store_endpoint)
            yield S3BlobStore(store, folder / "cache", threads, quota)
        else:
            yield LocalBlobStore(folder, threads, quota)
    finally:
        threads.close()

"""Where a process finds the contents of files."""

from functools import cached_property, partial

from wtb_async.application.files.blob_store import BlobStore, Quota
from wtb_async.infrastructure.files.file_threads import FileThreads
from wtb_async.infrastructure.files.local_blob_store import LocalBlobStore
from wtb_async.infrastructure.files.s3_blob_store import S3BlobStore
from wtb_async.infrastructure.files.s3_connection import connect_s3
from wtb_async.infrastructure.files.store_quota import UNLIMITED, StoreQuota
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.infrastructure.postgres.queries.stored_bytes import stored_bytes
from wtb_async.settings import FileSettings

_THREADS = 16
"""Disks, and stores far away even more, are glad of several requests at a time."""


class ProcessFiles:
    """The blob store that the settings describe; nothing is made before it is needed."""

    def __init__(self, settings: FileSettings, database: Database) -> None:
        self._settings = settings
        self._database = database
        # Nodes may change the working directory of this process.
        self._folder = settings.folder.absolute()
        self.threads = FileThreads(_THREADS)

    @cached_property
    def blobs(self) -> BlobStore:
        """The contents."""
        settings = self._settings
        if not settings.store_url:
            return LocalBlobStore(self._folder, self.threads, self._quota())
        store = connect_s3(settings.store_url, settings.store_endpoint)
        return S3BlobStore(store, self._folder / "cache", self.threads, self._quota())

    def close(self) -> None:
        """Wait for what is being done with files."""
        self.threads.close()

    def _quota(self) -> Quota:
        limit = self._settings.max_store_bytes
        if limit is None:
            return UNLIMITED
        return StoreQuota(limit, partial(stored_bytes, self._database.engine))

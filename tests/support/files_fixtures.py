"""Fixtures: files for the API process."""

from collections.abc import Iterator

import pytest
from api_fixtures import ServedApi
from served_api import Caller
from stored_files import StoredFiles

from wtb_async.application.files.blob_store import BlobStore
from wtb_async.bootstrap.files import ProcessFiles
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.settings import FileSettings


@pytest.fixture
def served_blobs(api: ServedApi, served: Database) -> Iterator[BlobStore]:
    """The blob store of the API process."""
    files = ProcessFiles(FileSettings(folder=api.files), served)
    yield files.blobs
    files.close()


@pytest.fixture
def stored(
    api: ServedApi, caller: Caller, served: Database, served_blobs: BlobStore, letters: Workflow
) -> StoredFiles:
    """Makes executions with files in the API's database and store."""
    return StoredFiles(api, caller, served, served_blobs, letters)

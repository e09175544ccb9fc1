"""Blob stores of both kinds, and an S3 protocol server on this machine."""

import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest
from moto.server import ThreadedMotoServer
from obstore.store import LocalStore, S3Store

from wtb_async.application.files.blob_store import BlobStore
from wtb_async.domain.file_commit import Blob
from wtb_async.infrastructure.files.file_threads import FileThreads
from wtb_async.infrastructure.files.local_blob_store import LocalBlobStore
from wtb_async.infrastructure.files.s3_blob_store import S3BlobStore
from wtb_async.infrastructure.files.s3_connection import connect_s3

BUCKET = "bucket"


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """An S3 protocol server with a bucket, for the session; tests use prefixes of their own."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "key")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        environment.setenv("AWS_REGION", "us-east-1")
        httpx2.put(f"{endpoint}/{BUCKET}").raise_for_status()
        yield endpoint
    server.stop()


@pytest.fixture
def file_threads() -> Iterator[FileThreads]:
    threads = FileThreads(4)
    yield threads
    threads.close()


@pytest.fixture(params=["local", "s3"])
def raw_store(request: pytest.FixtureRequest, tmp_path: Path) -> LocalStore | S3Store:
    """What a store of each kind keeps its blobs in, to meddle with them."""
    if request.param == "local":
        return LocalStore(tmp_path / "store", mkdir=True)
    endpoint: str = request.getfixturevalue("s3_endpoint")
    return connect_s3(f"s3://{BUCKET}/{uuid4().hex}", endpoint)


@pytest.fixture
def blobs(
    raw_store: LocalStore | S3Store, tmp_path: Path, file_threads: FileThreads
) -> LocalBlobStore | S3BlobStore:
    """An empty store of each kind."""
    if isinstance(raw_store, S3Store):
        return S3BlobStore(raw_store, tmp_path / "store" / "cache", file_threads)
    return LocalBlobStore(tmp_path / "store", file_threads)


def blob_of(content: bytes) -> Blob:
    """The name of a content."""
    return Blob(hashlib.sha256(content).hexdigest(), len(content))


def write_file(folder: Path, content: bytes) -> tuple[Path, Blob]:
    """A new file with this content."""
    file = folder / uuid4().hex
    file.write_bytes(content)
    return file, blob_of(content)


async def store_content(blobs: BlobStore, folder: Path, content: bytes) -> Blob:
    """Put a content into the store by way of a file."""
    file, blob = write_file(folder, content)
    await blobs.put(file, blob)
    return blob


async def read_all(blobs: BlobStore, blob: Blob) -> bytes:
    return b"".join([piece async for piece in blobs.read(blob)])

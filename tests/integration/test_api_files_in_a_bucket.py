"""The same routes when the contents are in a store elsewhere."""

import io
import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest
from arranging import API_KEY, accept, register
from blob_stores import BUCKET, store_content
from file_history import keep_manifests
from redis.asyncio import Redis
from served_api import Caller, problem_of
from stored_files import memento_of

from api.app import build_app
from api.backend import Backend
from api.streams.hub import EventHub
from wtb_async.bootstrap.platform import ServerPlatform, open_platform
from wtb_async.infrastructure.redis.live_event_reader import LiveEventReader
from wtb_async.sdk.in_process_transport import InProcessTransport
from wtb_async.settings import FileSettings, Settings


@pytest.fixture
async def bucket_platform(
    settings: Settings, redis: Redis, s3_endpoint: str, tmp_path: Path
) -> AsyncIterator[ServerPlatform]:
    """The parts of a server whose settings name a bucket."""
    del redis
    files = FileSettings(
        folder=tmp_path, store_url=f"s3://{BUCKET}/{uuid4().hex}", store_endpoint=s3_endpoint
    )
    settings = settings.model_copy(update={"files": files})
    async with open_platform(settings, role="test", pool_size=4) as platform:
        yield platform


@pytest.fixture
async def bucket_caller(bucket_platform: ServerPlatform) -> AsyncIterator[Caller]:
    """Somebody who calls that server without a network."""

    @asynccontextmanager
    async def backend() -> AsyncIterator[Backend]:
        live = LiveEventReader(bucket_platform.redis)
        yield Backend(bucket_platform, EventHub(), live, [])

    app = build_app(bucket_platform.settings, backend)
    headers = {"Authorization": f"Bearer {API_KEY}"}
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(
            transport=InProcessTransport(app), base_url="http://in-process", headers=headers
        ) as http,
    ):
        yield Caller(http)


async def test_files_are_listed_read_and_packed_from_a_bucket(
    bucket_platform: ServerPlatform, bucket_caller: Caller, tmp_path: Path
) -> None:
    contents = {"a": b"0123456789", "b/c": b"x"}
    blobs = bucket_platform.files.blobs
    for content in contents.values():
        await store_content(blobs, tmp_path, content)
    uow_factory = bucket_platform.database.unit_of_work
    plan = await accept(uow_factory, await register(uow_factory))
    [planned] = plan.executions
    manifest = {path: memento_of(content) for path, content in contents.items()}
    [commit] = await keep_manifests(uow_factory(), manifest)
    async with uow_factory() as uow:
        await uow.files.link(planned.thread_id, "1", commit)
        await uow.commit()
    path = f"/executions/{planned.execution_id}"
    page = (await bucket_caller.get(f"{path}/files")).json()
    assert [each["path"] for each in page["items"]] == ["a", "b/c"]
    url = f"/api/v1{path}/files/a"
    assert (await bucket_caller.http.get(url)).content == b"0123456789"
    part = await bucket_caller.http.get(url, headers={"Range": "bytes=3-4"})
    assert (part.status_code, part.content) == (206, b"34")
    packed = (await bucket_caller.get(f"{path}/archive")).content
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
        assert archive.getnames() == ["a", "b/c"]
    await blobs.delete([each.blob.sha256 for each in manifest.values() if each.blob])
    problem_of(await bucket_caller.get(f"{path}/files/a"), 500, "blob_missing")

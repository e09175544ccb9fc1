"""Fixtures: the platform in this process, and the API as a process of its own."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx2
import pytest
from arranging import API_KEY, register, settings_for
from cuttable_line import CuttableLine, cuttable_line
from redis.asyncio import Redis
from served_api import Caller, files_of, served_api

from wtb_async.bootstrap.database import prepare_database
from wtb_async.bootstrap.platform import ServerPlatform, open_platform
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.embedded import EmbeddedServices
from wtb_async.infrastructure.embedded.ports import free_port
from wtb_async.infrastructure.postgres.database import Database, open_database
from wtb_async.settings import FileSettings, Settings, asyncpg_url


@pytest.fixture
def settings(database_url: str, services: EmbeddedServices, tmp_path: Path) -> Settings:
    """A database and a folder for files of its own, the projects of the tests, short times."""
    files = FileSettings(folder=tmp_path / "files")
    return settings_for(database_url, services.redis_url).model_copy(update={"files": files})


@pytest.fixture
async def platform(settings: Settings, redis: Redis) -> AsyncIterator[ServerPlatform]:
    """The parts that every process has, on an emptied Redis."""
    del redis
    async with open_platform(settings, role="test", pool_size=8) as opened:
        yield opened


class DatabaseServer(Protocol):
    """What the session's database server does for us."""

    def create(self) -> str:
        """A new, empty database; answers its address."""

    def drop(self, url: str) -> None:
        """Remove it."""


@dataclass(frozen=True)
class ServedApi:
    """An API process, the database that it serves, and the line between them."""

    url: str
    database_url: str
    line: CuttableLine
    ray_port: int
    """Where the API looks for the head of Ray; nobody listens there."""
    files: Path
    """Where it keeps its files."""


@pytest.fixture(scope="session")
async def api(
    database_server: DatabaseServer,
    services: EmbeddedServices,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[ServedApi]:
    """One API process for all tests that only call it; each uses names of its own."""
    database_url = database_server.create()
    await asyncio.to_thread(prepare_database, database_url)
    ray_port = free_port()
    folder = tmp_path_factory.mktemp("api")
    async with (
        cuttable_line(database_url) as line,
        served_api(line.url, services.redis_url, ray_port=ray_port, folder=folder) as url,
    ):
        yield ServedApi(url, database_url, line, ray_port, files_of(folder))
    database_server.drop(database_url)


@pytest.fixture
async def caller(api: ServedApi) -> AsyncIterator[Caller]:
    """Somebody with a valid key."""
    headers = {"Authorization": f"Bearer {API_KEY}"}
    async with httpx2.AsyncClient(base_url=api.url, headers=headers, timeout=30.0) as http:
        yield Caller(http)


@pytest.fixture
async def served(api: ServedApi) -> AsyncIterator[Database]:
    """The database of the API process."""
    opened = open_database(asyncpg_url(api.database_url), pool_size=4, application_name="test")
    yield opened
    await opened.close()


@pytest.fixture
async def letters(served: Database) -> Workflow:
    """A workflow of the letters project with a name of its own, in the database of the API."""
    return await register(served.unit_of_work, f"letters {secrets.token_hex(4)}", project="letters")

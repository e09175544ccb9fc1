"""Real servers for all tests, and a fresh migrated database for each test that asks for one."""

import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import httpcore2  # noqa: F401 - httpx2 imports it late, and pytester's inline runs would forget it
import psycopg
import pytest
from api_fixtures import api, caller, letters, platform, served, settings
from blob_stores import blobs, file_threads, raw_store, s3_endpoint
from command_routes import bed
from controlling import stations, stations_runner
from files_fixtures import served_blobs, stored
from inner_pytest import plugin_alone
from local_benches import bench
from psycopg import sql
from redis.asyncio import Redis
from stack_fixtures import client, stack
from wtb_server import stand_in, stand_in_server

from wtb_async.bootstrap.database import prepare_database
from wtb_async.infrastructure.embedded import EmbeddedServices, embedded_services
from wtb_async.infrastructure.postgres.database import Database, open_database
from wtb_async.infrastructure.redis.client import open_redis
from wtb_async.settings import asyncpg_url

__all__ = [  # Fixtures that live beside what they stand on.
    "api",
    "bed",
    "bench",
    "blobs",
    "caller",
    "client",
    "file_threads",
    "letters",
    "platform",
    "plugin_alone",
    "raw_store",
    "s3_endpoint",
    "served",
    "served_blobs",
    "settings",
    "stack",
    "stand_in",
    "stand_in_server",
    "stations",
    "stations_runner",
    "stored",
]

TEMPLATE = "wtb_template"
WHOLE_STACKS = ("acceptance", "faults")
"""The folders of tests that start whole stacks."""


@pytest.hookimpl(tryfirst=True)  # xdist reads the marks in the same hook.
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together what shares costly things when several processes run the tests.

    Whole stacks live one at a time, and a file's servers serve all of its tests.
    """
    for item in items:
        folder = item.path.parent.name
        if folder != "unit":
            group = "whole stacks" if folder in WHOLE_STACKS else item.path.stem
            item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServices]:
    """Postgres and Redis, for the whole session."""
    with embedded_services(tmp_path_factory.mktemp("services")) as running:
        yield running


@dataclass(frozen=True)
class DatabaseServer:
    """Makes databases: empty ones, or clones of a migrated template."""

    admin_url: str

    def url_of(self, name: str) -> str:
        return self.admin_url.rpartition("/")[0] + f"/{name}"

    def create(self, *, template: str = "template0") -> str:
        """A new database; answers its address."""
        name = f"test_{secrets.token_hex(6)}"
        command = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._execute(command.format(sql.Identifier(name), sql.Identifier(template)))
        return self.url_of(name)

    def create_template(self) -> None:
        self._execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
        prepare_database(self.url_of(TEMPLATE))

    def drop(self, url: str) -> None:
        name = url.rpartition("/")[2]
        self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _execute(self, command: sql.Composed) -> None:
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(command)


@pytest.fixture(scope="session")
def database_server(services: EmbeddedServices) -> DatabaseServer:
    return DatabaseServer(services.database_url)


@pytest.fixture(scope="session")
def migrated(database_server: DatabaseServer) -> DatabaseServer:
    """The server, with a migrated template."""
    database_server.create_template()
    return database_server


@pytest.fixture
def empty_database_url(database_server: DatabaseServer) -> Iterator[str]:
    """A database without any table."""
    url = database_server.create()
    yield url
    database_server.drop(url)


@pytest.fixture
def database_url(migrated: DatabaseServer) -> Iterator[str]:
    """A database of the newest schema that nobody else uses."""
    url = migrated.create(template=TEMPLATE)
    yield url
    migrated.drop(url)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = open_database(asyncpg_url(database_url), pool_size=8, application_name="test")
    yield opened
    await opened.close()


@pytest.fixture
async def redis(services: EmbeddedServices) -> AsyncIterator[Redis]:
    """A client of an emptied Redis."""
    assert services.redis_url is not None
    client = open_redis(services.redis_url)
    await client.flushall()
    yield client
    await client.aclose()

"""What many tests of this folder stand on."""

from collections.abc import AsyncIterator

import pytest
from arranging import settings_for
from redis.asyncio import Redis

from wtb_async.bootstrap.platform import Platform, open_platform
from wtb_async.infrastructure.embedded import EmbeddedServices
from wtb_async.settings import Settings


@pytest.fixture
def settings(database_url: str, services: EmbeddedServices) -> Settings:
    """A database of its own, the projects of the tests, short times."""
    return settings_for(database_url, services.redis_url)


@pytest.fixture
async def platform(settings: Settings, redis: Redis) -> AsyncIterator[Platform]:
    """The parts that every process has, on an emptied Redis."""
    del redis
    async with open_platform(settings, role="test", pool_size=8) as opened:
        yield opened

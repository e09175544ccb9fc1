"""Which parts one stack has, and their addresses."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from wtb_async.infrastructure.embedded.credentials import Credentials
from wtb_async.infrastructure.embedded.layout import DataDirectory, RuntimeFolder
from wtb_async.infrastructure.embedded.parts import PartSpec
from wtb_async.infrastructure.embedded.ports import claim_port, free_port
from wtb_async.infrastructure.embedded.postgres import PostgresServer
from wtb_async.infrastructure.embedded.ray_head import RayHead
from wtb_async.infrastructure.embedded.readiness import why_not_ready
from wtb_async.infrastructure.embedded.record import StackAddresses
from wtb_async.infrastructure.embedded.redis import RedisServer
from wtb_async.infrastructure.embedded.services import Services
from wtb_async.infrastructure.embedded.settings import LocalStackSettings


@dataclass(frozen=True)
class Assembly:
    """Everything that is to be started, and how it will be found."""

    parts: tuple[PartSpec, ...]
    addresses: StackAddresses
    env: dict[str, str] = field(repr=False)
    why_not_ready: Callable[[StackAddresses], str | None] = why_not_ready
    """Asked once every part is ready by itself."""


Assemble = Callable[[LocalStackSettings, DataDirectory, RuntimeFolder], Assembly]


def assemble(settings: LocalStackSettings, data: DataDirectory, runtime: RuntimeFolder) -> Assembly:
    """Plan the stack that the settings describe; raises PortTaken."""
    credentials = Credentials.of(data)
    postgres = PostgresServer.of(data, credentials)
    redis = RedisServer.of(data, credentials)
    ray = RayHead(port=free_port(), token_file=data.ray_token, temp_dir=runtime.ray)
    api_port = claim_port(settings.port, "--port")
    flower_port = claim_port(settings.flower_port, "--flower-port")
    addresses = StackAddresses(
        api_url=f"http://127.0.0.1:{api_port}",
        api_key=credentials.api_key,
        flower_url=f"http://127.0.0.1:{flower_port}",
        flower_user=credentials.flower_user,
        flower_password=credentials.flower_password,
        database_url=settings.database_url or postgres.url,
        redis_url=settings.redis_url or redis.url,
        ray_address=settings.ray_address or ray.address,
        logs=str(data.logs),
    )
    env = _environment(settings, addresses, ray) | {"WTB_FILES__FOLDER": str(data.files)}
    services = Services(
        env=env,
        flower_env={"FLOWER_BASIC_AUTH": f"{addresses.flower_user}:{addresses.flower_password}"},
        api_port=api_port,
        flower_port=flower_port,
        run_dir=data.run,
        project=settings.project,
    )
    foundation = [
        # Ray takes longest, so it starts first.
        None if settings.ray_address else ray.part(cwd=_nodes_folder(settings), env=env),
        None if settings.redis_url else redis.part(),
        None if settings.database_url else postgres.part(),
    ]
    parts = (*(part for part in foundation if part), *services.parts())
    return Assembly(parts, addresses, env)


def _environment(
    settings: LocalStackSettings, addresses: StackAddresses, ray: RayHead
) -> dict[str, str]:
    given_ray = {"RAY_ADDRESS": addresses.ray_address}
    return {
        "WTB_DATABASE_URL": addresses.database_url,
        "WTB_REDIS_URL": addresses.redis_url,
        "WTB_API_KEY": addresses.api_key,
        "WTB_PROJECTS": str(settings.project.resolve()) if settings.project else "",
        **(given_ray if settings.ray_address else ray.driver_env()),
    }


def _nodes_folder(settings: LocalStackSettings) -> Path:
    return settings.project.resolve().parent if settings.project else Path.cwd()

"""The runners of a pool as detached Ray actors."""

import asyncio
from typing import Any, cast

import ray
from ray.actor import ActorClass, ActorHandle
from ray.exceptions import RayError

from wtb_async.domain.errors import TransientError
from wtb_async.infrastructure.ray.driver import connect_driver

NAMESPACE = "wtb"
CALL_TIMEOUT_SECONDS = 60.0


class RayRunnerPool:
    """Starts named actors when they are missing and wakes them.

    Args:
        ray_address: where the Ray head is.
        actor_class: the actor; its constructor takes `settings`.
        settings: passed to each actor as it is.
    """

    def __init__(
        self, ray_address: str, actor_class: ActorClass[Any], settings: dict[str, Any]
    ) -> None:
        self._ray_address = ray_address
        self._actor_class = actor_class
        self._settings = settings

    async def ensure(self, pool: str, count: int) -> None:
        """Have at least `count` runners of the pool working, and wake all of them.

        Raises:
            TransientError: Ray is away; the runners, if they live, go on by themselves.
        """
        try:
            await asyncio.to_thread(self._ensure, pool, count)
        except (RayError, ConnectionError, TimeoutError, ValueError) as error:
            # A driver whose local node has died stays useless even after the node is back.
            await asyncio.to_thread(ray.shutdown)
            raise TransientError(f"Ray does not answer: {error}") from error

    def _ensure(self, pool: str, count: int) -> None:
        connect_driver(self._ray_address, NAMESPACE)
        actors = [self._actor(pool, number) for number in range(count)]
        ray.get([actor.work.remote() for actor in actors], timeout=CALL_TIMEOUT_SECONDS)

    def _actor(self, pool: str, number: int) -> ActorHandle[Any]:
        name = f"runner-{pool}-{number}"
        actor = self._actor_class.options(
            name=name,
            namespace=NAMESPACE,
            lifetime="detached",
            get_if_exists=True,
            num_cpus=0.01,  # Nodes with no CPU to give, such as a head, host no runner.
            max_concurrency=100,
            max_restarts=-1,
            max_task_retries=0,
            scheduling_strategy="SPREAD",
        ).remote(name=name, pool=pool, settings=self._settings)
        return cast("ActorHandle[Any]", actor)

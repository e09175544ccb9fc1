"""The runners of a pool as detached Ray actors."""

import asyncio
from collections.abc import Sequence
from time import monotonic
from typing import Any, cast

import ray
from ray.actor import ActorClass, ActorHandle
from ray.exceptions import RayError

from wtb_async.domain.errors import TransientError
from wtb_async.infrastructure.ray.driver import connect_driver

NAMESPACE = "wtb"
ANSWER_SECONDS = 0.5
"""A runner whose process stands still must not hold up the one who wakes it."""
SILENCE_SECONDS = 20.0
"""How long no runner at all may answer before the connection to Ray is taken for broken."""


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
        self._silent_since: float | None = None

    async def ensure(self, pool: str, names: Sequence[str]) -> None:
        """Have the runners of these names working for the pool, and wake them.

        Raises:
            TransientError: Ray is away; the runners, if they live, go on by themselves.
        """
        try:
            await asyncio.to_thread(self._ensure, pool, names)
        except (RayError, ConnectionError, TimeoutError, ValueError) as error:
            # A driver whose local node has died stays useless even after the node is back.
            await asyncio.to_thread(ray.shutdown)
            raise TransientError(f"Ray does not answer: {error}") from error

    def _ensure(self, pool: str, names: Sequence[str]) -> None:
        connect_driver(self._ray_address, NAMESPACE)
        actors = [self._actor(pool, name) for name in names]
        calls: list[ray.ObjectRef[None]] = [actor.work.remote() for actor in actors]
        answered, _ = ray.wait(calls, num_returns=len(calls), timeout=ANSWER_SECONDS)
        ray.get(answered)
        self._note(is_silent=not answered)

    def _note(self, *, is_silent: bool) -> None:
        """Raise TimeoutError after too long a silence: new actors need seconds to answer."""
        if not is_silent:
            self._silent_since = None
            return
        now = monotonic()
        self._silent_since = self._silent_since or now
        if now - self._silent_since > SILENCE_SECONDS:
            self._silent_since = None
            raise TimeoutError("no runner answers")

    def _actor(self, pool: str, name: str) -> ActorHandle[Any]:
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

"""The real runner without the Ray actor around it: `RunnerLoop` on this process's event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from arranging import eventually

from wtb_async.application.runs.runner import RunnerLoop
from wtb_async.bootstrap.runner import open_runner
from wtb_async.infrastructure.redis.nudges import listen_for_wakes
from wtb_async.settings import Settings


class LivingRunner:
    """One name, one life after another; a life ends without good-bye, as with `kill -9`."""

    def __init__(self, new_life: Callable[[], RunnerLoop]) -> None:
        self._new_life = new_life
        self.deaf = False
        """Whether hints about requests get lost on the way."""
        self.live()

    def wake(self) -> None:
        """There may be new runs."""
        self.loop.wake()

    def heed(self) -> None:
        """Something may be asked of its runs."""
        if not self.deaf:
            self.loop.heed()

    async def until_asked(self) -> None:
        """Return once it knows that something is asked of its runs."""

        async def asked() -> bool:
            return bool(self.loop._requests)

        await eventually(asked)

    def live(self) -> None:
        """Begin a new life."""
        self.loop = self._new_life()
        self.task = asyncio.create_task(self.loop.run())

    async def die(self) -> None:
        """Stop at once: graphs are cancelled, what they held stays as it was."""
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


@asynccontextmanager
async def living_runner(settings: Settings, name: str = "runner-1") -> AsyncIterator[LivingRunner]:
    """A runner that works until the end of the block, unless it dies before."""

    def revoke(run_id: str) -> None:
        raise AssertionError(f"nobody revokes {run_id} here")

    async with open_runner(settings, name=name, pool="default", on_revoke=revoke) as (
        platform,
        new_life,
    ):
        runner = LivingRunner(new_life)
        hearing = asyncio.create_task(
            listen_for_wakes(
                platform.redis, "default", on_runs=runner.wake, on_requests=runner.heed
            )
        )
        yield runner
        hearing.cancel()
        await runner.die()

"""The real runner without the Ray actor around it: `RunnerLoop` on this process's event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from wtb_async.application.runs.runner import RunnerLoop
from wtb_async.bootstrap.runner import open_runner
from wtb_async.settings import Settings


class LivingRunner:
    """One name, one life after another; a life ends without good-bye, as with `kill -9`."""

    def __init__(self, new_life: Callable[[], RunnerLoop]) -> None:
        self._new_life = new_life
        self.live()

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

    async with open_runner(settings, name=name, pool="default", on_revoke=revoke) as (_, new_life):
        runner = LivingRunner(new_life)
        yield runner
        await runner.die()

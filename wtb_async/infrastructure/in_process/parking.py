"""Keeps runs waiting whose functions this process does not have yet."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import structlog

from wtb_async.application.runs.park_runs import CanLoad
from wtb_async.application.runs.repositories import RunChoice
from wtb_async.domain.errors import InvalidInput, WtbError
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.in_process.work import RETRY_SECONDS
from wtb_async.infrastructure.langgraph.code_source import CodeSources

log = structlog.get_logger(__name__)


class Parking:
    """Looks which runs can be executed: once before the first claim, and when there is new code.

    Args:
        sources: where the code is.
        park: sorts the open runs; answers the names of workflows that have to wait.
        wake_runner: called when runs may have come back.
    """

    def __init__(
        self,
        sources: CodeSources,
        park: Callable[[CanLoad], Awaitable[set[str]]],
        wake_runner: Callable[[], None],
    ) -> None:
        self._sources = sources
        self._park = park
        self._wake_runner = wake_runner
        self._changed = asyncio.Event()

    def look_again(self) -> None:
        """There is new code."""
        self._changed.set()

    async def look(self) -> None:
        """Sort the open runs."""
        if waiting := await self._park(self._can_load):
            log.warning("runs_wait_for_their_project", workflows=sorted(waiting))
        self._wake_runner()

    async def run(self) -> None:
        """Look whenever there is new code, until cancelled; a look that failed is repeated."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self.look()
            except WtbError as error:
                log.warning("runs_not_looked_for", error=repr(error))
                await asyncio.sleep(RETRY_SECONDS)
                self._changed.set()

    def _can_load(self, workflow: Workflow, choice: RunChoice) -> bool:
        try:
            source = self._sources.get(workflow.project)
            for reference in _references(workflow, choice):
                source.check_reference(reference)
        except InvalidInput:
            return False
        return True


def _references(workflow: Workflow, choice: RunChoice) -> Iterator[str]:
    """What has to be loaded; a variant that is gone fails its runs whenever they are executed."""
    if choice.workflow_variant is None:
        yield workflow.graph
    elif whole := workflow.find_workflow_variant(choice.workflow_variant):
        yield whole.graph
    for node, name in choice.variants.items():
        if variant := workflow.find_node_variant(node, name):
            yield variant.implementation

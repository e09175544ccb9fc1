"""The run whose graph the current task belongs to, and what its nodes get from it."""

from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID, uuid5

from langchain_core.runnables import RunnableConfig

from wtb_async.application.runs.claims import ClaimedRun
from wtb_async.infrastructure.workspaces.node_workspace import NodeWorkspace
from wtb_async.infrastructure.workspaces.run_workspace import RunWorkspace

IDEMPOTENCY_KEY = "wtb_idempotency_key"
"""Where a node finds its key: `config["configurable"]["wtb_idempotency_key"]`."""
WORKSPACE = "wtb_workspace"
"""Where a node finds its workspace, as a path: `config["configurable"]["wtb_workspace"]`."""


@dataclass(frozen=True, slots=True)
class ActiveRun:
    """What of a run its nodes live by."""

    timeline_id: UUID
    node_timeout_seconds: float | None
    recursion_limit: int
    workspace: RunWorkspace | None

    @classmethod
    def of(cls, run: ClaimedRun, workspace: RunWorkspace | None) -> "ActiveRun":
        """The run that has been claimed."""
        limits = run.limits
        return cls(run.timeline_id, limits.node_timeout_seconds, limits.recursion_limit, workspace)

    def config_for(
        self, config: RunnableConfig, task_id: str, workspace: NodeWorkspace | None
    ) -> RunnableConfig:
        """The config of one task, with its idempotency key and the workspace.

        The key is made of the timeline and the task: the same for every attempt of the same step,
        after a crash too, and another one once somebody rolls back or branches. Graphs that the
        node calls have the whole recursion limit, whatever the run itself has left of it.
        """
        configurable = {
            **config.get("configurable", {}),
            IDEMPOTENCY_KEY: str(uuid5(self.timeline_id, task_id)),
        }
        if workspace is not None:
            configurable[WORKSPACE] = workspace
        return {**config, "recursion_limit": self.recursion_limit, "configurable": configurable}


ACTIVE_RUN: ContextVar[ActiveRun | None] = ContextVar("wtb_active_run", default=None)

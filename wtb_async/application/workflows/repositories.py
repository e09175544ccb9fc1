"""What workflows need from the database."""

from typing import Protocol
from uuid import UUID

from wtb_async.domain.workflow import Workflow


class WorkflowRepository(Protocol):
    """Workflows with their variants."""

    def add(self, workflow: Workflow) -> None:
        """Keep a new workflow; its name must be free when the unit of work commits."""

    async def get(self, name_or_id: str | UUID, *, for_update: bool = False) -> Workflow:
        """The workflow with its variants. Raises NotFound."""

    async def find(self, name: str) -> Workflow | None:
        """The workflow with this name, locked for a change, or None."""

"""What the database knows of the directories in which executions keep files."""

from collections.abc import Collection, Mapping
from typing import Protocol
from uuid import UUID


class WorkspaceRepository(Protocol):
    """Workspaces by their threads, and the machines on which they are."""

    async def in_use(self, thread_ids: Collection[UUID]) -> Mapping[UUID, bool]:
        """Those of the threads that executions stand on; True while one of these goes on."""

    async def record(self, host: str, folders: Mapping[UUID, str]) -> None:
        """Note that a machine has these directories, by thread, and no others any more."""

"""Removes the directories that no execution needs any more."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from wtb_async.application.ports import UnitOfWorkFactory


@dataclass(frozen=True, slots=True)
class FoundWorkspace:
    """A directory of this machine."""

    path: str
    kept: bool
    """It outlives the end of its execution."""


class WorkspacesOnDisk(Protocol):
    """The directories of one machine."""

    async def found(self) -> Mapping[UUID, FoundWorkspace] | None:
        """All of them, by thread; None when this machine has never had any."""

    async def remove(self, thread_ids: Collection[UUID]) -> set[UUID]:
        """Remove those in which nobody works, and what was left of others; answers which."""


async def sweep_workspaces(
    uow_factory: UnitOfWorkFactory, disk: WorkspacesOnDisk, *, host: str
) -> int:
    """Remove the workspaces of ended, rolled back and lost runs; answers how many.

    What a living process works in stays, whatever the database says of it. Several sweeps at once
    do no harm.
    """
    found = await disk.found()
    if found is None:
        return 0
    async with uow_factory() as uow:
        in_use = await uow.workspaces.in_use(found)
    unneeded = {
        thread_id
        for thread_id, workspace in found.items()
        if not (in_use.get(thread_id) or (workspace.kept and thread_id in in_use))
    }
    removed = await disk.remove(unneeded)
    left = {key: workspace.path for key, workspace in found.items() if key not in removed}
    async with uow_factory() as uow:
        await uow.workspaces.record(host, left)
        await uow.commit()
    return len(removed)

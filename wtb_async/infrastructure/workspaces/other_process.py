"""Working in a workspace from another process than the one that has opened it."""

from dataclasses import dataclass
from pathlib import Path

from wtb_async.infrastructure.workspaces.capabilities import (
    give_up_writing_to_read_only_files,
    writes_to_read_only_files,
)
from wtb_async.infrastructure.workspaces.index import WorkspaceIndex
from wtb_async.infrastructure.workspaces.link_guard import link_guard
from wtb_async.infrastructure.workspaces.stored import INDEX


@dataclass(frozen=True, slots=True)
class _OpenedElsewhere:
    path: Path
    index: WorkspaceIndex


def work_in(workspace: Path) -> None:
    """Let this process write to a workspace as its owner does, and to nothing that is shared.

    To be called in a process that runs one node, before it has other threads. A process of root
    gives up to write to read-only files, if the workspace has links to blobs.

    Raises:
        OSError: it has, and the kernel does not allow to give that up.
    """
    index = WorkspaceIndex.load(workspace.parent / INDEX, None)
    if index is None or not index.linked_files:
        return
    if writes_to_read_only_files():
        give_up_writing_to_read_only_files()
    link_guard().add(_OpenedElsewhere(workspace, index))

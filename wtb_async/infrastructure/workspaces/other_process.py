"""Working in a workspace from another process than the one that has opened it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from wtb_async.infrastructure.workspaces.capabilities import (
    give_up_writing_to_read_only_files,
    writes_to_read_only_files,
)
from wtb_async.infrastructure.workspaces.index import WorkspaceIndex
from wtb_async.infrastructure.workspaces.link_guard import link_guard
from wtb_async.infrastructure.workspaces.stored import INDEX

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _OpenedElsewhere:
    path: Path
    index: WorkspaceIndex


def respect_links() -> None:
    """Let the kernel refuse what would write through a link to a blob, also to root.

    To be called before the process has other threads. Where the kernel does not allow to give that
    up, the runner could not either, and its workspaces have copies instead of links.
    """
    if not writes_to_read_only_files():
        return
    try:
        give_up_writing_to_read_only_files()
    except OSError as error:
        log.warning("root_not_given_up", error=repr(error))


@contextmanager
def working_in(workspace: Path) -> Iterator[None]:
    """Within the block, Python code writes to the workspace as in the process of its owner.

    Where the workspace has links to blobs, a file gets a copy of its own first.
    """
    index = WorkspaceIndex.load(workspace.parent / INDEX, None)
    if index is None or not index.linked_files:
        yield
        return
    opened = _OpenedElsewhere(workspace, index)
    link_guard().add(opened)
    try:
        yield
    finally:
        link_guard().remove(opened)

"""What the workspaces of a runner's process stand on."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from wtb_async.bootstrap.files import ProcessFiles
from wtb_async.domain.file_limits import FileLimits
from wtb_async.infrastructure.checkpoints.group_commit_saver import GroupCommitSaver
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.infrastructure.workspaces.directories import WorkspaceDirectories
from wtb_async.infrastructure.workspaces.file_keeper import FileKeeper
from wtb_async.infrastructure.workspaces.run_workspace import WorkspaceMachinery
from wtb_async.infrastructure.workspaces.source_commits import SourceCommits
from wtb_async.infrastructure.workspaces.sources import SourceFolders
from wtb_async.settings import FileSettings


@contextmanager
def open_workspaces(
    settings: FileSettings, database: Database, saver: GroupCommitSaver
) -> Iterator[WorkspaceMachinery]:
    """Workspaces below the folder of the settings, until the end of the block."""
    files = ProcessFiles(settings, database)
    directories = WorkspaceDirectories(settings.folder, files.blobs, files.threads)
    keeper = FileKeeper(database.unit_of_work, files.blobs)
    try:
        yield WorkspaceMachinery(
            directories=directories,
            keeper=keeper,
            sources=SourceCommits(
                SourceFolders(settings.folder, files.threads),
                keeper,
                remember_seconds=settings.garbage_grace_seconds / 2,
            ),
            limits=FileLimits(
                max_files=settings.max_files,
                max_file_bytes=settings.max_file_bytes,
                max_workspace_bytes=settings.max_workspace_bytes,
            ),
            log=saver.files,
            note=saver.write_workspace,
            host=socket.gethostname(),
        )
    finally:
        directories.close()
        files.close()

"""What the workspaces of a runner's process stand on."""

import socket
from functools import cached_property

from wtb_async.bootstrap.files import ProcessFiles
from wtb_async.domain.file_limits import FileLimits
from wtb_async.infrastructure.checkpoints.file_log import WorkspaceRow
from wtb_async.infrastructure.checkpoints.group_commit_saver import GroupCommitSaver
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.infrastructure.workspaces.directories import WorkspaceDirectories
from wtb_async.infrastructure.workspaces.file_keeper import FileKeeper
from wtb_async.infrastructure.workspaces.source_commits import SourceCommits
from wtb_async.infrastructure.workspaces.sources import SourceFolders
from wtb_async.settings import FileSettings


class ProcessWorkspaces:
    """Workspaces below the folder of the settings; nothing is made before a run needs it."""

    def __init__(
        self,
        settings: FileSettings,
        database: Database,
        saver: GroupCommitSaver,
        *,
        may_give_up_root: bool,
    ) -> None:
        # Nodes may change the working directory of this process.
        self._folder = settings.folder.absolute()
        self._settings = settings
        self._database = database
        self._saver = saver
        self._files = ProcessFiles(settings, database)
        self._may_give_up_root = may_give_up_root
        self.log = saver.files
        self.host = socket.gethostname()
        self.limits = FileLimits(
            max_files=settings.max_files,
            max_file_bytes=settings.max_file_bytes,
            max_workspace_bytes=settings.max_workspace_bytes,
        )

    @cached_property
    def directories(self) -> WorkspaceDirectories:
        """The workspaces of this machine."""
        return WorkspaceDirectories(
            self._folder,
            self._files.blobs,
            self._files.threads,
            may_give_up_root=self._may_give_up_root,
        )

    @cached_property
    def keeper(self) -> FileKeeper:
        """Makes commits."""
        return FileKeeper(self._database.unit_of_work, self._files.blobs)

    @cached_property
    def sources(self) -> SourceCommits:
        """What workspaces begin with."""
        folders = SourceFolders(self._folder, self._files.threads)
        seconds = self._settings.garbage_grace_seconds / 2
        return SourceCommits(folders, self.keeper, remember_seconds=seconds)

    async def note(self, row: WorkspaceRow) -> None:
        """Commit what became of a workspace."""
        await self._saver.write_workspace(row)

    def close(self) -> None:
        """Let go of what was made; no run is executed any more."""
        if "directories" in self.__dict__:
            self.directories.close()
        self._files.close()

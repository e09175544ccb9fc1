"""What the workspaces of a runner's process stand on."""

from collections.abc import Callable
from functools import cached_property

from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.file_limits import FileLimits
from wtb_async.infrastructure.checkpoints.file_log import FileLog
from wtb_async.infrastructure.workspaces.archives import WorkspaceArchives
from wtb_async.infrastructure.workspaces.directories import WorkspaceDirectories
from wtb_async.infrastructure.workspaces.file_keeper import FileKeeper
from wtb_async.infrastructure.workspaces.source_commits import SourceCommits
from wtb_async.infrastructure.workspaces.sources import SourceFolders


class ProcessWorkspaces:
    """Workspaces below the folder of the settings; nothing is made before a run needs it."""

    def __init__(
        self, platform: Platform, log: FileLog, renew_threads: Callable[[], object] | None
    ) -> None:
        """`renew_threads` is that of `WorkspaceDirectories`."""
        self._settings = settings = platform.settings.files
        # Nodes may change the working directory of this process.
        self._folder = settings.folder.absolute()
        self._uow = platform.database.unit_of_work
        self._files = platform.files
        self._renew_threads = renew_threads
        self.log = log
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
            renew_threads=self._renew_threads,
        )

    @cached_property
    def keeper(self) -> FileKeeper:
        """Makes commits."""
        return FileKeeper(self._uow, self._files.blobs)

    @cached_property
    def sources(self) -> SourceCommits:
        """What workspaces begin with."""
        folders = SourceFolders(self._folder, self._files.threads)
        seconds = self._settings.garbage_grace_seconds / 2
        return SourceCommits(folders, self.keeper, remember_seconds=seconds)

    @cached_property
    def archives(self) -> WorkspaceArchives:
        """What is left of executions that have ended."""
        return WorkspaceArchives(self._folder, self._files.blobs, self._files.threads)

    def close(self) -> None:
        """Let go of what was made; no run is executed any more."""
        if "directories" in self.__dict__:
            self.directories.close()

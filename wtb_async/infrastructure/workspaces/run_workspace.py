"""The workspace of one run: there when a node wants it, kept as it goes, and left again."""

import asyncio
import threading
from typing import Protocol

from wtb_async.application.runs.claims import ClaimedRun
from wtb_async.domain.errors import PermanentError
from wtb_async.domain.file_commit import FileCommit
from wtb_async.domain.file_limits import FileLimits
from wtb_async.domain.run import RunStatus
from wtb_async.infrastructure.checkpoints.file_log import FileLog, ThreadFiles
from wtb_async.infrastructure.checkpoints.thread_head import ThreadHead
from wtb_async.infrastructure.langgraph.workspace_settings import (
    Snapshots,
    WhenEnded,
    WorkspaceSettings,
)
from wtb_async.infrastructure.workspaces.archives import WorkspaceArchives
from wtb_async.infrastructure.workspaces.directories import WorkspaceDirectories
from wtb_async.infrastructure.workspaces.directory import Fate, WorkspaceDirectory
from wtb_async.infrastructure.workspaces.file_keeper import FileKeeper
from wtb_async.infrastructure.workspaces.joining import JoinedWork
from wtb_async.infrastructure.workspaces.node_workspace import NodeWorkspace
from wtb_async.infrastructure.workspaces.rules import WorkspaceRules
from wtb_async.infrastructure.workspaces.source_commits import SourceCommits

ENDED = frozenset({RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED})
"""The ends of a run that are those of its execution, too."""


class WorkspaceClosed(PermanentError):
    """The run has ended; its workspace is nobody's any more."""

    code = "workspace_closed"


class WorkspaceMachinery(Protocol):
    """What the workspaces of all runs of a process stand on; made when a run needs it."""

    limits: FileLimits
    log: FileLog

    @property
    def directories(self) -> WorkspaceDirectories:
        """The workspaces of this machine."""

    @property
    def keeper(self) -> FileKeeper:
        """Makes commits."""

    @property
    def sources(self) -> SourceCommits:
        """What workspaces begin with."""

    @property
    def archives(self) -> WorkspaceArchives:
        """What is left of executions that have ended."""


class RunWorkspace:
    """Where the nodes of a run have their files.

    A run whose nodes never ask has no directory, no scan and no row, unless there are files to
    begin with. Attempts of a node within a run go on with the files that the last one left.
    """

    def __init__(
        self, machinery: WorkspaceMachinery, run: ClaimedRun, settings: WorkspaceSettings
    ) -> None:
        self._machinery = machinery
        self._run = run
        self._settings = settings
        self._rules = WorkspaceRules(
            limits=machinery.limits,
            ignore=settings.ignore,
            copy=settings.copy,
            keep_when_ended=settings.when_ended is WhenEnded.KEEP,
        )
        self._commit: FileCommit | None = None
        self._log: ThreadFiles | None = None
        self._directory: WorkspaceDirectory | None = None
        self._was_asked_for = False
        self._is_closed = False
        self._beginning = threading.Lock()
        self._opening: asyncio.Task[None] | None = None
        self._scanning = asyncio.Lock()
        self._keeping = JoinedWork(self._keep_now)

    def stand_at(self, head: ThreadHead) -> None:
        """Take note of what the thread has, before anything is written to it."""
        if head.file_commit_id is None:
            return
        # What an earlier run told its nodes may be known to this one's without their asking.
        self._was_asked_for = True
        log = self._open_log()
        log.newest = log.linked = head.file_commit_id
        log.of_checkpoint = head.file_commit_id if head.has_files_of_its_own else None

    async def open(self) -> None:
        """Let the directory hold the files that the run begins with, if there are any.

        Raises:
            WorkspaceInUse, TransientError: another run is leaving it, or the store is away.
            WtbError: the source folder cannot be kept.
        """
        if self._log is not None or self._settings.source is not None:
            # Who is cancelled meanwhile must still learn of the lock that this takes.
            self._opening = asyncio.create_task(self._open())
            await asyncio.shield(self._opening)

    async def _open(self) -> None:
        found = None
        if self._log is not None:
            found = await self._machinery.keeper.newest(self._run.thread_id)
        elif self._settings.source is not None:
            found = await self._machinery.sources.get(self._settings.source, self._rules)
        if found is None:
            return
        self._commit, manifest = found
        self._take(
            await self._machinery.directories.open(self._run.thread_id, manifest, self._rules)
        ).newest = self._commit.id

    def for_node(self) -> NodeWorkspace:
        """The workspace as one visit of a node sees it."""
        return NodeWorkspace(self.path)

    def path(self) -> str:
        """The directory, which is made at the first call. Raises WorkspaceClosed, WorkspaceInUse.

        Any thread may ask.
        """
        self._was_asked_for = True
        with self._beginning:
            if self._is_closed:
                raise WorkspaceClosed("the run has ended, and its workspace with it")
            if self._directory is None:
                self._take(self._machinery.directories.begin(self._run.thread_id, self._rules))
            return str(self._found().path)

    async def after_node(self, workspace: NodeWorkspace) -> None:
        """Keep the files if this is the time to; the writes of the node are stored after that.

        Raises:
            WtbError: they cannot be kept: a limit, or what no file system elsewhere could hold.
        """
        if workspace.is_to_be_kept or self._settings.snapshots is Snapshots.NODE:
            await self.keep()

    async def keep(self) -> None:
        """Keep what has changed. Raises what `after_node` raises."""
        directory = self._directory
        if directory is None or not self._was_asked_for:
            return
        if self._scanning.locked() or not directory.is_unchanged():
            await self._keeping.result()

    def close_unused(self) -> bool:
        """Close it at once if nobody ever wanted it; answers whether it is closed."""
        with self._beginning:
            self._is_closed = self._opening is None and self._directory is None
            if self._is_closed:
                self._machinery.log.close(str(self._run.thread_id))
            return self._is_closed

    async def close(self, status: RunStatus | None) -> None:
        """Leave the directory to the next run of the thread, or remove it.

        Args:
            status: how the run has ended; None when it is lost.
        """
        self._machinery.log.close(str(self._run.thread_id))
        if self._opening is not None:
            await asyncio.gather(self._opening, return_exceptions=True)
        with self._beginning:
            self._is_closed = True
        if self._directory is not None:
            await self._leave(self._directory, status)

    async def _leave(self, directory: WorkspaceDirectory, status: RunStatus | None) -> None:
        async with self._scanning:
            await directory.close(self._fate(status))
        if status in ENDED and self._settings.when_ended is WhenEnded.ARCHIVE:
            _, manifest = await self._machinery.keeper.newest(self._run.thread_id) or (None, {})
            await self._machinery.archives.write(self._run.execution_id, manifest)

    def _fate(self, status: RunStatus | None) -> Fate:
        if status is None or status is RunStatus.PAUSED:
            return Fate.KEEP
        if status is RunStatus.SPLIT:
            return Fate.REMOVE  # The executions go on on threads of their own.
        return Fate.KEEP if self._settings.when_ended is WhenEnded.KEEP else Fate.REMOVE

    async def _keep_now(self) -> None:
        async with self._scanning:
            if self._directory is None or self._log is None or self._is_closed:
                return
            kept = await self._machinery.keeper.keep(self._commit, self._directory.scan)
            if kept is not None:
                scan, self._commit = kept
                self._directory.accept(scan)
                self._log.newest = self._commit.id

    def _take(self, directory: WorkspaceDirectory) -> ThreadFiles:
        self._directory = directory
        return self._log or self._open_log()

    def _open_log(self) -> ThreadFiles:
        self._log = log = self._machinery.log.open(str(self._run.thread_id))
        if self._settings.snapshots is Snapshots.SUPERSTEP:
            log.before_checkpoint = self.keep
        elif self._settings.snapshots is Snapshots.NODE:
            log.before_inner = self.keep
        return log

    def _found(self) -> WorkspaceDirectory:
        assert self._directory is not None  # noqa: S101 - the callers have opened it
        return self._directory

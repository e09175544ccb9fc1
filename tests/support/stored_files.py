"""Executions with files, as a runner would have left them: for tests of those who read them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from api_fixtures import ServedApi
from blob_stores import blob_of, write_file
from factories import NOW
from file_history import keep_manifests
from served_api import Caller
from stock_runs import run

from wtb_async.application.files.blob_store import BlobStore
from wtb_async.domain.file_commit import FileKind, FileMemento, Manifest
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.postgres.database import Database

Contents = Mapping[str, bytes | FileMemento]
"""By path: the content of an ordinary file, or what else is there."""

NOW_NS = int(NOW.timestamp()) * 10**9


def link_to(target: str) -> FileMemento:
    return FileMemento(kind=FileKind.SYMLINK, mode=0o777, mtime_ns=NOW_NS, target=target)


def empty_directory() -> FileMemento:
    return FileMemento(kind=FileKind.DIRECTORY, mode=0o755, mtime_ns=NOW_NS)


def script(content: bytes) -> FileMemento:
    """A file that may be executed; its content must be in the store by another name."""
    return FileMemento(kind=FileKind.FILE, mode=0o755, mtime_ns=NOW_NS, blob=blob_of(content))


@dataclass(frozen=True)
class StoredExecution:
    """An execution that has run, with files at its checkpoints."""

    path: str
    """Below the API's prefix."""
    thread_id: UUID
    checkpoints: list[str]
    """Oldest first; the files of the n-th are the n-th contents."""

    @property
    def id(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def files(self) -> str:
        return f"{self.path}/files"


class StoredFiles:
    """Makes executions that have files."""

    def __init__(
        self,
        api: ServedApi,
        caller: Caller,
        database: Database,
        blobs: BlobStore,
        workflow: Workflow,
    ) -> None:
        self._api = api
        self._caller = caller
        self._database = database
        self._blobs = blobs
        self._workflow = workflow

    async def execution(self, *contents: Contents) -> StoredExecution:
        """One that had these contents after each of its supersteps; the last ones stay."""
        path = await run(self._api, self._caller, self._workflow, do="")
        timeline = (await self._caller.get(f"{path}/checkpoints")).json()["items"][::-1]
        execution = StoredExecution(
            path, UUID(timeline[0]["thread_id"]), [each["checkpoint_id"] for each in timeline]
        )
        manifests = [await self._stored(each) for each in contents]
        commits = await keep_manifests(self._database.unit_of_work(), *manifests)
        async with self._database.unit_of_work() as uow:
            for checkpoint_id, commit_id in zip(execution.checkpoints, commits, strict=False):
                await uow.files.link(execution.thread_id, checkpoint_id, commit_id)
            await uow.commit()
        return execution

    async def _stored(self, contents: Contents) -> Manifest:
        given = {each for each in contents.values() if isinstance(each, bytes)}
        with TemporaryDirectory() as folder:
            for content in given:
                file, blob = await asyncio.to_thread(write_file, Path(folder), content)
                await self._blobs.put(file, blob)
        return {path: memento_of(content) for path, content in contents.items()}


def memento_of(content: bytes | FileMemento) -> FileMemento:
    """What a content stands for."""
    if isinstance(content, FileMemento):
        return content
    return FileMemento(kind=FileKind.FILE, mode=0o644, mtime_ns=NOW_NS, blob=blob_of(content))

"""The integrity check finds what is wrong with files, and restores contents from workspaces."""

import os
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

import pytest
from arranging import change, select
from blob_stores import read_all
from checking import check, damage, found_in
from controlling import Stations
from file_history import blob_of, keep_manifests, manifest_of

from wtb_async.application.files.blob_store import BlobStore
from wtb_async.application.maintenance.verify_events import verify_events
from wtb_async.bootstrap.files import ProcessFiles
from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.domain.integrity import Finding
from wtb_async.infrastructure.files.blob_restoring import BlobRestoring
from wtb_async.infrastructure.files.file_threads import FileThreads
from wtb_async.infrastructure.files.object_key import object_key
from wtb_async.settings import FileSettings

pytestmark = pytest.mark.usefixtures("stations_runner")

CONTENTS = {"a": "one", "b": "two", "empty": ""}


@dataclass(frozen=True)
class Kept:
    """An execution whose last checkpoint has files, in a store and a workspace of its own."""

    platform: Platform
    thread_id: UUID
    store: Path
    workspace: Path

    def object(self, content: str) -> Path:
        return self.store / object_key(blob_of(content).sha256)

    def flip_a_bit(self, content: str) -> None:
        """As a disk does it, without a word to the file system."""
        file = self.object(content)
        status = file.stat()
        file.chmod(0o644)
        data = bytearray(file.read_bytes())
        data[0] ^= 1
        file.write_bytes(data)
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.fixture
async def kept(stations: Stations, tmp_path: Path) -> AsyncIterator[Kept]:
    execution_id = await stations.start()
    done = await stations.when(execution_id, ExecutionStatus.COMPLETED)
    assert done.checkpoint_id is not None
    database = stations.platform.database
    files = ProcessFiles(FileSettings(folder=tmp_path / "store"), database)
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    for name, content in CONTENTS.items():
        (workspace / name).write_text(content)
        await files.blobs.put(workspace / name, blob_of(content))
    [_, commit_id] = await keep_manifests(
        database.unit_of_work(), manifest_of(a="one"), manifest_of(**CONTENTS)
    )
    async with database.unit_of_work() as uow:
        await uow.files.link(done.thread_id, done.checkpoint_id, commit_id)
        await uow.commit()
    await change(
        database,
        "INSERT INTO wtb_workspaces (thread_id, host, path) VALUES (:thread, :host, :path)",
        thread=done.thread_id,
        host=socket.gethostname(),
        path=str(workspace),
    )
    platform = replace(stations.platform, files=files)
    yield Kept(platform, done.thread_id, tmp_path / "store", workspace)
    files.close()


def wrong(found: dict[str, list[str]]) -> dict[str, list[str]]:
    """What was found, but for the events that no relay takes here."""
    return {name: subjects for name, subjects in found.items() if name != "stuck_events"}


async def test_what_real_runs_wrote_is_no_finding_wherever_it_was_taken(
    stations: Stations,
) -> None:
    execution_id = await stations.start(a="write", b="write", c="write")
    await stations.when(execution_id, ExecutionStatus.COMPLETED)
    for restores_files in (True, False):
        await stations.roll_back(execution_id, before_node="c", restores_files=restores_files)
        await stations.resume(execution_id)
        done = await stations.when(execution_id, ExecutionStatus.COMPLETED)
    assert done.checkpoint_id is not None
    branch_id = await stations.branch(execution_id, done.checkpoint_id, state={"note": "other"})
    await stations.when(branch_id, ExecutionStatus.COMPLETED)
    factory = stations.platform.database.unit_of_work
    assert await verify_events(uow_factory=factory, chunk_size=1000, settle_seconds=0.0) == 0
    assert wrong(found_in(await check(stations.platform, deep=True))) == {}


async def test_files_that_are_as_they_were_are_no_finding(kept: Kept) -> None:
    assert wrong(found_in(await check(kept.platform, deep=True))) == {}


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("DELETE FROM wtb_file_commits", "file_links"),
        ("DELETE FROM wtb_threads", "file_links"),
        ("DELETE FROM checkpoints", "file_links"),
        ("DELETE FROM wtb_file_commits WHERE parent_id IS NULL", "file_commits"),
        ("DELETE FROM wtb_file_commits", "file_contents"),
        ("DELETE FROM wtb_file_blobs", "file_contents"),
        ("UPDATE wtb_file_blobs SET stored_at = NULL", "file_contents"),
    ],
)
async def test_rows_that_are_gone_are_found(kept: Kept, statement: str, found: str) -> None:
    await damage(kept.platform.database, statement)
    report = await check(kept.platform)
    [result] = [each for each in report.results if each.check == found]
    assert (result.found > 0, result.severity) == (True, "critical")


async def test_a_missing_and_a_short_content_are_found_by_a_look_at_their_ends(kept: Kept) -> None:
    kept.object("one").unlink()
    kept.object("two").chmod(0o644)
    kept.object("two").write_text("t")
    found = wrong(found_in(await check(kept.platform)))
    assert found == {"lost_blobs": sorted(blob_of(each).sha256 for each in ("one", "two"))}


async def test_a_flipped_bit_is_found_by_a_deep_check_only(kept: Kept) -> None:
    kept.flip_a_bit("two")
    assert wrong(found_in(await check(kept.platform))) == {}
    found = wrong(found_in(await check(kept.platform, deep=True)))
    assert found == {"altered_blobs": [blob_of("two").sha256]}


async def test_contents_come_back_from_a_workspace_that_has_them(kept: Kept) -> None:
    kept.object("one").unlink()
    await kept.platform.files.blobs.local_file(blob_of("two"))
    kept.flip_a_bit("two")
    tried = await check(kept.platform, "lost_blobs", "altered_blobs", deep=True)
    assert [each.repaired for each in tried.results if each.found] == [0] * 3
    assert not kept.object("one").exists(), "a dry run changes nothing"
    report = await check(kept.platform, "lost_blobs", "altered_blobs", deep=True, dry_run=False)
    mended = {each.check: each.repaired for each in report.results if each.repaired}
    assert mended == {"lost_blobs": 1, "altered_blobs": 1}
    assert wrong(found_in(await check(kept.platform, deep=True))) == {}
    assert kept.object("one").read_text() == "one"


async def test_a_content_comes_back_from_the_copy_of_a_store_elsewhere(
    kept: Kept, blobs: BlobStore, file_threads: FileThreads
) -> None:
    blob = blob_of("one")
    await blobs.put(kept.workspace / "a", blob)
    copy = await blobs.local_file(blob)
    (kept.workspace / "a").unlink()
    await blobs.delete([blob.sha256])
    restoring = BlobRestoring(kept.platform.database.engine, blobs, file_threads)
    has_copy = copy.exists()
    assert await restoring.restore([Finding(blob.sha256, "missing")]) == has_copy
    if has_copy:
        assert await read_all(blobs, blob) == b"one"


async def test_a_content_that_nobody_has_any_more_is_stored_again_by_who_has_it_next(
    kept: Kept,
) -> None:
    kept.object("one").unlink()
    (kept.workspace / "a").write_text("written over")
    report = await check(kept.platform, "lost_blobs", dry_run=False)
    assert [each.repaired for each in report.results if each.check == "lost_blobs"] == [0]
    async with kept.platform.database.unit_of_work() as uow:
        claims = await uow.files.claim_blobs([blob_of("one")])
        await uow.commit()
    assert claims.missing == {blob_of("one").sha256}
    assert "file_contents" in found_in(await check(kept.platform)), "until then it is lost"


async def test_what_is_condemned_is_no_finding(kept: Kept) -> None:
    kept.object("one").unlink()
    await change(
        kept.platform.database,
        "UPDATE wtb_file_blobs SET claimed_at = NULL WHERE sha256 = :sha256",
        sha256=blob_of("one").sha256,
    )
    assert "lost_blobs" not in found_in(await check(kept.platform))
    [row] = await select(kept.platform.database, "SELECT count(*) AS n FROM wtb_file_blobs")
    assert row["n"] == len(CONTENTS)

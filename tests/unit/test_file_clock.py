"""Whether a change can be told from the look before it."""

import os
from dataclasses import replace
from pathlib import Path

from workspaces import RULES

from wtb_async.infrastructure.workspaces.clock import ClockReader, FileClock
from wtb_async.infrastructure.workspaces.index import WorkspaceIndex, signature_of
from wtb_async.infrastructure.workspaces.walk import Walk

APART = FileClock(None)


def walk(folder: Path, known: WorkspaceIndex, clock: FileClock) -> WorkspaceIndex:
    root = os.open(folder, os.O_RDONLY)
    try:
        return known if known.holds(root) else Walk(known, RULES, clock).through(root)
    finally:
        os.close(root)


def test_what_was_changed_since_the_last_tick_is_in_doubt(tmp_path: Path) -> None:
    status = tmp_path.stat()
    assert FileClock(status.st_ctime_ns).signature(status) == ()
    assert FileClock(status.st_ctime_ns + 1).signature(status) == signature_of(status)
    assert APART.signature(status) == signature_of(status)


def test_a_clock_is_read_from_the_file_system_itself(tmp_path: Path) -> None:
    reader = ClockReader(tmp_path)
    assert list(tmp_path.iterdir()) == []
    reader.read()
    reader.close()


def test_what_is_in_doubt_is_read_again_until_it_is_not(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("1")
    in_doubt = walk(tmp_path, WorkspaceIndex(), FileClock(0))
    entry = in_doubt.entries["file"]
    assert entry.signature == ()
    # As if it had been written to in the same tick after it was read.
    unread = replace(entry.memento, blob=None)
    stale = WorkspaceIndex({"file": replace(entry, memento=unread)}, in_doubt.directories)
    found = walk(tmp_path, stale, APART)
    assert found.manifest == in_doubt.manifest
    assert walk(tmp_path, found, APART) is found

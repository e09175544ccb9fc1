"""What counts as a difference between two mementos of a path."""

from dataclasses import replace

import pytest
from file_history import file_of

from wtb_async.domain.file_commit import FileKind, FileMemento
from wtb_async.domain.file_difference import FileChange, difference_at

ONE = file_of("one")
LINK = FileMemento(kind=FileKind.SYMLINK, mode=0o777, mtime_ns=5, target="a")


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (None, ONE, FileChange.ADDED),
        (ONE, None, FileChange.REMOVED),
        (ONE, file_of("two"), FileChange.CHANGED),
        (ONE, file_of("two", mode=0o755), FileChange.CHANGED),
        (ONE, LINK, FileChange.CHANGED),
        (LINK, replace(LINK, target="b"), FileChange.CHANGED),
        (ONE, file_of("one", mode=0o755), FileChange.MODE),
    ],
)
def test_a_difference_says_what_has_changed(
    before: FileMemento | None, after: FileMemento | None, change: FileChange
) -> None:
    found = difference_at("a", before, after)
    assert found is not None
    assert (found.change, found.before, found.after) == (change, before, after)


def test_a_file_that_was_only_written_again_is_the_same() -> None:
    assert difference_at("a", ONE, replace(ONE, mtime_ns=6)) is None
    assert difference_at("a", None, None) is None

"""What a commit of a manifest stores."""

from file_history import file_of, next_commit

from wtb_async.domain.file_commit import FileCommit, Manifest


def test_ten_changes_among_ten_thousand_files_write_eleven_rows() -> None:
    before = {f"{number}": file_of("old") for number in range(10_000)}
    first = next_commit(None, {}, before)
    after = before | {f"{number}": file_of("new") for number in range(10)}
    second = next_commit(first.commit, before, after)
    assert len(second.changes) == 10
    assert second.commit.parent_id == first.commit.id


def test_a_long_chain_ends_in_a_commit_stored_whole() -> None:
    one = {f"{number}": file_of("x") for number in range(400)}
    other = {f"{number}": file_of("y") for number in range(400)}
    before: Manifest = {}
    parent: FileCommit | None = None
    parents = []
    for manifest in (one, other, one, other, one, other, one):
        new = next_commit(parent, before, manifest)
        parents.append(new.commit.parent_id is None)
        parent, before = new.commit, manifest
    assert parents == [True, False, False, False, True, False, False]

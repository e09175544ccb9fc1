"""What differs between two moments, over the API."""

from blob_stores import blob_of
from served_api import Caller, fields_of, problem_of, walked
from stored_files import Contents, StoredFiles, empty_directory, link_to, script

from wtb_async.application.files.diff_files import MAX_PAGE_BYTES
from wtb_async.application.ids import new_id
from wtb_async.domain.text_diff import MAX_TEXT_BYTES


async def test_two_checkpoints_differ_in_what_was_done_between_them(
    caller: Caller, stored: StoredFiles
) -> None:
    before: Contents = {
        "gone": b"bye\n",
        "link": link_to("same"),
        "notes": b"one\ntwo\n",
        "photo": b"\x00\x01",
        "run": b"go\n",
        "same": b"same",
    }
    after: Contents = {
        "empty": empty_directory(),
        "link": link_to("notes"),
        "new": b"hello",
        "notes": b"one\nthree\n",
        "photo": b"\x00\x02",
        "run": script(b"go\n"),
        "same": b"same",
    }
    execution = await stored.execution(before, after)
    first, second, *_ = execution.checkpoints
    query = {"from": first, "to": second}
    found = (await caller.get(f"{execution.files}/diff", **query)).json()
    assert [(each["path"], each["change"], each["diff"]) for each in found["items"]] == [
        ("empty", "added", None),
        ("gone", "removed", "--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-bye\n"),
        ("link", "changed", None),
        (
            "new",
            "added",
            "--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+hello\n\\ No newline at end of file\n",
        ),
        ("notes", "changed", "--- a/notes\n+++ b/notes\n@@ -1,2 +1,2 @@\n one\n-two\n+three\n"),
        ("photo", "changed", None),
        ("run", "mode", None),
    ]
    photo = found["items"][5]
    assert [photo[side]["sha256"] for side in ("before", "after")] == [
        blob_of(each).sha256 for each in (b"\x00\x01", b"\x00\x02")
    ]
    head = (await caller.get(f"{execution.files}/diff", **{"from": first})).json()
    assert head == found
    same = (await caller.get(f"{execution.files}/diff", **{"from": second})).json()
    assert (same["items"], same["before_commit_id"]) == ([], found["after_commit_id"])


async def test_two_executions_are_compared_at_any_checkpoint(
    caller: Caller, stored: StoredFiles
) -> None:
    one = await stored.execution({"a": b"1\n"}, {"a": b"2\n"})
    other = await stored.execution({"a": b"3\n"}, {"a": b"2\n"})
    same = await caller.get(f"{one.files}/diff", against=other.id)
    assert same.json()["items"] == []
    query = {"against": other.id, "from": one.checkpoints[0], "to": other.checkpoints[0]}
    [found] = (await caller.get(f"{one.files}/diff", **query)).json()["items"]
    assert found["diff"].endswith("-1\n+3\n")
    query = {"against": one.id, "to": one.checkpoints[0]}
    [found] = (await caller.get(f"{other.files}/diff", **query)).json()["items"]
    assert found["diff"].endswith("-2\n+1\n")


async def test_differences_come_in_pages_and_for_some_paths_only(
    caller: Caller, stored: StoredFiles
) -> None:
    names = ["a", "a/b", "c", "d", "e"]
    execution = await stored.execution({}, dict.fromkeys(names, b"x"))
    first = execution.checkpoints[0]
    query = {"from": first, "limit": 2}
    assert await walked(caller, f"{execution.files}/diff", **query) == names
    url = f"/api/v1{execution.files}/diff"
    some = await caller.http.get(url, params={"from": first, "path": ["a", "none"]})
    assert [each["path"] for each in some.json()["items"]] == ["a", "a/b"]


async def test_large_texts_are_told_by_their_hashes(caller: Caller, stored: StoredFiles) -> None:
    line = b"x" * 99 + b"\n"
    fits = line * (MAX_TEXT_BYTES // len(line))
    many = {f"{n:02}": fits + str(n).encode() for n in range(MAX_PAGE_BYTES // MAX_TEXT_BYTES + 2)}
    execution = await stored.execution({}, many | {"large": line + fits + line})
    query = {"from": execution.checkpoints[0]}
    items = (await caller.get(f"{execution.files}/diff", **query)).json()["items"]
    shown = [each["path"] for each in items if each["diff"] is not None]
    assert shown == sorted(many)[: MAX_PAGE_BYTES // MAX_TEXT_BYTES]
    assert all(each["after"]["sha256"] for each in items)


async def test_what_is_compared_must_be_said_and_be_there(
    caller: Caller, stored: StoredFiles
) -> None:
    execution = await stored.execution({"a": b"x"})
    path, checkpoint = f"{execution.files}/diff", execution.checkpoints[0]
    assert fields_of(await caller.get(path, to=checkpoint)) == ["from"]
    assert fields_of(await caller.get(path, against="x")) == ["against"]
    wrong = {"against": execution.id, "path": ""}
    assert fields_of(await caller.http.get(f"/api/v1{path}", params=wrong)) == ["path.0"]
    for query in ({"against": new_id()}, {"from": new_id()}, {"from": checkpoint, "to": new_id()}):
        problem_of(await caller.get(path, **query), 404, "not_found")
    problem_of(await caller.get(path), 404, "not_found")

"""Files over the API: lists and contents at every checkpoint, in part and under conditions."""

from urllib.parse import quote

import pytest
from api_fixtures import ServedApi
from blob_stores import blob_of
from served_api import Caller, fields_of, problem_of, walked
from stored_files import StoredFiles, empty_directory, link_to, script

from wtb_async.application.ids import new_id
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.files.object_key import object_key

PREFIX = "/api/v1"


async def test_files_are_those_of_the_head_or_of_a_checkpoint(
    caller: Caller, stored: StoredFiles
) -> None:
    execution = await stored.execution({}, {"a": b"one"}, {"a": b"two", "b": b""})
    shown = []
    for checkpoint in (None, *execution.checkpoints):
        query = {"checkpoint_id": checkpoint} if checkpoint else {}
        page = (await caller.get(execution.files, **query)).json()
        shown.append([each["path"] for each in page["items"]])
        if page["items"]:
            content = await caller.get(f"{execution.files}/a", **query)
            shown[-1].append(content.text)
    assert shown == [["a", "b", "two"], [], ["a", "one"], ["a", "b", "two"], ["a", "b", "two"]]


async def test_every_kind_of_path_is_shown_as_it_was(caller: Caller, stored: StoredFiles) -> None:
    execution = await stored.execution(
        {"a": b"x", "run": script(b"x"), "link": link_to("a"), "nothing": empty_directory()}
    )
    page = (await caller.get(execution.files)).json()
    file = {
        "path": "a",
        "kind": "file",
        "size": 1,
        "mode": 0o644,
        "modified_at": "2026-03-04T05:06:07Z",
        "sha256": blob_of(b"x").sha256,
        "target": None,
    }
    link = {"kind": "symlink", "mode": 0o777, "size": None, "sha256": None, "target": "a"}
    folder = {"kind": "directory", "mode": 0o755, "size": None, "sha256": None}
    assert page["items"] == [
        file,
        file | link | {"path": "link"},
        file | folder | {"path": "nothing"},
        file | {"path": "run", "mode": 0o755},
    ]
    assert page["file_commit_id"]
    for path, what in (("link", "symbolic link to 'a'"), ("nothing", "empty directory")):
        problem = problem_of(await caller.get(f"{execution.files}/{path}"), 409, "not_a_file")
        assert what in problem["detail"]


async def test_pages_follow_the_bytes_of_the_paths(caller: Caller, stored: StoredFiles) -> None:
    names = ["B", "a", "a b", "a/b", "a/c%", "b", "é", "\U0001f600"]
    execution = await stored.execution(dict.fromkeys(reversed(names), b"x"))
    assert await walked(caller, execution.files, limit=3) == names
    below = (await caller.get(execution.files, prefix="a/")).json()
    assert [each["path"] for each in below["items"]] == ["a/b", "a/c%"]


async def test_an_execution_without_files_has_an_empty_list(
    caller: Caller, letters: Workflow
) -> None:
    accepted = await caller.execute(letters.name)
    path = f"/executions/{accepted['id']}"
    page = (await caller.get(f"{path}/files")).json()
    assert page == {"items": [], "next_cursor": None, "file_commit_id": None}
    problem_of(await caller.get(f"{path}/files/a"), 404, "not_found")
    assert (await caller.get(f"{path}/archive", format="zip")).content.startswith(b"PK\5\6")


async def test_what_is_not_there_is_not_found(caller: Caller, stored: StoredFiles) -> None:
    execution = await stored.execution({"a": b"x"})
    nothing = f"/executions/{new_id()}"
    for path in (f"{nothing}/files", f"{nothing}/files/a", f"{nothing}/archive"):
        problem_of(await caller.get(path), 404, "not_found")
    for path in (execution.files, f"{execution.files}/a", f"{execution.path}/archive"):
        problem_of(await caller.get(path, checkpoint_id=new_id()), 404, "not_found")
        assert fields_of(await caller.get(path, checkpoint_id="x")) == ["checkpoint_id"]
    for name in ("b", "a/", "%2e%2e%2fa", "..%2f..%2fetc%2fpasswd", "%2fetc%2fpasswd", "A"):
        problem_of(await caller.get(f"{execution.files}/{name}"), 404, "not_found")
    assert fields_of(await caller.get(f"{execution.files}/a%00b")) == ["path"]
    for name, value in (("cursor", "!"), ("cursor", "AA"), ("cursor", "_w"), ("limit", 201)):
        assert fields_of(await caller.get(execution.files, **{name: value})) == [name]
    assert fields_of(await caller.get(f"{execution.path}/archive", format="rar")) == ["format"]


async def test_a_stranger_sees_nothing(api: ServedApi, stored: StoredFiles, caller: Caller) -> None:
    execution = await stored.execution({"a": b"x"})
    caller.http.headers.pop("Authorization")
    for path in (execution.files, f"{execution.files}/a", f"{execution.path}/archive"):
        problem_of(await caller.http.get(f"{api.url}{PREFIX}{path}"), 401, "unauthorized")
    head = await caller.http.head(f"{api.url}{PREFIX}{execution.files}/a")
    assert head.status_code == 401


async def test_a_range_is_answered_as_a_part(caller: Caller, stored: StoredFiles) -> None:
    execution = await stored.execution({"a": b"0123456789"})
    url, etag = f"{PREFIX}{execution.files}/a", f'"{blob_of(b"0123456789").sha256}"'
    for asked, status, content, content_range in (
        ("bytes=2-4", 206, b"234", "bytes 2-4/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=0-1,3-4", 200, b"0123456789", None),
    ):
        answer = await caller.http.get(url, headers={"Range": asked, "If-Range": etag})
        assert (answer.status_code, answer.content) == (status, content)
        assert answer.headers.get("content-range") == content_range
        assert answer.headers["content-length"] == str(len(content))
        assert (answer.headers["accept-ranges"], answer.headers["etag"]) == ("bytes", etag)
    behind = await caller.http.get(url, headers={"Range": "bytes=10-"})
    problem_of(behind, 416, "range_not_satisfiable")
    assert behind.headers["content-range"] == "bytes */10"


async def test_a_content_that_is_known_is_not_sent_again(
    caller: Caller, stored: StoredFiles
) -> None:
    execution = await stored.execution({"a": b"0123456789"})
    url = f"{PREFIX}{execution.files}/a"
    head = await caller.http.head(url, headers={"Range": "bytes=1-2"})
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == "10"
    known = await caller.http.get(url, headers={"If-None-Match": head.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")
    assert known.headers["etag"] == head.headers["etag"]


@pytest.mark.parametrize(
    ("name", "kind", "disposition"),
    [
        ("notes.txt", "text/plain; charset=utf-8", "inline"),
        ("page.html", "text/html; charset=utf-8", "attachment"),
        ("drawing.svg", "image/svg+xml", "attachment"),
        ("code.js", "text/javascript; charset=utf-8", "attachment"),
        ('é ".bin\r\n', "application/octet-stream", "attachment"),
        ("notes.txt.gz", "application/octet-stream", "attachment"),
    ],
)
async def test_nothing_that_a_node_wrote_runs_in_a_browser(
    caller: Caller, stored: StoredFiles, name: str, kind: str, disposition: str
) -> None:
    execution = await stored.execution({name: b"<script>"})
    answer = await caller.http.get(f"{PREFIX}{execution.files}/{quote(name)}")
    assert answer.content == b"<script>"
    assert answer.headers["content-type"] == kind
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["content-disposition"].startswith(f"{disposition}; filename*=UTF-8''")


async def test_a_blob_that_is_missing_or_altered_is_told(
    caller: Caller, stored: StoredFiles, api: ServedApi
) -> None:
    for content, code in ((b"altered here", "blob_altered"), (b"missing here", "blob_missing")):
        execution = await stored.execution({"a": content}, {"a": b"x"})
        object_file = api.files / object_key(blob_of(content).sha256)
        object_file.chmod(0o644)
        object_file.write_bytes(content.upper())
        if code == "blob_missing":
            object_file.unlink()
        first, second, *_ = execution.checkpoints
        for path in ("files/a", "archive"):
            answer = await caller.get(f"{execution.path}/{path}", checkpoint_id=first)
            problem_of(answer, 500, code)
        differing = {"from": first, "to": second}
        problem_of(await caller.get(f"{execution.files}/diff", **differing), 500, code)


async def test_a_file_may_be_called_diff(caller: Caller, stored: StoredFiles) -> None:
    execution = await stored.execution({"diff": b"a diff", "diff-2": b""})
    assert (await caller.get(f"{execution.files}/diff")).content == b"a diff"
    assert (await caller.http.head(f"{PREFIX}{execution.files}/diff")).status_code == 200

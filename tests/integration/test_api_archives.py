"""Whole workspaces and large files, as they come over the line."""

import io
import os
import tarfile
import zipfile

import httpx2
import pytest
from api_fixtures import ServedApi
from blob_stores import blob_of
from served_api import Caller
from stored_files import Contents, StoredFiles, empty_directory, link_to, script

from wtb_async.infrastructure.files.object_key import object_key

LARGE = os.urandom(9 << 20)
"""More than two pieces of the store."""
FILES: Contents = {
    "a": b"go",
    "a/run": script(b"go"),
    "empty": empty_directory(),
    "large": LARGE,
    "link": link_to("a"),
    **{f"many/{number:03}": str(number).encode() for number in range(70)},
}


async def test_an_archive_holds_all_files_of_a_moment(caller: Caller, stored: StoredFiles) -> None:
    execution = await stored.execution(FILES, {})
    query = {"checkpoint_id": execution.checkpoints[0]}
    packed = await caller.get(f"{execution.path}/archive", **query)
    assert packed.headers["content-type"] == "application/gzip"
    assert f"{execution.id}.tar.gz" in packed.headers["content-disposition"]
    with tarfile.open(fileobj=io.BytesIO(packed.content), mode="r:gz") as archive:
        assert archive.getnames() == sorted(FILES)
        assert archive.getmember("link").linkname == "a"
        large = archive.extractfile("large")
        assert large is not None
        assert large.read() == LARGE
    zipped = await caller.get(f"{execution.path}/archive", **query, format="zip")
    assert zipped.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(zipped.content)) as archive:
        assert archive.testzip() is None
        assert archive.read("many/069") == b"69"


@pytest.mark.parametrize("archive_format", ["tar.gz", "zip"])
async def test_the_same_files_make_the_same_archive(
    caller: Caller, stored: StoredFiles, archive_format: str
) -> None:
    some = {path: FILES[path] for path in ("a", "a/run", "empty", "link")}
    one, other = await stored.execution(some), await stored.execution({}, some)
    archives = [
        (await caller.get(f"{each.path}/archive", format=archive_format)).content
        for each in (one, other)
    ]
    assert archives[0] == archives[1]


async def test_a_part_of_a_large_file_is_read_alone(caller: Caller, stored: StoredFiles) -> None:
    execution = await stored.execution({"large": LARGE})
    url = f"/api/v1{execution.files}/large"
    part = await caller.http.get(url, headers={"Range": f"bytes={5 << 20}-{(8 << 20) + 4}"})
    assert part.content == LARGE[5 << 20 : (8 << 20) + 5]
    assert (await caller.http.get(url)).content == LARGE


async def test_what_turns_out_to_be_altered_is_not_sent_to_its_end(
    caller: Caller, stored: StoredFiles, api: ServedApi
) -> None:
    content = LARGE[::-1]
    execution = await stored.execution({"large": content})
    object_file = api.files / object_key(blob_of(content).sha256)
    object_file.chmod(0o644)
    object_file.write_bytes(content[:-1] + b"?")
    for path in (f"{execution.files}/large", f"{execution.path}/archive"):
        with pytest.raises(httpx2.RemoteProtocolError):
            await caller.get(path)
    assert (await caller.get(execution.files)).status_code == 200

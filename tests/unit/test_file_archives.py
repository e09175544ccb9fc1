"""Archives hold what the mementos say, and are the same bytes every time."""

import gc
import io
import stat
import tarfile
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from file_history import file_of

from wtb_async.application.files.archive_formats import ArchiveFormat, new_archive
from wtb_async.domain.file_commit import FileKind, FileMemento
from wtb_async.domain.file_path import UnsafePath

AT = datetime(2026, 3, 4, 5, 6, 8, tzinfo=UTC)
AT_NS = int(AT.timestamp()) * 10**9
LONG = "/".join(["long" * 20] * 5)
MEMBERS: dict[str, tuple[FileMemento, str]] = {
    "a/b.txt": (file_of("text", mode=0o755), "text"),
    "a/é ü.txt": (file_of("", mode=0o600), ""),
    "empty": (FileMemento(kind=FileKind.DIRECTORY, mode=0o700, mtime_ns=AT_NS), ""),
    "link": (
        FileMemento(kind=FileKind.SYMLINK, mode=0o777, mtime_ns=AT_NS + 5, target="a/b.txt"),
        "",
    ),
    LONG: (file_of("x" * 1000), "x" * 1000),
}


def packed(
    archive_format: ArchiveFormat, members: Mapping[str, tuple[FileMemento, str]] = MEMBERS
) -> bytes:
    archive = new_archive(archive_format)
    content = b""
    for path, (memento, text) in members.items():
        content += archive.begin(path, memento)
        content += archive.write(text[:3].encode())
        content += archive.write(text[3:].encode())
        content += archive.end()
    return content + archive.close()


def test_a_tar_file_has_every_kind_of_path() -> None:
    with tarfile.open(fileobj=io.BytesIO(packed(ArchiveFormat.TAR_GZ)), mode="r:gz") as archive:
        members = archive.getmembers()
        assert [each.name for each in members] == list(MEMBERS)
        text, _, directory, link, _ = members
        assert (text.mode, directory.mode) == (0o755, 0o700)
        assert directory.isdir()
        assert (link.issym(), link.linkname) == (True, "a/b.txt")
        assert link.mtime == AT.timestamp()
        assert {(each.uid, each.gid, each.uname) for each in members} == {(0, 0, "")}
        for path, (memento, content) in MEMBERS.items():
            if memento.blob and (file := archive.extractfile(path)):
                assert file.read().decode() == content


def test_a_zip_file_has_every_kind_of_path() -> None:
    with zipfile.ZipFile(io.BytesIO(packed(ArchiveFormat.ZIP))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["a/b.txt", "a/é ü.txt", "empty/", "link", LONG]
        assert archive.read("a/b.txt") == b"text"
        assert archive.read("link") == b"a/b.txt"
        link = archive.getinfo("link")
        assert stat.S_ISLNK(link.external_attr >> 16)
        assert datetime(*link.date_time, tzinfo=UTC) == AT
        assert archive.getinfo("empty/").is_dir()
        assert stat.S_IMODE(archive.getinfo("a/b.txt").external_attr >> 16) == 0o755


@pytest.mark.parametrize("archive_format", ArchiveFormat)
def test_the_same_files_make_the_same_bytes(archive_format: ArchiveFormat) -> None:
    assert packed(archive_format) == packed(archive_format)


@pytest.mark.parametrize("archive_format", ArchiveFormat)
def test_an_archive_may_be_given_up_within_a_member(archive_format: ArchiveFormat) -> None:
    archive = new_archive(archive_format)
    archive.begin("a", file_of("text"))
    archive.write(b"te")
    cycle: list[object] = [archive]
    cycle.append(cycle)  # As tracebacks make them.
    del archive, cycle
    gc.collect()  # What goes wrong there is a warning, so it would fail this test.


@pytest.mark.parametrize("archive_format", ArchiveFormat)
@pytest.mark.parametrize("mtime_ns", [-(10**18), 10**19])
def test_any_time_can_be_packed(archive_format: ArchiveFormat, mtime_ns: int) -> None:
    memento = FileMemento(kind=FileKind.DIRECTORY, mode=0o755, mtime_ns=mtime_ns)
    assert packed(archive_format, {"old": (memento, "")})


@pytest.mark.parametrize("archive_format", ArchiveFormat)
@pytest.mark.parametrize("path", ["../up", "/root", "a/../../b", "C:/x", "a\\b"])
def test_a_name_that_leads_out_is_never_packed(archive_format: ArchiveFormat, path: str) -> None:
    with pytest.raises(UnsafePath):
        new_archive(archive_format).begin(path, file_of("x"))

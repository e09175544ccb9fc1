"""Files and differences on a terminal and in a pipe."""

import io

from rich.console import Console

from wtb_async.cli.file_views import print_difference, print_files
from wtb_async.domain.file_commit import FileKind
from wtb_async.sdk.file_models import File, FileDifference

FILE = File.model_validate(
    {
        "path": "a[b]\x1b[2J\n",
        "kind": "file",
        "size": 1500,
        "mode": 0o640,
        "modified_at": "2026-01-02T03:04:05Z",
        "sha256": "0123456789abcdef" * 4,
    }
)
DIFF = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-one\x1b[2J\r\n+two\t[b]\n"


def changed(**values: object) -> FileDifference:
    return FileDifference.model_validate({"path": "x", "change": "changed", **values})


def printed(difference: FileDifference, *, terminal: bool) -> str:
    output = io.StringIO()
    console = Console(file=output, force_terminal=terminal, highlight=False, width=40)
    print_difference(console, difference)
    return output.getvalue()


def test_a_terminal_shows_colours_and_obeys_no_content() -> None:
    shown = printed(changed(diff=DIFF), terminal=True)
    assert "\x1b[31m-one\\x1b[2J\\r\x1b[0m" in shown
    assert "\x1b[2J" not in shown


def test_a_pipe_gets_the_diff_as_it_came() -> None:
    assert printed(changed(diff=DIFF), terminal=False) == DIFF


def test_what_has_no_diff_is_one_line() -> None:
    longer = FILE.model_copy(update={"size": 2000, "sha256": "f" * 64})
    told = printed(changed(before=FILE, after=longer), terminal=False)
    assert told == "changed x: 1.5 kB, sha256 0123456789ab -> 2.0 kB, sha256 ffffffffffff\n"
    script = FILE.model_copy(update={"mode": 0o750})
    told = printed(changed(change="mode", before=FILE, after=script), terminal=False)
    assert told == "mode x: -rw-r----- -> -rwxr-x---\n"
    link = FILE.model_copy(update={"kind": FileKind.SYMLINK, "sha256": None, "target": "y"})
    told = printed(changed(change="added", after=link), terminal=False)
    assert told == "added x: symlink to y\n"
    empty = FILE.model_copy(update={"size": 0})
    told = printed(changed(change="added", after=empty, diff=""), terminal=True)
    assert "added x: 0 bytes" in told


def test_a_name_is_shown_and_not_obeyed() -> None:
    output = io.StringIO()
    print_files(Console(file=output, force_terminal=True, width=100), [FILE])
    assert "a[b]\\x1b[2J\\n" in output.getvalue()

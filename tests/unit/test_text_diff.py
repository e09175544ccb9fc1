"""Diffs of texts say what git would need to make one out of the other."""

import subprocess
from pathlib import Path

import pytest
from factories import unhurried
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wtb_async.domain.text_diff import MAX_TEXT_BYTES, MAX_TEXT_LINES, text_diff

LINES = st.sampled_from(["a\n", "b\r\n", "\n", "-- c\n", "\u2028d\n", "\\ e\n"])
TEXTS = st.builds(
    lambda lines, end: "".join(lines) + end, st.lists(LINES), st.sampled_from("fé ") | st.just("")
)


def apply(folder: Path, path: str, before: str, diff: str) -> str:
    """What git makes of a file with a diff."""
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(before.encode())
    command = ["git", "apply", "--whitespace=nowarn", "-"]
    subprocess.run(command, cwd=folder, input=diff.encode(), check=True)
    return file.read_bytes().decode()


@given(before=TEXTS, after=TEXTS)
@settings(unhurried, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_git_makes_the_later_text_out_of_the_earlier(
    tmp_path: Path, before: str, after: str
) -> None:
    diff = text_diff("notes.txt", before.encode(), after.encode())
    assert diff is not None
    if before == after:
        assert diff == ""
    else:
        assert apply(tmp_path, "notes.txt", before, diff) == after


@pytest.mark.parametrize("path", ["a b/c d", 'say "x"', "two\nlines", "tab\there", "é/ü"])
def test_a_name_cannot_be_taken_for_a_line(tmp_path: Path, path: str) -> None:
    diff = text_diff(path, b"one\n", b"two\n")
    assert diff is not None
    assert apply(tmp_path, path, "one\n", diff) == "two\n"


def test_a_file_that_was_not_there_is_dev_null() -> None:
    assert text_diff("a", None, b"x\n") == "--- /dev/null\n+++ b/a\n@@ -0,0 +1 @@\n+x\n"
    assert text_diff("a", b"x", None) == (
        "--- a/a\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n\\ No newline at end of file\n"
    )
    assert text_diff("a", None, b"") == ""


@pytest.mark.parametrize(
    "content",
    [b"a\0b", b"\xff", b"x" * (MAX_TEXT_BYTES + 1), b"\n" * (MAX_TEXT_LINES + 1)],
    ids=["NUL", "not UTF-8", "too large", "too many lines"],
)
def test_what_is_no_text_or_too_large_has_no_diff(content: bytes) -> None:
    assert text_diff("a", content, b"x") is None
    assert text_diff("a", b"x", content) is None

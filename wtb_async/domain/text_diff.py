"""Differences of two texts, line by line, in the form that `patch` and `git apply` read."""

from difflib import unified_diff
from itertools import chain

MAX_TEXT_BYTES = 512 * 1024
MAX_TEXT_LINES = 10_000
"""Of each text: the time to compare them may grow with the square of it."""

_NOWHERE = "/dev/null"
_NO_NEWLINE = "\n\\ No newline at end of file\n"
_QUOTED = {code: f"\\{code:03o}" for code in (*range(32), 127)} | {ord('"'): '\\"'}


def text_diff(path: str, before: bytes | None, after: bytes | None) -> str | None:
    """Compare two contents of a path, of which None is no file.

    Returns:
        The unified diff; None when one of them is too large or no text, that is UTF-8 without NUL.
    """
    old, new = _lines(before), _lines(after)
    if old is None or new is None:
        return None
    names = (
        _NOWHERE if before is None else _name("a", path),
        _NOWHERE if after is None else _name("b", path),
    )
    return "".join(
        line if line.endswith("\n") else line + _NO_NEWLINE
        for line in unified_diff(old, new, *names)
    )


def _lines(content: bytes | None) -> list[str] | None:
    """Lines end with a line feed and nothing else, as they do for `patch`."""
    if content is None:
        return []
    if len(content) > MAX_TEXT_BYTES or b"\0" in content or content.count(b"\n") > MAX_TEXT_LINES:
        return None
    try:
        *lines, rest = content.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        return None
    return list(chain((f"{line}\n" for line in lines), [rest] if rest else []))


def _name(side: str, path: str) -> str:
    """Quote as git does, so that no name can be taken for another line."""
    name = f"{side}/{path}"
    quoted = name.translate(_QUOTED)
    if quoted != name:
        return f'"{quoted}"'
    # A tab tells where a name with spaces ends.
    return f"{name}\t" if " " in name else name

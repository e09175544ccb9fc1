"""Files and their differences as text."""

import stat
from collections.abc import Iterable

from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from wtb_async.cli.execution_views import moment
from wtb_async.domain.file_commit import FileKind
from wtb_async.domain.file_difference import FileChange
from wtb_async.sdk.file_models import File, FileDifference

_TYPES = {
    FileKind.FILE: stat.S_IFREG,
    FileKind.SYMLINK: stat.S_IFLNK,
    FileKind.DIRECTORY: stat.S_IFDIR,
}
_LINE_STYLES = {"+": "green", "-": "red", "@": "cyan"}
_SHOWN_OF_A_HASH = 12


def print_files(console: Console, files: Iterable[File]) -> None:
    """Print one row per path, as `ls -l` does."""
    table = Table("mode", "size", "modified", "path", box=None)
    table.columns[1].justify = "right"
    table.columns[3].overflow = "fold"
    for each in files:
        size = "" if each.size is None else decimal(each.size)
        table.add_row(_mode(each), size, moment(each.modified_at), escape(_name(each)))
    console.print(table)


def print_difference(console: Console, difference: FileDifference) -> None:
    """Print the diff of two texts; one line for anything else, an empty new file too."""
    if not difference.diff:
        console.print(_summary(difference), style="bold", markup=False, soft_wrap=True)
    elif console.is_terminal:
        for line in difference.diff.removesuffix("\n").split("\n"):
            console.print(Text(printable(line), _LINE_STYLES.get(line[:1], "")), soft_wrap=True)
    else:
        # As it came, byte by byte: it may be on its way to `patch`.
        console.file.write(difference.diff)


def printable(text: str) -> str:
    """Show what a terminal would obey instead of showing it."""
    return "".join(
        each if each.isprintable() or each == "\t" else each.encode("unicode_escape").decode()
        for each in text
    )


def _name(file: File) -> str:
    name = printable(file.path)
    return f"{name} -> {printable(file.target)}" if file.target is not None else name


def _mode(file: File) -> str:
    return stat.filemode(_TYPES[file.kind] | file.mode)


def _summary(difference: FileDifference) -> str:
    before, after = difference.before, difference.after
    tell = _mode if difference.change is FileChange.MODE else _content
    told = " -> ".join(tell(each) for each in (before, after) if each)
    return f"{difference.change.value} {printable(difference.path)}: {told}"


def _content(file: File) -> str:
    if file.sha256 is None or file.size is None:
        target = "" if file.target is None else f" to {printable(file.target)}"
        return f"{file.kind.value}{target}"
    return f"{decimal(file.size)}, sha256 {file.sha256[:_SHOWN_OF_A_HASH]}"

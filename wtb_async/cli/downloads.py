"""Downloads: how far they are, and where they may be written."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.filesize import decimal
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from wtb_async.cli.console import stderr
from wtb_async.cli.file_views import printable
from wtb_async.domain.file_path import check_path, shown_path
from wtb_async.sdk.saving import NotSaved, OnPiece, save


@contextmanager
def download_progress(name: str, total: int | None = None) -> Iterator[OnPiece]:
    """Show what the yielded function is told: a live bar on a terminal, one line at the end.

    Args:
        name: what is downloaded.
        total: bytes; None when nobody knows.
    """
    console, shown, come = stderr(), printable(name), 0
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task(shown, total=total)

        def show(size: int) -> None:
            nonlocal come
            come += size
            bar.advance(task, size)

        yield show
    console.print(f"wrote {shown} ({decimal(come)})", markup=False, soft_wrap=True)


async def put_out(pieces: AsyncIterator[bytes], file: Path | None) -> None:
    """Write what comes in place of a file, or to standard output for None. Raises NotSaved."""
    if file is None:
        async for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.flush()
        return
    await save(pieces, file, overwrite=True)
    stderr().print(f"wrote {file}", markup=False, soft_wrap=True)


def place_below(folder: Path, path: str) -> Path:
    """Where a path of a workspace is below a folder, which need not exist yet.

    Raises:
        UnsafePath: it is no path of a workspace.
        NotSaved: a link in the folder leads out of it.
    """
    place = folder / check_path(path)
    if not place.parent.resolve().is_relative_to(folder.resolve()):
        raise NotSaved(f"{shown_path(str(place))} is not in {folder}: a link leads out of it")
    return place


def make_folder(folder: Path) -> None:
    """Make a folder with those above it. Raises NotSaved."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotSaved(f"cannot make {shown_path(str(folder))}: {error.strerror}") from error

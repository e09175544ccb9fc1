"""`wtb files get|archive`: files and whole workspaces, brought here."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from wtb_async.application.files.archive_formats import ArchiveFormat
from wtb_async.cli.arguments import ExecutionId
from wtb_async.cli.console import stderr
from wtb_async.cli.downloads import download_progress, make_folder, place_below
from wtb_async.cli.file_views import printable
from wtb_async.cli.server import DEFAULT_DATA_DIR, DataDir, call
from wtb_async.cli.workspace_paths import At, PathOrFolder, files_at
from wtb_async.domain.file_commit import FileKind
from wtb_async.sdk.client import WTBClient
from wtb_async.sdk.file_models import File
from wtb_async.sdk.saving import check_free

Force = Annotated[bool, typer.Option("--force", help="Write over what is there.")]


def get_files(
    execution_id: ExecutionId,
    path: PathOrFolder = None,
    *,
    at: At = None,
    to: Annotated[Path, typer.Option(help="The folder to write into.", file_okay=False)] = Path(),
    force: Force = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Bring a file or a folder here, under its own name.

    Nothing is written over without --force. Links are left out; an archive has them.
    """

    async def command(client: WTBClient) -> None:
        found = [each async for each in files_at(client, execution_id, path, at)]
        places = _places(found, to, (path or "").rstrip("/").rpartition("/")[0])
        for place in places.values():
            check_free(place, overwrite=force)
        for each, place in places.items():
            make_folder(place.parent)
            with download_progress(str(place), each.size) as on_piece:
                await client.files.download(
                    execution_id,
                    each.path,
                    place,
                    checkpoint_id=at,
                    overwrite=force,
                    on_piece=on_piece,
                )
        _tell_what_is_left_out(found)

    call(data_dir, command)


def archive_files(
    execution_id: ExecutionId,
    file: Annotated[
        Path | None,
        typer.Argument(help="The archive to write; EXECUTION_ID.tar.gz here when left out."),
    ] = None,
    *,
    at: At = None,
    archive_format: Annotated[
        ArchiveFormat | None, typer.Option("--format", help="As the file's name says.")
    ] = None,
    force: Force = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Bring all files of an execution here as one archive, with their modes, times and links."""
    known = archive_format or _format_of(file)
    place = file or Path(f"{execution_id}.{known.value}")

    async def command(client: WTBClient) -> None:
        check_free(place, overwrite=force)
        with download_progress(str(place)) as on_piece:
            await client.files.download_archive(
                execution_id,
                place,
                known,
                checkpoint_id=at,
                overwrite=force,
                on_piece=on_piece,
            )

    call(data_dir, command)


def _places(found: Iterable[File], folder: Path, above: str) -> dict[File, Path]:
    """Where files go, each below the folder and without what is above the path asked for."""
    start = len(above) + 1 if above else 0
    return {
        each: place_below(folder, each.path[start:]) for each in found if each.kind is FileKind.FILE
    }


def _tell_what_is_left_out(found: Iterable[File]) -> None:
    for each in found:
        if each.kind is not FileKind.FILE:
            what = f"{each.kind.value} {printable(each.path)}"
            stderr().print(f"left out: {what}", markup=False, soft_wrap=True)


def _format_of(file: Path | None) -> ArchiveFormat:
    if file is None:
        return ArchiveFormat.TAR_GZ
    for each in ArchiveFormat:
        if file.name.endswith(f".{each.value}"):
            return each
    if file.suffix == ".tgz":
        return ArchiveFormat.TAR_GZ
    raise typer.BadParameter(f"{file.name} does not say what it is; give --format")

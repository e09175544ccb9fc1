"""`wtb files`: what executions wrote, at any checkpoint."""

import sys
from typing import Annotated

import typer

from wtb_async.cli.arguments import ExecutionId
from wtb_async.cli.console import print_json, stderr, stdout
from wtb_async.cli.file_downloads import archive_files, get_files
from wtb_async.cli.file_views import print_difference, print_files
from wtb_async.cli.listing import first
from wtb_async.cli.server import DEFAULT_DATA_DIR, AsJson, DataDir, call
from wtb_async.cli.workspace_paths import At, PathOrFolder, files_at
from wtb_async.sdk.client import WTBClient


def register(app: typer.Typer) -> None:
    """Add `wtb files`."""
    files = typer.Typer(
        help="What executions wrote, at any checkpoint.",
        epilog="Checkpoints are listed by: wtb executions checkpoints ID",
        no_args_is_help=True,
    )
    files.command("ls")(list_files)
    files.command("cat")(print_file)
    files.command("get")(get_files)
    files.command("diff")(show_differences)
    files.command("archive")(archive_files)
    app.add_typer(files, name="files")


def list_files(
    execution_id: ExecutionId,
    path: PathOrFolder = None,
    *,
    at: At = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 1000,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """List the files of an execution, in the order of their paths."""

    async def command(client: WTBClient) -> None:
        found = await first(limit + 1, files_at(client, execution_id, path, at))
        if as_json:
            print_json([each.model_dump(mode="json") for each in found[:limit]])
        elif found:
            print_files(stdout(), found[:limit])
        else:
            stderr().print("no files")
        if len(found) > limit:
            stderr().print(f"there are more than {limit}; see --limit")

    call(data_dir, command)


def print_file(
    execution_id: ExecutionId,
    path: Annotated[str, typer.Argument(help="The file.")],
    *,
    at: At = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Write the content of a file to standard output."""

    async def command(client: WTBClient) -> None:
        async for piece in client.files.stream(execution_id, path, checkpoint_id=at):
            sys.stdout.buffer.write(piece)
        sys.stdout.flush()

    call(data_dir, command)


def show_differences(
    execution_id: ExecutionId,
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH", help="These files and folders only."),
    ] = None,
    *,
    from_: Annotated[
        str | None, typer.Option("--from", help="Id of the checkpoint to compare with.")
    ] = None,
    to: Annotated[
        str | None, typer.Option(help="Id of the later checkpoint; without it, the newest files.")
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="Id of another execution, whose files are the later ones.")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Show what differs between two checkpoints, or between two executions.

    Texts come as a unified diff, anything else with its size and hash.

    With --against, --from is a checkpoint of this execution, --to of the other.
    """
    if from_ is None and against is None:
        raise typer.BadParameter("give --from CHECKPOINT, or --against EXECUTION")

    async def command(client: WTBClient) -> None:
        differences = client.files.diff(
            execution_id,
            from_checkpoint=from_,
            to_checkpoint=to,
            against=against,
            paths=[each.rstrip("/") for each in paths or ()],
        )
        if as_json:
            print_json([each.model_dump(mode="json") async for each in differences])
            return
        console = stdout()
        async for each in differences:
            print_difference(console, each)

    call(data_dir, command)

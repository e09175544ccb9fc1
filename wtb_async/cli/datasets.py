"""`wtb datasets`: named test cases with versions."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from wtb_async.cli.console import print_fields, print_json, stdout
from wtb_async.cli.downloads import put_out
from wtb_async.cli.execution_views import moment
from wtb_async.cli.listing import first, page_size
from wtb_async.cli.server import DEFAULT_DATA_DIR, AsJson, DataDir, call
from wtb_async.domain.dataset import CaseFormat, ImportMode
from wtb_async.sdk.client import WTBClient
from wtb_async.sdk.dataset_models import CaseChanges, Dataset

Name = Annotated[str, typer.Argument(help="Name or id of the dataset.")]
Format = Annotated[
    CaseFormat | None, typer.Option("--format", help="As the file's name says when left out.")
]

_BLOCK = 1 << 16
_VERSIONS_SHOWN = 10
_BY_SUFFIX = {f".{each.value}": each for each in CaseFormat} | {".ndjson": CaseFormat.JSONL}


def register(app: typer.Typer) -> None:
    """Add `wtb datasets`."""
    datasets = typer.Typer(help="Named test cases with versions.", no_args_is_help=True)
    datasets.command("ls")(list_datasets)
    datasets.command("show")(show_dataset)
    datasets.command("create")(create_dataset)
    datasets.command("import")(import_cases)
    datasets.command("export")(export_cases)
    datasets.command("rm")(remove_dataset)
    app.add_typer(datasets, name="datasets")


def list_datasets(
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """List datasets, newest first."""

    async def command(client: WTBClient) -> None:
        found = await first(limit, client.datasets.list(page_size=page_size(limit)))
        if as_json:
            print_json([each.model_dump(mode="json") for each in found])
            return
        table = Table("name", "version", "cases", "changed", "description", box=None)
        for each in found:
            changed = moment(each.updated_at)
            table.add_row(each.name, str(each.version), str(each.cases), changed, each.description)
        stdout().print(table)

    call(data_dir, command)


def show_dataset(
    dataset: Name, as_json: AsJson = False, data_dir: DataDir = DEFAULT_DATA_DIR
) -> None:
    """Show a dataset and what its newest versions changed."""

    async def command(client: WTBClient) -> None:
        found = await client.datasets.get(dataset)
        if as_json:
            print_json(found.model_dump(mode="json"))
            return
        _print(found)
        table = Table("version", "cases", "added", "changed", "removed", "by", "at", box=None)
        for each in await first(_VERSIONS_SHOWN, client.datasets.versions(dataset)):
            numbers = (each.version, each.cases, each.added, each.changed, each.removed)
            table.add_row(*map(str, numbers), each.created_by, moment(each.created_at))
        stdout().print(table)

    call(data_dir, command)


def create_dataset(
    name: Annotated[str, typer.Argument(help="The name to find it by.")],
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Make a dataset without cases."""

    async def command(client: WTBClient) -> None:
        made = await client.datasets.create(name, description=description)
        if as_json:
            print_json(made.model_dump(mode="json"))
        else:
            _print(made)

    call(data_dir, command)


def import_cases(
    dataset: Name,
    file: Annotated[Path, typer.Argument(help="JSONL, JSON or CSV.", exists=True, dir_okay=False)],
    mode: Annotated[
        ImportMode, typer.Option(help="What becomes of the cases that it has already.")
    ] = ImportMode.APPEND,
    case_format: Format = None,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Take in a file of test cases, ours or LangSmith's: all of it, or nothing."""
    known = case_format or _format_of(file)

    async def command(client: WTBClient) -> None:
        changes = await client.datasets.import_cases(dataset, _blocks(file), known, mode=mode)
        if as_json:
            print_json(changes.model_dump(mode="json"))
        else:
            stdout().print(_told(changes), markup=False)

    call(data_dir, command)


def export_cases(
    dataset: Name,
    file: Annotated[Path | None, typer.Argument(help="Standard output when left out.")] = None,
    version: Annotated[int | None, typer.Option(min=1, help="The newest when left out.")] = None,
    case_format: Format = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Write the test cases of a version to a file that can be imported again."""
    known = case_format or (_format_of(file) if file else CaseFormat.JSONL)

    async def command(client: WTBClient) -> None:
        pieces = client.datasets.export_cases(dataset, known, version=version)
        await put_out(pieces, file)

    call(data_dir, command)


def remove_dataset(dataset: Name, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Remove a dataset with all its versions; refused when batch tests ran on it."""

    async def command(client: WTBClient) -> None:
        await client.datasets.delete(dataset)

    call(data_dir, command)


def _format_of(file: Path) -> CaseFormat:
    known = _BY_SUFFIX.get(file.suffix.lower())
    if known is None:
        raise typer.BadParameter(f"{file.name} does not say what it is; give --format")
    return known


async def _blocks(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            yield block


def _told(changes: CaseChanges) -> str:
    return (
        f"version {changes.version}: {changes.added} added, {changes.changed} changed, "
        f"{changes.removed} removed; {changes.cases} cases"
    )


def _print(dataset: Dataset) -> None:
    print_fields(
        stdout(),
        {
            "id": str(dataset.id),
            "name": dataset.name,
            "description": dataset.description,
            "version": str(dataset.version),
            "cases": str(dataset.cases),
            "changed": moment(dataset.updated_at),
        },
    )

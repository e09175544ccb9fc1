"""`wtb batch extend`: let a batch test grow."""

from pathlib import Path
from typing import Annotated

import typer

from wtb_async.cli.batch_file import read_batch_file
from wtb_async.cli.batch_outcome import show_batch_outcome
from wtb_async.cli.console import expected_errors
from wtb_async.cli.server import DEFAULT_DATA_DIR, AsJson, DataDir, call
from wtb_async.domain.json import JsonObject
from wtb_async.sdk.client import WTBClient


def extend_batch(
    batch_id: Annotated[str, typer.Argument(help="Id of the batch test.")],
    file: Annotated[
        Path | None,
        typer.Argument(help="JSON file with a variant_matrix, exclude or test cases to add."),
    ] = None,
    repetitions: Annotated[int | None, typer.Option(help="The new total.")] = None,
    dataset_version: Annotated[
        int | None, typer.Option(help="A newer version of the batch test's dataset.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="How many cases of the dataset in all.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end, then compare.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Add to a batch test; only what is new is run."""
    options: JsonObject = {
        "repetitions": repetitions,
        "dataset_version": dataset_version,
        "limit": limit,
    }
    with expected_errors():
        body = read_batch_file(file) if file else {}
    body |= {name: value for name, value in options.items() if value is not None}

    async def command(client: WTBClient) -> None:
        batch = await client.batch_tests.extend(batch_id, body)
        await show_batch_outcome(client, batch, wait=wait, as_json=as_json)

    call(data_dir, command)

"""`wtb batch`: run variant matrices and look at what they show."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from wtb_async.cli import batch_control
from wtb_async.cli.arguments import BatchId
from wtb_async.cli.batch_file import read_batch_file
from wtb_async.cli.batch_growth import extend_batch
from wtb_async.cli.batch_outcome import show_batch_outcome, watch
from wtb_async.cli.batch_views import print_batch, print_batches, print_results
from wtb_async.cli.comparison_tables import print_comparison
from wtb_async.cli.console import expected_errors, print_json, stdout
from wtb_async.cli.gate import (
    FailIf,
    Junit,
    Markdown,
    Scores,
    Strict,
    WorseThan,
    find_rivals,
    gate_options,
    judge_batch,
)
from wtb_async.cli.listing import first, page_size
from wtb_async.cli.scoring import score_batch
from wtb_async.cli.server import DEFAULT_DATA_DIR, AsJson, DataDir, call
from wtb_async.domain.json import JsonObject
from wtb_async.sdk.batch_models import BatchTest
from wtb_async.sdk.client import WTBClient


def register(app: typer.Typer) -> None:
    """Add `wtb batch`."""
    batch = typer.Typer(help="Run variant matrices and compare them.", no_args_is_help=True)
    batch.command("run")(run_batch)
    batch.command("extend")(extend_batch)
    batch.command("ls")(list_batches)
    batch.command("show")(show_batch)
    batch.command("results")(show_results)
    batch.command("compare")(show_comparison)
    batch.command("gate")(judge_batch)
    batch.command("score")(score_batch)
    batch_control.register(batch)
    app.add_typer(batch, name="batch")


async def submit_and_watch(client: WTBClient, body: JsonObject) -> BatchTest:
    """Submit a batch test and show its progress until it ends."""
    batch = await client.batch_tests.create(body)
    return await watch(client, batch)


def run_batch(
    file: Annotated[Path, typer.Argument(help="JSON file with the batch test.")],
    *,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end, then compare.")] = False,
    fail_if: FailIf = None,
    worse_than: WorseThan = None,
    scores: Scores = None,
    strict: Strict = False,
    junit: Junit = None,
    markdown: Markdown = None,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Submit a batch test; with conditions, end with 1 unless it is good enough."""
    gate = gate_options(fail_if, worse_than, scores, strict=strict, junit=junit, markdown=markdown)
    if gate and not wait:
        raise typer.BadParameter("a gate needs the end of the batch test: give --wait, too")
    with expected_errors():
        body = read_batch_file(file)

    async def command(client: WTBClient) -> None:
        await find_rivals(client, gate)
        batch = await client.batch_tests.create(body)
        await show_batch_outcome(client, batch, wait=wait, as_json=as_json, gate=gate)

    call(data_dir, command)


def list_batches(
    workflow: Annotated[str | None, typer.Option(help="Only of this workflow.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """List batch tests, newest first."""

    async def command(client: WTBClient) -> None:
        found = client.batch_tests.list(workflow=workflow, page_size=page_size(limit))
        batches = await first(limit, found)
        if as_json:
            print_json([each.model_dump(mode="json") for each in batches])
        else:
            print_batches(stdout(), batches)

    call(data_dir, command)


def show_batch(
    batch_id: BatchId, as_json: AsJson = False, data_dir: DataDir = DEFAULT_DATA_DIR
) -> None:
    """Show one batch test."""

    async def command(client: WTBClient) -> None:
        batch = await client.batch_tests.get(batch_id)
        if as_json:
            print_json(batch.model_dump(mode="json"))
        else:
            print_batch(stdout(), batch)

    call(data_dir, command)


def show_results(
    batch_id: BatchId, as_json: AsJson = False, data_dir: DataDir = DEFAULT_DATA_DIR
) -> None:
    """Show every execution of a batch test with its scores."""

    async def command(client: WTBClient) -> None:
        rows = [row async for row in client.batch_tests.results(batch_id)]
        if as_json:
            print_json([row.model_dump(mode="json") for row in rows])
        else:
            print_results(stdout(), rows)

    call(data_dir, command)


def show_comparison(
    batch_id: BatchId,
    against: Annotated[
        str | None, typer.Option(metavar="ID", help="With another batch test instead.")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Compare the combinations of a batch test with its baseline."""

    async def command(client: WTBClient) -> None:
        comparison = await client.batch_tests.comparison(batch_id, against=against)
        if as_json:
            print_json(asdict(comparison))
        else:
            print_comparison(stdout(), comparison)

    call(data_dir, command)

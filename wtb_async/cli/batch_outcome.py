"""What has become of a batch test that a command began, for people, programs and the shell."""

from dataclasses import asdict

import typer

from wtb_async.cli.batch_views import print_batch
from wtb_async.cli.comparison_tables import print_comparison
from wtb_async.cli.console import ExitCode, print_json, stderr, stdout
from wtb_async.cli.gate import GateOptions, judge, print_gate
from wtb_async.cli.progress import batch_progress
from wtb_async.domain.batch_test import BatchStatus
from wtb_async.sdk.batch_models import BatchTest
from wtb_async.sdk.client import WTBClient


async def watch(client: WTBClient, batch: BatchTest) -> BatchTest:
    """Show the progress of a batch test until it ends, and return it."""
    with batch_progress(batch.name) as show:
        return await client.batch_tests.wait_for(batch.id, show)


async def show_batch_outcome(
    client: WTBClient,
    batch: BatchTest,
    *,
    wait: bool,
    as_json: bool,
    gate: GateOptions | None = None,
) -> None:
    """Print the batch test as it stands, or once it has ended with its comparison and its gate.

    Raises:
        typer.Exit: with code 1, when it ended otherwise than completed or does not pass the gate.
    """
    if wait:
        batch = await watch(client, batch)
    else:
        hint = f"accepted; `wtb batch show {batch.id}` tells how far it is"
        stderr().print(hint, soft_wrap=True)
    report = await judge(client, batch, gate) if wait and gate else None
    if as_json:
        judged = {"gate": asdict(report)} if report else {}
        print_json(batch.model_dump(mode="json") | judged)
    else:
        print_batch(stdout(), batch)
        if wait:
            print_comparison(stdout(), await client.batch_tests.comparison(batch.id))
        if report:
            print_gate(stdout(), report)
    has_passed = batch.status is BatchStatus.COMPLETED and (report is None or report.passed)
    if wait and not has_passed:
        raise typer.Exit(ExitCode.FAILED)

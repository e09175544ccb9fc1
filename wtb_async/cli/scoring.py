"""`wtb batch score`: let other evaluators look at what a batch test has run."""

from typing import Annotated

import typer

from wtb_async.cli.arguments import read_json_argument
from wtb_async.cli.batch_views import print_batch
from wtb_async.cli.comparison_tables import print_comparison
from wtb_async.cli.console import ExitCode, print_json, stdout
from wtb_async.cli.progress import batch_progress
from wtb_async.cli.server import DEFAULT_DATA_DIR, AsJson, DataDir, call
from wtb_async.domain.batch_test import BatchStatus, ScoringMode
from wtb_async.domain.json import JsonValue
from wtb_async.sdk.client import WTBClient

_ENTRY = "REFERENCE | JSON | @FILE"


def score_batch(
    batch_id: Annotated[str, typer.Argument(help="Id of the batch test.")],
    *,
    evaluator: Annotated[
        list[str] | None,
        typer.Option(metavar=_ENTRY, help="An evaluator; may be given several times."),
    ] = None,
    pairwise: Annotated[
        list[str] | None, typer.Option(metavar=_ENTRY, help="One that compares two outputs.")
    ] = None,
    summary: Annotated[
        list[str] | None, typer.Option(metavar=_ENTRY, help="One that looks at all outputs.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Drop the evaluators before, with their scores.")
    ] = False,
    retry: Annotated[
        bool, typer.Option("--retry", help="Call those again that failed, where they did.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end, then compare.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Score a batch test with other evaluators, without running it again."""
    lists = [[_read_entry(text) for text in each or ()] for each in (evaluator, pairwise, summary)]
    mode = _mode(names_some=any(lists), replace=replace, retry=retry)

    async def command(client: WTBClient) -> None:
        batch = await client.batch_tests.score(
            batch_id,
            lists[0],
            pairwise_evaluators=lists[1],
            summary_evaluators=lists[2],
            mode=mode,
        )
        if wait:
            with batch_progress(batch.name) as show:
                batch = await client.batch_tests.wait_for(batch.id, show)
        if as_json:
            print_json(batch.model_dump(mode="json"))
        else:
            print_batch(stdout(), batch)
            if wait:
                print_comparison(stdout(), await client.batch_tests.comparison(batch.id))
        if wait and batch.status is not BatchStatus.COMPLETED:
            raise typer.Exit(ExitCode.FAILED)

    call(data_dir, command)


def _mode(*, names_some: bool, replace: bool, retry: bool) -> ScoringMode:
    if retry and (names_some or replace):
        raise typer.BadParameter("--retry calls those again that the batch test has")
    if not (retry or names_some):
        raise typer.BadParameter("give an --evaluator, a --pairwise or a --summary one")
    if retry:
        return ScoringMode.RETRY
    return ScoringMode.REPLACE if replace else ScoringMode.ADD


def _read_entry(text: str) -> JsonValue:
    """A bare reference, or an object in JSON."""
    return read_json_argument(text) if text.startswith(("{", "@")) else text

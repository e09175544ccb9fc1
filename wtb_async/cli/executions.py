"""`wtb executions`: look at single executions, and control them."""

import json
from typing import Annotated

import typer

from wtb_async.cli import control, time_travel, timelines
from wtb_async.cli.arguments import ExecutionId, read_position
from wtb_async.cli.console import print_json, stdout
from wtb_async.cli.execution_views import event_line, print_execution, print_executions
from wtb_async.cli.listing import first, page_size
from wtb_async.cli.server import DEFAULT_DATA_DIR, AsJson, DataDir, call
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.sdk.client import WTBClient


def register(app: typer.Typer) -> None:
    """Add `wtb executions`."""
    executions = typer.Typer(
        help="Look at single executions, and control them.", no_args_is_help=True
    )
    executions.command("ls")(list_executions)
    executions.command("show")(show_execution)
    timelines.register(executions)
    executions.command("tail")(tail_execution)
    control.register(executions)
    time_travel.register(executions)
    app.add_typer(executions, name="executions")


def list_executions(
    *,
    workflow: Annotated[str | None, typer.Option(help="Only of this workflow.")] = None,
    status: Annotated[ExecutionStatus | None, typer.Option(help="Only in this status.")] = None,
    batch: Annotated[str | None, typer.Option(help="Only of this batch test.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """List executions, newest first."""

    async def command(client: WTBClient) -> None:
        found = client.executions.list(
            workflow=workflow, status=status, batch_test_id=batch, page_size=page_size(limit)
        )
        executions = await first(limit, found)
        if as_json:
            print_json([each.model_dump(mode="json") for each in executions])
        else:
            print_executions(stdout(), executions)

    call(data_dir, command)


def show_execution(
    execution_id: ExecutionId, as_json: AsJson = False, data_dir: DataDir = DEFAULT_DATA_DIR
) -> None:
    """Show one execution."""

    async def command(client: WTBClient) -> None:
        execution = await client.executions.get(execution_id)
        if as_json:
            print_json(execution.model_dump(mode="json"))
        else:
            print_execution(stdout(), execution)

    call(data_dir, command)


def tail_execution(
    execution_id: ExecutionId,
    since: Annotated[
        str | None,
        typer.Option(callback=read_position, help="Begin after this event: 7, or 7-12."),
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Follow the events of one execution until it ends; --json gives one document per line."""

    async def command(client: WTBClient) -> None:
        async for event in client.executions.events(execution_id, after=since):
            line = json.dumps(event.model_dump(mode="json")) if as_json else event_line(event)
            typer.echo(line)

    call(data_dir, command)

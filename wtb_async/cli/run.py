"""`wtb run`: one input through one workflow."""

from typing import Annotated

import typer

from wtb_async.cli.arguments import (
    Variants,
    read_choices,
    read_json_argument,
    read_stream_modes,
)
from wtb_async.cli.outcome import show_outcome
from wtb_async.cli.server import DEFAULT_DATA_DIR, AsJson, DataDir, call
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.sdk.client import WTBClient
from wtb_async.sdk.models import Breakpoints


def register(app: typer.Typer) -> None:
    """Add `wtb run`."""
    app.command("run")(run_workflow)


def run_workflow(
    *,
    workflow: Annotated[str, typer.Argument(help="Name or id of the workflow.")],
    graph_input: Annotated[
        str, typer.Option("--input", help="The graph's input as JSON, or @file.")
    ],
    variant: Variants = None,
    workflow_variant: Annotated[
        str | None, typer.Option(help="Another whole graph under this workflow.")
    ] = None,
    breakpoint_before: Annotated[
        list[str] | None, typer.Option(help="Pause before this node; may be given several times.")
    ] = None,
    breakpoint_after: Annotated[
        list[str] | None, typer.Option(help="Pause after this node; may be given several times.")
    ] = None,
    stream: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODE",
            help="What its event stream shows of the graph at work: a stream mode of LangGraph's, "
            "development or production_audit; may be given several times.",
        ),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Run one input through a workflow."""
    value = read_json_argument(graph_input)
    variants = read_choices(variant or [])
    modes = read_stream_modes(stream or [])
    breakpoints = Breakpoints(
        before=tuple(breakpoint_before or ()), after=tuple(breakpoint_after or ())
    )

    async def command(client: WTBClient) -> None:
        execution = await client.executions.create(
            workflow,
            value,
            variants=variants,
            workflow_variant=workflow_variant,
            breakpoints=breakpoints,
            stream=modes,
        )
        await show_outcome(
            client, execution, wanted=ExecutionStatus.COMPLETED, wait=wait, as_json=as_json
        )

    call(data_dir, command)

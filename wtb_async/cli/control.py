"""`wtb executions pause|resume|stop`: hold an execution, let it go on, end it."""

from typing import Annotated

import typer

from wtb_async.cli.arguments import (
    AsNode,
    ExecutionId,
    StateText,
    read_answers,
    read_object_argument,
)
from wtb_async.cli.outcome import show_outcome
from wtb_async.cli.server import DEFAULT_DATA_DIR, AsJson, DataDir, call
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.sdk.client import WTBClient

Reason = Annotated[str | None, typer.Option(help="Why, for the record.")]


def register(executions: typer.Typer) -> None:
    """Add the verbs to `wtb executions`."""
    executions.command("pause")(pause_execution)
    executions.command("resume")(resume_execution)
    executions.command("stop")(stop_execution)


def pause_execution(
    execution_id: ExecutionId,
    *,
    at_node: Annotated[
        str | None, typer.Option(help="Before this node, not at the next superstep boundary.")
    ] = None,
    reason: Reason = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is paused.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Pause a running execution at the next superstep boundary, or before a node."""

    async def command(client: WTBClient) -> None:
        execution = await client.executions.pause(execution_id, reason=reason, at_node=at_node)
        await show_outcome(
            client, execution, wanted=ExecutionStatus.PAUSED, wait=wait, as_json=as_json
        )

    call(data_dir, command)


def resume_execution(
    execution_id: ExecutionId,
    *,
    answer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="JSON | ID=JSON",
            help="The answer to the one open question; with the question's id to one of several.",
        ),
    ] = None,
    state: StateText = None,
    as_node: AsNode = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Let a paused execution go on, or try a failed one again from its last checkpoint."""
    answers = read_answers(answer or [])
    values = None if state is None else read_object_argument(state)

    async def command(client: WTBClient) -> None:
        execution = await client.executions.resume(
            execution_id, state=values, as_node=as_node, answers=answers
        )
        await show_outcome(
            client, execution, wanted=ExecutionStatus.COMPLETED, wait=wait, as_json=as_json
        )

    call(data_dir, command)


def stop_execution(
    execution_id: ExecutionId,
    *,
    reason: Reason = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it has stopped.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """End an execution that is not wanted any more."""

    async def command(client: WTBClient) -> None:
        execution = await client.executions.stop(execution_id, reason=reason)
        await show_outcome(
            client, execution, wanted=ExecutionStatus.CANCELLED, wait=wait, as_json=as_json
        )

    call(data_dir, command)

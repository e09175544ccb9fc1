"""`wtb executions rollback|branch|edit-state`: go back, go another way, change what was."""

from typing import Annotated

import typer

from wtb_async.cli.arguments import (
    STATE_HELP,
    AsNode,
    ExecutionId,
    StateText,
    Variants,
    read_choices,
    read_object_argument,
)
from wtb_async.cli.outcome import show_outcome
from wtb_async.cli.server import DEFAULT_DATA_DIR, AsJson, DataDir, call
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.sdk.client import WTBClient


def register(executions: typer.Typer) -> None:
    """Add the verbs to `wtb executions`."""
    executions.command("rollback")(roll_back_execution)
    executions.command("branch")(branch_execution)
    executions.command("edit-state")(edit_state)


def roll_back_execution(
    execution_id: ExecutionId,
    *,
    checkpoint: Annotated[str | None, typer.Option(help="Id of one of its checkpoints.")] = None,
    before_node: Annotated[
        str | None, typer.Option(help="To before the last time this node ran.")
    ] = None,
    after_node: Annotated[
        str | None, typer.Option(help="To after the last time this node completed.")
    ] = None,
    keep_files: Annotated[
        bool, typer.Option("--keep-files", help="Leave the files as they are now.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Take an execution back to one moment; it is paused there, and the old timeline is kept."""
    if sum(moment is not None for moment in (checkpoint, before_node, after_node)) != 1:
        raise typer.BadParameter("give one of --checkpoint, --before-node and --after-node")

    async def command(client: WTBClient) -> None:
        execution = await client.executions.roll_back(
            execution_id,
            checkpoint_id=checkpoint,
            before_node=before_node,
            after_node=after_node,
            restore_files=not keep_files,
        )
        await show_outcome(
            client, execution, wanted=ExecutionStatus.PAUSED, wait=False, as_json=as_json
        )

    call(data_dir, command)


def branch_execution(
    execution_id: ExecutionId,
    *,
    checkpoint: Annotated[str, typer.Option(help="Id of the checkpoint where it begins.")],
    state: StateText = None,
    variant: Variants = None,
    no_start: Annotated[
        bool, typer.Option("--no-start", help="Leave it paused where it begins.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for its end, or pause.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Begin a new execution at a checkpoint of another, which stays as it is."""
    values = None if state is None else read_object_argument(state)
    variants = read_choices(variant or [])
    wanted = ExecutionStatus.PAUSED if no_start else ExecutionStatus.COMPLETED

    async def command(client: WTBClient) -> None:
        execution = await client.executions.branch(
            execution_id, checkpoint, state=values, variants=variants, start=not no_start
        )
        await show_outcome(client, execution, wanted=wanted, wait=wait, as_json=as_json)

    call(data_dir, command)


def edit_state(
    execution_id: ExecutionId,
    *,
    state: Annotated[str, typer.Option(help=STATE_HELP)],
    as_node: AsNode = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is paused again.")] = False,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Change the state of a paused execution."""
    values = read_object_argument(state)

    async def command(client: WTBClient) -> None:
        execution = await client.executions.edit_state(execution_id, values, as_node=as_node)
        await show_outcome(
            client, execution, wanted=ExecutionStatus.PAUSED, wait=wait, as_json=as_json
        )

    call(data_dir, command)

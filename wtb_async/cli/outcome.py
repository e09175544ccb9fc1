"""What a command has made of an execution, for people, programs and the shell."""

import typer

from wtb_async.cli.console import ExitCode, print_json, stderr, stdout
from wtb_async.cli.execution_views import print_execution
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.sdk.client import WTBClient
from wtb_async.sdk.models import Execution


async def show_outcome(
    client: WTBClient,
    execution: Execution,
    *,
    wanted: ExecutionStatus,
    wait: bool,
    as_json: bool,
) -> None:
    """Print the execution that a command has answered, as it stands or once it rests.

    Raises:
        typer.Exit: with code 1, when it rests otherwise than was wanted.
    """
    if wait:
        stderr().print(f"execution {execution.id} accepted, waiting", soft_wrap=True)
        execution = await client.executions.wait_for(execution.id, since=execution.version)
    if as_json:
        print_json(execution.model_dump(mode="json"))
    else:
        print_execution(stdout(), execution)
    if wait and not _is_as_wanted(execution, wanted):
        raise typer.Exit(ExitCode.FAILED)


def _is_as_wanted(execution: Execution, wanted: ExecutionStatus) -> bool:
    """An edit that LangGraph refuses leaves the execution paused too, with the error."""
    refused = execution.status is ExecutionStatus.PAUSED and execution.error is not None
    return execution.status is wanted and not refused

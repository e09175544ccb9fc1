"""`wtb executions checkpoints|state|nodes|tree`: what happened in one execution, step by step."""

from typing import Annotated

import typer

from wtb_async.cli.arguments import ExecutionId
from wtb_async.cli.console import print_json, stdout
from wtb_async.cli.listing import first, page_size
from wtb_async.cli.server import DEFAULT_DATA_DIR, AsJson, DataDir, call
from wtb_async.cli.timeline_views import print_checkpoints, print_nodes, print_state
from wtb_async.cli.tree_views import print_tree
from wtb_async.sdk.client import WTBClient


def register(executions: typer.Typer) -> None:
    """Add the verbs to `wtb executions`."""
    executions.command("checkpoints")(show_checkpoints)
    executions.command("state")(show_state)
    executions.command("nodes")(list_nodes)
    executions.command("tree")(show_tree)


def show_checkpoints(
    execution_id: ExecutionId,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Show the timeline of one execution, newest checkpoint first."""

    async def command(client: WTBClient) -> None:
        found = client.executions.checkpoints(execution_id, page_size=page_size(limit))
        checkpoints = await first(limit, found)
        if as_json:
            print_json([each.model_dump(mode="json") for each in checkpoints])
        else:
            print_checkpoints(stdout(), checkpoints)

    call(data_dir, command)


def show_state(
    execution_id: ExecutionId,
    checkpoint: Annotated[
        str | None, typer.Option(help="Id of the checkpoint; without it, the newest.")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Show the values of one execution at any of its checkpoints."""

    async def command(client: WTBClient) -> None:
        state = await client.executions.state(execution_id, checkpoint)
        if as_json:
            print_json(state.model_dump(mode="json"))
        else:
            print_state(stdout(), state)

    call(data_dir, command)


def list_nodes(
    execution_id: ExecutionId, as_json: AsJson = False, data_dir: DataDir = DEFAULT_DATA_DIR
) -> None:
    """List every attempt of every node of one execution, oldest first."""

    async def command(client: WTBClient) -> None:
        nodes = [each async for each in client.executions.nodes(execution_id)]
        if as_json:
            print_json([each.model_dump(mode="json") for each in nodes])
        else:
            print_nodes(stdout(), nodes)

    call(data_dir, command)


def show_tree(
    execution_id: ExecutionId, as_json: AsJson = False, data_dir: DataDir = DEFAULT_DATA_DIR
) -> None:
    """Show all timelines of one execution, where they forked, and what branched off them."""

    async def command(client: WTBClient) -> None:
        tree = await client.executions.tree(execution_id)
        if as_json:
            print_json(tree.model_dump(mode="json"))
        else:
            print_tree(stdout(), tree)

    call(data_dir, command)

"""`wtb workflows`: registered graphs."""

import asyncio
from typing import Annotated

import typer
from rich.table import Table

from wtb_async.cli.console import expected_errors, print_fields, print_json, stdout
from wtb_async.cli.server import DEFAULT_DATA_DIR, AsJson, DataDir, call
from wtb_async.sdk.client import WTBClient
from wtb_async.sdk.models import Workflow

Name = Annotated[str, typer.Argument(help="Name or id of the workflow.")]


def register(app: typer.Typer) -> None:
    """Add `wtb workflows`."""
    workflows = typer.Typer(help="Registered graphs and their variants.", no_args_is_help=True)
    workflows.command("ls")(list_workflows)
    workflows.command("show")(show_workflow)
    workflows.command("add")(add_workflow)
    workflows.command("sync")(sync_projects)
    app.add_typer(workflows, name="workflows")


def list_workflows(as_json: AsJson = False, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """List the registered graphs."""

    async def command(client: WTBClient) -> None:
        found = [each async for each in client.workflows.list()]
        if as_json:
            print_json([each.model_dump(mode="json") for each in found])
            return
        table = Table("name", "graph", "description", box=None)
        for each in found:
            table.add_row(each.name, each.graph, each.description)
        stdout().print(table)

    call(data_dir, command)


def show_workflow(
    workflow: Name, as_json: AsJson = False, data_dir: DataDir = DEFAULT_DATA_DIR
) -> None:
    """Show a graph: its nodes, its variants, and its picture as Mermaid."""

    async def command(client: WTBClient) -> None:
        found = await client.workflows.get(workflow)
        if as_json:
            print_json(found.model_dump(mode="json"))
        else:
            _print(found)

    call(data_dir, command)


def add_workflow(
    name: Annotated[str, typer.Argument(help="The name to run it by.")],
    graph: Annotated[str, typer.Argument(help="`./file.py:attr` or `package.module:attr`.")],
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    as_json: AsJson = False,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Register a graph of the server's project."""

    async def command(client: WTBClient) -> None:
        made = await client.workflows.create(name, graph, description=description)
        if as_json:
            print_json(made.model_dump(mode="json"))
        else:
            _print(made)

    call(data_dir, command)


def sync_projects() -> None:
    """Register what the langgraph.json files in WTB_PROJECTS name; runs on the server's side.

    `wtb up` does this by itself. Running it again changes nothing.
    """
    # The server's parts take a second to import, and the other verbs do without them.
    from wtb_async.bootstrap.projects import sync_all_projects  # noqa: PLC0415
    from wtb_async.settings import Settings  # noqa: PLC0415

    with expected_errors():
        for line in asyncio.run(sync_all_projects(Settings())):
            stdout().print(line, markup=False)


def _print(workflow: Workflow) -> None:
    console = stdout()
    print_fields(
        console,
        {
            "id": str(workflow.id),
            "name": workflow.name,
            "graph": workflow.graph,
            "description": workflow.description,
            "nodes": ", ".join(workflow.nodes),
            "variants": ", ".join(f"{v.node}={v.name}" for v in workflow.node_variants),
            "workflow variants": ", ".join(v.name for v in workflow.workflow_variants),
        },
    )
    if workflow.mermaid:
        console.print(workflow.mermaid, markup=False)

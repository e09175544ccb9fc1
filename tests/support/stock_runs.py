"""Executions of a served API whose graphs run in the test, on the stock saver."""

from pathlib import Path
from typing import Any

from api_fixtures import ServedApi
from arranging import PROJECTS
from savers import on, stock_saver
from served_api import Caller

from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.langgraph.graph_loader import load_graph
from wtb_async.infrastructure.langgraph.node_replacement import compile_like, replace_nodes
from wtb_async.infrastructure.langgraph.projects import read_project


async def run(api: ServedApi, caller: Caller, workflow: Workflow, **given: Any) -> str:  # noqa: ANN401
    """Accept an execution and run its graph as a runner would; answers its path."""
    accepted = await caller.execute(workflow.name, input=given)
    graph = await load_graph(read_project(_file_of(workflow)), workflow.graph)
    async with stock_saver(api.database_url) as saver:
        compiled = compile_like(graph, replace_nodes(graph, {}), checkpointer=saver)
        await compiled.ainvoke(given, on(accepted["thread_id"]), durability="sync")
    return f"/executions/{accepted['id']}"


def _file_of(workflow: Workflow) -> Path:
    return PROJECTS / workflow.project / "langgraph.json"

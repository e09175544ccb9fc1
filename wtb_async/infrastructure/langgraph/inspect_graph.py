"""The child process of `inspection`: reads one question from standard input, writes one answer."""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic.errors import PydanticUserError

from wtb_async.domain.errors import InvalidInput, WtbError
from wtb_async.domain.json import JsonObject
from wtb_async.infrastructure.checkpoints.state_keys import is_state_key
from wtb_async.infrastructure.langgraph.graph_loader import Graph, load_graph, load_node
from wtb_async.infrastructure.langgraph.inspection import ChannelsAt
from wtb_async.infrastructure.langgraph.node_replacement import (
    Compiled,
    Replacement,
    compile_like,
    replace_nodes,
)
from wtb_async.infrastructure.langgraph.projects import read_project
from wtb_async.infrastructure.langgraph.round_trip import lost_types


def describe(graph: Any) -> JsonObject:  # noqa: ANN401 - compiled graphs have four type parameters
    """Topology and schemas of a compiled graph: what `/workflows/{id}` shows."""
    drawn = graph.get_graph()
    nodes = [name for name in drawn.nodes if name not in {"__start__", "__end__"}]
    edges = [
        {"source": edge.source, "target": edge.target, "conditional": edge.conditional}
        for edge in drawn.edges
    ]
    return {
        "nodes": nodes,
        "edges": edges,
        "mermaid": drawn.draw_mermaid(),
        "state_keys": sorted(filter(is_state_key, graph.channels)),
        "input_schema": _schema(graph.get_input_jsonschema),
        "output_schema": _schema(graph.get_output_jsonschema),
    }


def _schema(describe_schema: Callable[[], JsonObject]) -> JsonObject:
    """A JSON schema; one that allows any object where Pydantic cannot say more.

    It knows nothing of some types that LangGraph takes, `typing.TypedDict` before Python 3.12
    among them, and such graphs run all the same.
    """
    try:
        return describe_schema()
    except PydanticUserError as error:
        return {"type": "object", "description": f"not described further: {error.message}"}


def _compiled(graph: Graph, replacements: dict[str, Replacement]) -> Compiled:
    """The graph as a runner has it. Raises InvalidInput where checkpoints would lose its state."""
    compiled = compile_like(graph, replace_nodes(graph, replacements))
    if violations := lost_types(compiled):
        raise InvalidInput(violations)
    return compiled


async def _answer(question: dict[str, Any]) -> dict[str, Any]:
    project = read_project(Path(question["project"]))
    try:
        graph = await load_graph(project, question["graph"])
        if wanted := question.get("rebuild"):
            return {"found": await _rebuilt(graph, ChannelsAt(**wanted))}
        for node, reference in question["variants"]:
            _compiled(graph, {node: Replacement(reference, load_node(project, reference))})
        return {"found": describe(_compiled(graph, {}))}
    except InvalidInput as error:
        return {"violations": [{"field": v.field, "message": v.message} for v in error.violations]}
    except (WtbError, ValueError, TypeError, KeyError) as error:
        message = f"{question['graph']!r} does not compile: {type(error).__name__}: {error}"
        return {"violations": [{"field": "graph", "message": message}]}


async def _rebuilt(graph: Graph, wanted: ChannelsAt) -> dict[str, Any]:
    # Registering a workflow needs no driver of the database.
    from wtb_async.infrastructure.langgraph.rebuild_channels import (  # noqa: PLC0415
        rebuild_channels,
    )

    return asdict(await rebuild_channels(graph, wanted))


def main() -> None:
    """Answer one question."""
    question = json.load(sys.stdin)
    # What the user's modules print must not mix with the answer.
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    output.write("\n" + json.dumps(asyncio.run(_answer(question)), default=str))
    output.flush()


if __name__ == "__main__":
    main()

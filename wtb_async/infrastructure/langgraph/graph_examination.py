"""Looks at a graph that may be loaded here: what it looks like, and whether it can be run."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from pydantic.errors import PydanticUserError

from wtb_async.domain.errors import InvalidInput, WtbError
from wtb_async.domain.json import JsonObject
from wtb_async.infrastructure.checkpoints.state_keys import is_state_key
from wtb_async.infrastructure.langgraph.code_source import CodeSource
from wtb_async.infrastructure.langgraph.graph_loader import Graph, load_graph, load_node
from wtb_async.infrastructure.langgraph.node_replacement import (
    Compiled,
    Replacement,
    compile_like,
    replace_nodes,
)
from wtb_async.infrastructure.langgraph.round_trip import lost_types
from wtb_async.infrastructure.node_process.movable import check_movable


async def examine_graph(
    source: CodeSource,
    reference: str,
    variants: Sequence[tuple[str, str]],
    workflow: str | None = None,
) -> JsonObject:
    """The graph's topology and schemas.

    Raises:
        InvalidInput: it does not load or compile, checkpoints would lose its state, one of the
            variants, each a `(node, reference)`, cannot take its node's place, or a node of the
            `workflow` cannot have the process that the source gives it.
    """
    graph = await load_graph(source, reference)
    processes = source.workspace_of(workflow).processes if workflow else frozenset()
    try:
        for node, implementation in variants:
            taken = Replacement(implementation, load_node(source, implementation))
            check_movable(_compiled(graph, {node: taken}), processes)
        compiled = _compiled(graph, {})
        check_movable(compiled, processes)
        return describe(compiled)
    except InvalidInput:
        raise
    except (WtbError, ValueError, TypeError, KeyError) as error:
        message = f"{reference!r} does not compile: {type(error).__name__}: {error}"
        raise InvalidInput.of("graph", message) from error


def describe(graph: Any) -> JsonObject:  # noqa: ANN401 - compiled graphs have four type parameters
    """Topology and schemas of a compiled graph: what `/workflows/{id}` shows."""
    drawn = graph.get_graph()
    nodes = [name for name in drawn.nodes if name not in {"__start__", "__end__"}]
    edges = [
        {"source": edge.source, "target": edge.target, "conditional": edge.conditional}
        for edge in drawn.edges
    ]
    description = {
        "nodes": nodes,
        "edges": edges,
        "mermaid": drawn.draw_mermaid(),
        "state_keys": sorted(filter(is_state_key, graph.channels)),
        "input_schema": _schema(graph.get_input_jsonschema),
        "output_schema": _schema(graph.get_output_jsonschema),
    }
    plain: JsonObject = json.loads(json.dumps(description, default=str))
    return plain


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

"""Turns references into graphs and nodes, inside the process that will run them."""

import inspect
from collections.abc import Callable
from typing import Any

from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph

from wtb_async.domain.errors import InvalidInput
from wtb_async.infrastructure.langgraph.code_source import CodeSource

Graph = StateGraph[Any, Any, Any, Any] | CompiledStateGraph[Any, Any, Any, Any]


async def load_graph(source: CodeSource, reference: str) -> Graph:
    """Load a graph: a `StateGraph`, a compiled graph, or a factory of either, plain or async.

    A factory may take one argument, which gets an empty config.

    Raises:
        InvalidInput: the reference does not lead to a graph.
    """
    found = source.load(reference)
    if not _is_graph(found) and callable(found):
        found = await _call_factory(found, reference)
    if not _is_graph(found):
        kind = type(found).__name__
        raise InvalidInput.of("graph", f"{reference!r} is a {kind}, not a LangGraph graph")
    graph: Graph = found
    return graph


def load_node(source: CodeSource, reference: str) -> Any:  # noqa: ANN401 - the user's own object
    """Load an implementation of a node: a callable or a Runnable. Raises InvalidInput."""
    found = source.load(reference, field="implementation")
    if not callable(found) and not hasattr(found, "ainvoke"):
        kind = type(found).__name__
        raise InvalidInput.of("implementation", f"{reference!r} is a {kind}, not a node")
    return found


async def _call_factory(factory: Callable[..., Any], reference: str) -> Any:  # noqa: ANN401
    try:
        takes_config = any(
            parameter.default is inspect.Parameter.empty
            and parameter.kind is not inspect.Parameter.VAR_KEYWORD
            and parameter.kind is not inspect.Parameter.VAR_POSITIONAL
            for parameter in inspect.signature(factory).parameters.values()
        )
        made = factory({}) if takes_config else factory()
        return await made if inspect.isawaitable(made) else made
    except Exception as error:
        message = f"the factory {reference!r} failed: {type(error).__name__}: {error}"
        raise InvalidInput.of("graph", message) from error


def _is_graph(found: object) -> bool:
    return isinstance(found, StateGraph | CompiledStateGraph)

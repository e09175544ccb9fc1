"""NodeReplacer: the same graph with other implementations of some of its nodes."""

import asyncio
import copy
import dataclasses
import functools
import inspect
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from langgraph.graph import StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import CachePolicy

from wtb_async.domain.errors import NotFound
from wtb_async.infrastructure.langgraph.graph_loader import Graph

Builder = StateGraph[Any, Any, Any, Any]
Compiled = CompiledStateGraph[Any, Any, Any, Any]

_DEFAULT_HANDLER = "__default_error_handler__"


@dataclass(frozen=True, slots=True)
class Replacement:
    """Another implementation of one node, and the name of its variant."""

    variant: str
    implementation: Any


def builder_of(graph: Graph) -> Builder:
    """The builder behind a graph, compiled or not."""
    return graph.builder if isinstance(graph, CompiledStateGraph) else graph


def replace_nodes(graph: Graph, replacements: Mapping[str, Replacement]) -> Builder:
    """Copy the graph's builder with some nodes replaced; edges and policies stay.

    Args:
        graph: left as it is.
        replacements: by node name.

    Raises:
        NotFound: the graph has no such node.
    """
    builder = _clone(builder_of(graph))
    for node, replacement in replacements.items():
        _replace(builder, node, replacement)
    return builder


def compile_like(graph: Graph, builder: Builder, **overrides: Any) -> Compiled:  # noqa: ANN401
    """Compile `builder` with the settings that `graph` was compiled with.

    Args:
        graph: where cache, store, breakpoints and the like come from, if it is compiled.
        builder: what is compiled.
        overrides: arguments of `StateGraph.compile` that win.
    """
    if not isinstance(graph, CompiledStateGraph):
        return builder.compile(**overrides)
    settings = {
        "cache": graph.cache,
        "store": graph.store,
        "interrupt_before": graph.interrupt_before_nodes,
        "interrupt_after": graph.interrupt_after_nodes,
        "debug": graph.debug,
        "name": graph.name,
    }
    compiled = builder.compile(**(settings | overrides))
    for attribute in ("config", "step_timeout", "stream_eager", "retry_policy", "cache_policy"):
        setattr(compiled, attribute, getattr(graph, attribute))
    return compiled


def _clone(builder: Builder) -> Builder:
    """A builder of its own; LangGraph adds its default error handler again when it compiles."""
    clone = copy.copy(builder)
    clone.nodes = {
        name: dataclasses.replace(spec)
        for name, spec in builder.nodes.items()
        if name != _DEFAULT_HANDLER
    }
    for spec in clone.nodes.values():
        if spec.error_handler_node == _DEFAULT_HANDLER:
            spec.error_handler_node = None
    clone.edges, clone.waiting_edges = set(builder.edges), set(builder.waiting_edges)
    branches = {node: dict(ends) for node, ends in builder.branches.items()}
    clone.branches = defaultdict(dict, branches)
    clone.schemas, clone.channels = dict(builder.schemas), dict(builder.channels)
    clone.managed = dict(builder.managed)
    clone._node_defaults = dataclasses.replace(builder._node_defaults)
    clone.compiled = False
    return clone


def _replace(builder: Builder, node: str, replacement: Replacement) -> None:
    old = builder.nodes.pop(node, None)
    if old is None:
        raise NotFound("node", node)
    implementation = replacement.implementation
    if (old.timeout or builder._node_defaults.timeout) is not None:
        implementation = _in_thread(implementation)
    builder.add_node(
        node,
        implementation,
        defer=old.defer,
        metadata=old.metadata,
        input_schema=old.input_schema,
        retry_policy=old.retry_policy,
        cache_policy=_cache_apart(old.cache_policy, replacement.variant),
        destinations=old.ends or None,
        timeout=old.timeout,
        trace_policy=old.trace_policy,
    )
    builder.nodes[node].error_handler_node = old.error_handler_node


def _in_thread(implementation: Any) -> Any:  # noqa: ANN401 - the user's own object
    """LangGraph takes a node timeout only for async nodes."""
    if inspect.iscoroutinefunction(implementation) or hasattr(implementation, "ainvoke"):
        return implementation

    @functools.wraps(implementation)
    async def run_in_thread(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        return await asyncio.to_thread(implementation, *args, **kwargs)

    return run_in_thread


def _cache_apart(policy: CachePolicy[Any] | None, variant: str) -> CachePolicy[Any] | None:
    """LangGraph keys its node cache by function and node name: two variants could collide."""
    if policy is None:
        return None
    key_of: Callable[..., Any] = policy.key_func

    def key(*args: Any, **kwargs: Any) -> str:  # noqa: ANN401
        return f"{variant}:{key_of(*args, **kwargs)}"

    return CachePolicy(key_func=key, ttl=policy.ttl)

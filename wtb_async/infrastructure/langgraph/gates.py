"""Gates: the nodes in front of which executions that share a run must part."""

import copy
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.errors import GraphInterrupt
from langgraph.types import CachePolicy

from wtb_async.application.ids import new_id
from wtb_async.domain.errors import NotFound
from wtb_async.infrastructure.langgraph.node_replacement import Compiled

_REACHED: ContextVar[set[str] | None] = ContextVar("wtb_gates_reached", default=None)


# A result that the node has in the cache would let the run pass its gate. Without a policy the gate
# would have the graph's.
_NOTHING_CACHED: CachePolicy[Any] = CachePolicy(key_func=lambda *_, **__: new_id().hex)


def close_gates(graph: Compiled, gates: Collection[str]) -> Compiled:
    """A copy of the graph that rests in front of these nodes; nodes beside them run to their end.

    Raises:
        NotFound: the graph has no such node.
    """
    if not gates:
        return graph
    closed = copy.copy(graph)
    closed.nodes = dict(graph.nodes)
    for name in gates:
        if name not in graph.nodes:
            raise NotFound("node", name)
        # Whatever belongs to the node itself waits for the variants.
        closed.nodes[name] = graph.nodes[name].copy(
            {
                "bound": Gate(name),
                "mapper": None,
                "writers": [],
                "subgraphs": [],
                "cache_policy": _NOTHING_CACHED,
                "retry_policy": None,
                "timeout": None,
            }
        )
    return closed


@contextmanager
def noting_gates() -> Iterator[set[str]]:
    """The gates that a graph reaches within the block, by the names of their nodes."""
    reached: set[str] = set()
    token = _REACHED.set(reached)
    try:
        yield reached
    finally:
        _REACHED.reset(token)


class Gate(Runnable[Any, Any]):
    """Stands in for a node and interrupts the graph, as a breakpoint does: nothing is stored.

    Unlike a breakpoint it lets the other tasks of its superstep run.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def invoke(
        self,
        input: Any,  # noqa: A002, ANN401 - LangChain's signature
        config: RunnableConfig | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Note that the gate has been reached, and interrupt. Raises GraphInterrupt."""
        del input, config, kwargs
        if (reached := _REACHED.get()) is not None:
            reached.add(str(self.name))
        raise GraphInterrupt

    async def ainvoke(
        self,
        input: Any,  # noqa: A002, ANN401 - LangChain's signature
        config: RunnableConfig | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """The same on the event loop, where runs are driven."""
        return self.invoke(input, config, **kwargs)

"""Nodes without LangChain's callbacks, as long as nobody listens to them."""

import asyncio
from contextvars import copy_context
from typing import Any, cast

from langchain_core.callbacks import BaseCallbackManager
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import var_child_runnable_config
from langgraph.pregel._read import PregelNode

_OF_THE_NODE_ONLY = ("run_name", "run_id")
"""What LangGraph keeps from the runnables inside a node."""


def quieten(node: PregelNode) -> PregelNode:
    """Let this node tell no callbacks of its start and end while there are none.

    LangGraph makes three callback managers for every visit, and with no handler nobody hears of
    it; that is a twentieth of a run's processor time. With handlers (a tracer, a message stream)
    the node runs as LangGraph would run it.
    """
    whole = node.node
    if whole is not None and hasattr(whole, "steps"):
        node.node = QuietNode(whole)
    return node


class QuietNode(Runnable[Any, Any]):
    """A node followed by its writers: LangGraph's sequence, or the same steps without callbacks."""

    def __init__(self, sequence: Runnable[Any, Any]) -> None:
        self.name = sequence.get_name()
        self._sequence = sequence
        self._node, *self._writers = cast(Any, sequence).steps

    def invoke(
        self,
        input: Any,  # noqa: A002, ANN401 - LangChain's signature
        config: RunnableConfig | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Run LangGraph's sequence: runs are always driven asynchronously."""
        return self._sequence.invoke(input, config, **kwargs)

    async def ainvoke(
        self,
        input: Any,  # noqa: A002, ANN401 - LangChain's signature
        config: RunnableConfig | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Run the node in a context of its own, then its writers."""
        if config is None or _is_heard(config):
            return await self._sequence.ainvoke(input, config, **kwargs)
        inner = cast(
            RunnableConfig, {k: v for k, v in config.items() if k not in _OF_THE_NODE_ONLY}
        )
        context = copy_context()
        context.run(var_child_runnable_config.set, inner)
        visit = self._node.ainvoke(input, inner, **kwargs)
        output = await asyncio.create_task(visit, context=context)
        for writer in self._writers:
            output = await writer.ainvoke(output, inner)
        return output

    async def astream(
        self,
        input: Any,  # noqa: A002, ANN401 - LangChain's signature
        config: RunnableConfig | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Stream LangGraph's sequence, which is asked for only where somebody listens."""
        async for chunk in self._sequence.astream(input, config, **kwargs):
            yield chunk


def _is_heard(config: RunnableConfig) -> bool:
    callbacks = config.get("callbacks")
    if isinstance(callbacks, BaseCallbackManager):
        return bool(callbacks.handlers or callbacks.inheritable_handlers)
    return bool(callbacks)

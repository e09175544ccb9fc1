"""The node of a graph that stands for one in a process of its own."""

from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig
from langgraph._internal._constants import CONFIG_KEY_RUNTIME, CONFIG_KEY_SEND
from langgraph.errors import GraphInterrupt, ParentCommand

from wtb_async.infrastructure.langgraph.active_run import WORKSPACE
from wtb_async.infrastructure.node_process.address import NodeAddress
from wtb_async.infrastructure.node_process.carried_config import carried
from wtb_async.infrastructure.node_process.messages import Kind, Messages
from wtb_async.infrastructure.node_process.node_error import rebuilt
from wtb_async.infrastructure.node_process.pool import NodeProcesses


class NodeInProcess(Runnable[Any, Any]):
    """A node that runs elsewhere, and to the graph is the same."""

    def __init__(
        self,
        name: str,
        original: Runnable[Any, Any],
        processes: NodeProcesses,
        messages: Messages,
        address: NodeAddress,
    ) -> None:
        self.name = name
        self.func = getattr(original, "func", None)
        """The function behind the node, which LangGraph's node cache keys its entries by."""
        self._original = original
        self._processes = processes
        self._messages = messages
        self._address = address

    def invoke(
        self,
        input: Any,  # noqa: A002, ANN401 - LangChain's signature
        config: RunnableConfig | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Run the node in this process: runs are always driven asynchronously."""
        return self._original.invoke(input, config, **kwargs)

    async def ainvoke(
        self,
        input: Any,  # noqa: A002, ANN401 - LangChain's signature
        config: RunnableConfig | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Run the node in its process; being cancelled ends the process.

        Raises:
            NodeProcessDied: its process ended before it did.
            NotTransferable: its input or output cannot travel.
            Exception: what the node raises, by class, name and message.
        """
        if config is None or kwargs:
            raise TypeError("a node in a process of its own is run by its graph only")
        body = carried(input, config)
        async with self._processes.lend(self._address, self._messages) as process:
            kind, said = await process.call(body, _Listener(config).hear)
        return _ended(kind, said)


class _Listener:
    """Does in the runner what the node does through its config."""

    def __init__(self, config: RunnableConfig) -> None:
        self._configurable = config["configurable"]

    def hear(self, kind: Kind, body: Any) -> None:  # noqa: ANN401 - what the node streams
        runtime = self._configurable[CONFIG_KEY_RUNTIME]
        if kind is Kind.STREAMED:
            runtime.stream_writer(body)
        elif kind is Kind.HEARTBEAT:
            runtime.heartbeat()
        elif kind is Kind.WROTE:
            self._configurable[CONFIG_KEY_SEND]([tuple(write) for write in body])
        elif kind is Kind.KEPT:
            self._configurable[WORKSPACE].keep()


def _ended(kind: Kind, said: Any) -> Any:  # noqa: ANN401 - the node's output
    if kind is Kind.INTERRUPTED:
        raise GraphInterrupt(tuple(said))
    if kind is Kind.UPWARDS:
        raise ParentCommand(said)
    if kind is Kind.EXITED:
        raise SystemExit(said)
    if kind is Kind.RAISED:
        raise rebuilt(said)
    return said

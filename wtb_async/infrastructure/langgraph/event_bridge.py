"""LangGraph's streams as live events of the execution."""

from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.types import GraphOutput

from wtb_async.application.ports import LiveSink
from wtb_async.domain.stream_mode import StreamMode
from wtb_async.infrastructure.langgraph.node_replacement import Compiled
from wtb_async.infrastructure.langgraph.streamed_data import split_interrupts, streamed_data


async def invoke(
    graph: Compiled,
    graph_input: Any,  # noqa: ANN401 - what the graph takes
    config: RunnableConfig,
    *,
    live: LiveSink | None,
    **options: Any,  # noqa: ANN401 - of `ainvoke`
) -> GraphOutput[Any]:
    """Do what `graph.ainvoke(graph_input, config, version="v2", **options)` does, and show it.

    Args:
        graph: what is run.
        graph_input: input, command, or None to go on.
        config: with the thread.
        live: shown what its modes ask for, subgraphs included; without it nothing is streamed.
        options: `durability`, `interrupt_before`, `interrupt_after`, `control`.

    Raises:
        Exception: whatever the graph raises, after what came before it was shown.
    """
    if live is None:
        output: GraphOutput[Any] = await graph.ainvoke(graph_input, config, version="v2", **options)
        return output
    latest: object = None
    interrupts: list[Any] = []
    async for namespace, name, payload in graph.astream(
        graph_input,
        config,
        # The outcome is read from the values, as `ainvoke` does it.
        stream_mode=list({StreamMode.VALUES.value, *(mode.value for mode in live.modes)}),
        subgraphs=True,
        # Version 2 forces the values of every subgraph into the root's state class.
        version="v1",
        **options,
    ):
        mode = StreamMode(name)
        if mode is StreamMode.VALUES and not namespace:
            latest, asked = split_interrupts(payload)
            interrupts.extend(asked)
        if mode in live.modes:
            limit = live.max_value_bytes
            live.put(
                mode.event_type, streamed_data(mode, namespace, payload, max_value_bytes=limit)
            )
    return GraphOutput(value=_output(graph, latest), interrupts=tuple(interrupts))


def _output(graph: Compiled, values: object) -> object:
    """The output channels of the last values, in the class that the graph declares for them."""
    channels = graph.output_channels
    if not isinstance(values, dict) or isinstance(channels, str):
        return values
    output = {name: value for name, value in values.items() if name in channels}
    return graph._output_mapper(output) if graph._output_mapper else output

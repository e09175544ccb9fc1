"""Rebuilds DeltaChannels from the writes along the chain of checkpoints, with the graph loaded."""

from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.pregel._checkpoint import achannels_from_checkpoint

from wtb_async.domain.json import JsonValue
from wtb_async.infrastructure.checkpoints.serializer import StrictSerializer
from wtb_async.infrastructure.langgraph.graph_loader import Graph
from wtb_async.infrastructure.langgraph.inspection import ChannelsAt, ShownChannels
from wtb_async.infrastructure.langgraph.node_replacement import (
    Compiled,
    compile_like,
    replace_nodes,
)
from wtb_async.infrastructure.langgraph.schema_types import trusted_types
from wtb_async.infrastructure.langgraph.shown_json import NotShown, reason_of, shown_json


async def rebuild_channels(graph: Graph, wanted: ChannelsAt) -> ShownChannels:
    """The channels' values at a root checkpoint; for each that fails, the reason."""
    rebuilt = ShownChannels(values={}, not_shown={})
    opened = AsyncPostgresSaver.from_conn_string(wanted.database_url, serde=StrictSerializer())
    async with opened as saver:
        compiled = compile_like(graph, replace_nodes(graph, {}))
        compiled.checkpointer = saver.with_allowlist(trusted_types(compiled))
        for name in wanted.names:
            try:
                rebuilt.values[name] = await _rebuild(compiled, wanted, name)
            except NotShown as reason:
                rebuilt.not_shown[name] = str(reason)
    return rebuilt


async def _rebuild(graph: Compiled, wanted: ChannelsAt, name: str) -> JsonValue:
    try:
        value = await _value(graph, wanted, name)
    except Exception as error:
        # The reducer is the user's own, and the graph may have changed since.
        raise NotShown(reason_of(error)) from error
    return shown_json(lambda: value, name)


async def _value(graph: Compiled, wanted: ChannelsAt, name: str) -> Any:  # noqa: ANN401
    saver = graph.checkpointer
    assert isinstance(saver, BaseCheckpointSaver)  # noqa: S101 - given above
    config: RunnableConfig = {
        "configurable": {
            "thread_id": wanted.thread_id,
            "checkpoint_ns": "",
            "checkpoint_id": wanted.checkpoint_id,
        }
    }
    saved = await saver.aget_tuple(config)
    if saved is None:
        raise LookupError(f"checkpoint {wanted.checkpoint_id} is gone")
    channels, _ = await achannels_from_checkpoint(
        {name: graph.channels[name]}, saved.checkpoint, saver=saver, config=saved.config
    )
    return channels[name].get()

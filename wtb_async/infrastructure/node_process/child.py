"""The process of a node: loads it, and runs it whenever the runner asks."""

import asyncio
import os
import socket
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any

from langchain_core.runnables import Runnable
from langchain_core.runnables.config import var_child_runnable_config
from langgraph.errors import GraphInterrupt, ParentCommand

from wtb_async.domain.errors import WtbError
from wtb_async.infrastructure.langgraph.graph_loader import load_graph, load_node
from wtb_async.infrastructure.langgraph.node_replacement import (
    Replacement,
    compile_like,
    replace_nodes,
)
from wtb_async.infrastructure.langgraph.projects import read_project
from wtb_async.infrastructure.node_process.address import NodeAddress
from wtb_async.infrastructure.node_process.carried_config import config_of
from wtb_async.infrastructure.node_process.channel import Channel
from wtb_async.infrastructure.node_process.errors import NotTransferable
from wtb_async.infrastructure.node_process.messages import Kind, Messages, Terms
from wtb_async.infrastructure.node_process.node_error import described
from wtb_async.infrastructure.node_process.surroundings import Surroundings
from wtb_async.infrastructure.workspaces.other_process import respect_links


class _Node:
    """The node of this process."""

    def __init__(self, runnable: Runnable[Any, Any], channel: Channel) -> None:
        self._runnable = runnable
        self._channel = channel
        self._surroundings = Surroundings()

    async def answer(self, content: bytes) -> None:
        """Run the node once and say how it ended."""
        kind, body = await self._outcome(content)
        self._channel.next_call()
        try:
            self._channel.say(kind, body)
        except NotTransferable as error:
            self._channel.say(Kind.RAISED, described(error))

    async def _outcome(self, content: bytes) -> tuple[Kind, object]:
        try:
            _, call = self._channel.messages.read(content)
            say = partial(self._channel.say, call=self._channel.next_call())
            config = config_of(call, say)
            var_child_runnable_config.set(config)
            with self._surroundings.left_for(call["folder"]):
                return Kind.RETURNED, await self._runnable.ainvoke(call["input"], config)
        except GraphInterrupt as stop:
            return Kind.INTERRUPTED, list(stop.args[0] if stop.args else ())
        except ParentCommand as command:
            return Kind.UPWARDS, command.args[0]
        except SystemExit as exit_:
            return Kind.EXITED, exit_.code if isinstance(exit_.code, int) else str(exit_.code)
        except BaseException as error:  # noqa: BLE001 - whatever the node raises is the runner's to judge
            return Kind.RAISED, described(error)


async def _serve(channel: Channel) -> None:
    _, order = channel.messages.read(channel.hear())
    try:
        runnable = await _load(NodeAddress(**order["address"]))
    except (WtbError, ValueError, TypeError, KeyError) as error:
        message = str(error) if isinstance(error, WtbError) else repr(error)
        return channel.say(Kind.REFUSED, message)
    channel.messages = Messages(Terms.of(order["terms"]))
    node = _Node(runnable, channel)
    channel.say(Kind.READY)
    calls: asyncio.Queue[bytes] = asyncio.Queue()
    # In a thread, so that the end of the runner is heard while the node holds the loop.
    listening = (channel, asyncio.get_running_loop(), calls)
    threading.Thread(target=_listen, args=listening, daemon=True).start()
    while True:
        await node.answer(await calls.get())


def _listen(channel: Channel, loop: asyncio.AbstractEventLoop, calls: asyncio.Queue[bytes]) -> None:
    while True:
        loop.call_soon_threadsafe(calls.put_nowait, channel.hear())


async def _load(address: NodeAddress) -> Runnable[Any, Any]:
    """The node as the graph has it, or its variant in its place."""
    project = read_project(Path(address.project))
    graph = await load_graph(project, address.graph)
    replacements: dict[str, Replacement] = {}
    if address.implementation is not None:
        implementation = load_node(project, address.implementation)
        replacements[address.node] = Replacement(address.variant or "", implementation)
    compiled = compile_like(graph, replace_nodes(graph, replacements))
    return compiled.nodes[address.node].bound


def serve(line: int) -> None:
    """Serve one runner, over this descriptor, until it ends or ends this process."""
    os.set_inheritable(line, False)
    respect_links()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    asyncio.run(_serve(Channel(socket.socket(fileno=line))))

"""Keeps a node from moving its neighbours: those that share its process, in a runner.

Python tells an audit hook of every `os.chdir`, and lets it refuse. A hook cannot be taken away, so
only processes that do nothing but run nodes have this one.
"""

import os
import sys
from functools import cache
from typing import Any

import structlog
from langchain_core.runnables.config import var_child_runnable_config

from wtb_async.infrastructure.node_process.errors import WorkingDirectoryIsShared

log = structlog.get_logger(__name__)

_EVENTS = frozenset({"os.chdir", "os.putenv", "os.unsetenv"})
_TOLD_OF_AT_MOST = 1000


@cache
def protect_neighbours() -> None:
    """From now on a node in this process cannot change the working directory.

    One that does gets a `WorkingDirectoryIsShared`. Environment variables it may change, since
    libraries do so when they are imported; it is noted in the log, once for each node. Calling
    this again changes nothing.
    """
    told_of: set[str] = set()
    runner = os.getpid()

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        # Nearly every event is of another kind, and there are many of them.
        if event not in _EVENTS or (node := _node_running()) is None or os.getpid() != runner:
            return  # A process that a node has forked has the hook too, and no neighbours.
        if event == "os.chdir":
            raise WorkingDirectoryIsShared(node)
        if node not in told_of and len(told_of) < _TOLD_OF_AT_MOST:
            told_of.add(node)
            log.warning(
                "node_changes_shared_environment",
                node=node,
                variable=_text(arguments[0]),
                remedy='name it in "processes" of its workflow in langgraph.json',
            )

    sys.addaudithook(watch)


def _node_running() -> str | None:
    """The node whose code runs here; threads that a node starts by itself are not known."""
    config = var_child_runnable_config.get() or {}
    node = (config.get("metadata") or {}).get("langgraph_node")
    return None if node is None else str(node)


def _text(variable: bytes | str) -> str:
    return variable.decode(errors="replace") if isinstance(variable, bytes) else variable

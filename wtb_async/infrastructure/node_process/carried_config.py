"""What a node is told beside its input, on its way into the node's process."""

import asyncio
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph._internal._constants import (
    CONFIG_KEY_CALL,
    CONFIG_KEY_RUNTIME,
    CONFIG_KEY_SCRATCHPAD,
    CONFIG_KEY_SEND,
)
from langgraph._internal._scratchpad import PregelScratchpad
from langgraph.pregel._algo import LazyAtomicCounter
from langgraph.runtime import ExecutionInfo, Runtime
from langgraph.store.base import BaseStore, Op, Result

from wtb_async.infrastructure.langgraph.active_run import WORKSPACE
from wtb_async.infrastructure.node_process.errors import NotInNodeProcess
from wtb_async.infrastructure.node_process.messages import Kind

_OF_LANGGRAPH = "__pregel_"
_CARRIED = ("tags", "metadata", "run_name", "recursion_limit", "max_concurrency")

Say = Callable[[Kind, object], None]
"""Sends a message to the runner."""


def carried(given: object, config: RunnableConfig) -> dict[str, Any]:
    """The body of a call: the input and what of the config is plain."""
    configurable = config["configurable"]
    runtime: Runtime[Any] = configurable[CONFIG_KEY_RUNTIME]
    workspace = configurable.get(WORKSPACE)
    return {
        "input": given,
        "config": {key: config.get(key) for key in _CARRIED if key in config},
        "configurable": {
            key: value
            for key, value in configurable.items()
            if not key.startswith(_OF_LANGGRAPH) and key != WORKSPACE
        },
        "folder": None if workspace is None else os.fspath(workspace),
        "info": asdict(runtime.execution_info) if runtime.execution_info else None,
        "has_store": runtime.store is not None,
        "step": [(pad := configurable[CONFIG_KEY_SCRATCHPAD]).step, pad.stop],
        "resume": pad.resume,
    }


def config_of(call: dict[str, Any], say: Say) -> RunnableConfig:
    """The config of a call that arrived; what the node does through it is said to the runner."""
    configurable = {
        **call["configurable"],
        CONFIG_KEY_RUNTIME: _runtime(call, say),
        CONFIG_KEY_SCRATCHPAD: _scratchpad(call),
        CONFIG_KEY_SEND: lambda writes: say(Kind.WROTE, [list(write) for write in writes]),
        CONFIG_KEY_CALL: _refuse_tasks,
    }
    if call["folder"] is not None:
        configurable[WORKSPACE] = CarriedWorkspace(call["folder"], say)
    return cast(RunnableConfig, call["config"] | {"callbacks": None, "configurable": configurable})


class CarriedWorkspace(os.PathLike[str]):
    """The node's workspace, as `config["configurable"]["wtb_workspace"]` has it in any node."""

    def __init__(self, folder: str, say: Say) -> None:
        self._folder = folder
        self._say = say

    def __fspath__(self) -> str:
        return self._folder

    def keep(self) -> None:
        """Ask for a snapshot at the end of the node."""
        self._say(Kind.KEPT, None)


def _runtime(call: dict[str, Any], say: Say) -> Runtime[Any]:
    return Runtime(
        store=_StoreOutOfReach() if call["has_store"] else None,
        stream_writer=lambda chunk: say(Kind.STREAMED, chunk),
        heartbeat=lambda: say(Kind.HEARTBEAT, None),
        execution_info=ExecutionInfo(**call["info"]) if call["info"] else None,
    )


def _scratchpad(call: dict[str, Any]) -> PregelScratchpad:
    """The answers that the task has been given; the runner keeps none for whoever asks first."""
    step, stop = call["step"]
    return PregelScratchpad(
        step=step,
        stop=stop,
        call_counter=LazyAtomicCounter(),
        interrupt_counter=LazyAtomicCounter(),
        get_null_resume=_nothing,
        resume=list(call["resume"]),
        subgraph_counter=LazyAtomicCounter(),
    )


def _nothing(consume: bool = False) -> None:
    del consume


def _refuse_tasks(*_: object, **__: object) -> asyncio.Future[Any]:
    raise NotInNodeProcess("a node in a process of its own cannot call a @task; call a function")


class _StoreOutOfReach(BaseStore):
    """Stands for the graph's store, which lives in the runner."""

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        del ops
        raise NotInNodeProcess(
            "a node in a process of its own has no store; read and write it in a node beside"
        )

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        return self.batch(ops)

"""What LangGraph streams, as the data of our events: stable names, plain JSON, bounded."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from wtb_async.domain.stream_mode import StreamMode
from wtb_async.infrastructure.langgraph.bounded_json import bounded_json, bounded_message

Fields = dict[str, object]

_INTERRUPTS = "__interrupt__"
"""Where LangGraph puts interrupts beside values and updates."""


def streamed_data(
    mode: StreamMode, namespace: Sequence[str], payload: object, *, max_value_bytes: int
) -> bytes:
    """A JSON object with the payload's fields and `ns`, the path of the subgraph.

    A field whose JSON is larger than the limit, or that cannot be shown, becomes a note.

    Args:
        mode: what the payload is.
        namespace: `node:task id` for each graph around it, empty at the root.
        payload: as `astream` gives it.
        max_value_bytes: for each field.
    """
    fields: Fields = {"ns": list(namespace), **_FIELDS[mode](payload)}
    return orjson.dumps(
        {
            name: orjson.Fragment(bounded_json(value, max_value_bytes))
            for name, value in fields.items()
        }
    )


def split_interrupts(values: object) -> tuple[object, tuple[Any, ...]]:
    """A payload of the mode `values`, as the values and the interrupts that came with them."""
    if not isinstance(values, Mapping):
        return values, ()
    own = {name: value for name, value in values.items() if name != _INTERRUPTS}
    return own, tuple(values.get(_INTERRUPTS, ()))


def _values(payload: object) -> Fields:
    values, interrupts = split_interrupts(payload)
    return {"values": values, "interrupts": _interrupts(interrupts)}


def _updates(payload: Any) -> Fields:  # noqa: ANN401 - a dict of LangGraph's
    updates, interrupts = split_interrupts(payload)
    return {"updates": updates, "interrupts": _interrupts(interrupts)}


def _message(payload: Any) -> Fields:  # noqa: ANN401 - a pair of LangGraph's
    message, metadata = payload
    return {"message": message, "metadata": metadata}


def _custom(payload: object) -> Fields:
    return {"value": payload}


def _task(payload: Any) -> Fields:  # noqa: ANN401 - a dict of LangGraph's
    """A task that begins has an input, one that has ended a result."""
    task: Fields = {"task_id": payload["id"], "node": payload["name"]}
    if "result" not in payload:
        return task | {"input": payload["input"], "triggers": payload["triggers"]}
    return task | {
        "result": payload["result"],
        "error": _error(payload["error"]),
        "interrupts": [_interrupt(each["id"], each["value"]) for each in payload["interrupts"]],
    }


def _checkpoint(payload: Any) -> Fields:  # noqa: ANN401 - a dict of LangGraph's
    """The fields of a checkpoint in the execution's timeline, and its values."""
    return {
        "checkpoint_id": _checkpoint_id(payload["config"]),
        "parent_checkpoint_id": _checkpoint_id(payload["parent_config"]),
        "step": payload["metadata"]["step"],
        "source": payload["metadata"]["source"],
        "next_nodes": payload["next"],
        "interrupts": [
            _interrupt(each["id"], each["value"])
            for task in payload["tasks"]
            for each in task.get("interrupts", ())
        ],
        "values": payload["values"],
    }


_FIELDS: dict[StreamMode, Callable[[Any], Fields]] = {
    StreamMode.VALUES: _values,
    StreamMode.UPDATES: _updates,
    StreamMode.MESSAGES: _message,
    StreamMode.CUSTOM: _custom,
    StreamMode.TASKS: _task,
    StreamMode.CHECKPOINTS: _checkpoint,
}


def _checkpoint_id(config: Any) -> object:  # noqa: ANN401 - a RunnableConfig or None
    return config["configurable"].get("checkpoint_id") if config else None


def _interrupts(interrupts: Sequence[Any]) -> list[Fields]:
    return [_interrupt(each.id, each.value) for each in interrupts]


def _interrupt(interrupt_id: str, value: object) -> Fields:
    return {"id": interrupt_id, "value": value}


def _error(error: object) -> object:
    if isinstance(error, BaseException):
        return {"type": type(error).__name__, "message": bounded_message(error)}
    return error

"""Finds in a node's output what a checkpoint cannot hold, while it is known whose output it is.

Strings and numbers at the top level of the state lie in the checkpoint's row as JSON. What is
nested is stored as bytes, which hold NaN and NUL as well.
"""

from collections.abc import Awaitable, Collection, Iterable
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from langgraph.channels import AnyValue, BinaryOperatorAggregate, EphemeralValue, LastValue
from langgraph.channels.base import BaseChannel
from langgraph.channels.last_value import LastValueAfterFinish
from langgraph.errors import GraphInterrupt, ParentCommand
from langgraph.types import Command

from wtb_async.infrastructure.langgraph.node_replacement import Compiled
from wtb_async.infrastructure.langgraph.plain_json import check_scalar, plain_json

_ROOT = "__root__"
_REPLACED = (LastValue, AnyValue, EphemeralValue, LastValueAfterFinish)
_SCALARS = (str, int, float)
_UNIONS = (Union, UnionType)


def keys_of_whole_values(graph: Compiled) -> frozenset[str]:
    """The keys of the state where a scalar that a node returns may become the whole value.

    A reducer that collects scalars in a list stores bytes; one that adds up scalars does not.
    """
    return frozenset(
        key
        for key, channel in graph.channels.items()
        if isinstance(channel, BaseChannel) and _holds_scalars(channel)
    )


async def storable(work: Awaitable[Any], keys: Collection[str]) -> Any:  # noqa: ANN401
    """What a node answers, be it an output, a command for the graph above or a question.

    Raises:
        NotStorable: a value that a checkpoint or an answer of ours cannot hold; names its key.
    """
    try:
        output = await work
    except ParentCommand as upwards:
        _check(upwards.args[0], keys)
        raise
    except GraphInterrupt as stop:
        for asked in stop.args[0] if stop.args else ():
            plain_json(asked.value, "interrupt")
            plain_json(asked.response_schema, "response_schema")
        raise
    _check(output, keys)
    return output


def _holds_scalars(channel: BaseChannel[Any, Any, Any]) -> bool:
    if isinstance(channel, BinaryOperatorAggregate):
        return any(kind in _SCALARS for kind in _alternatives(channel.ValueType))
    return isinstance(channel, _REPLACED)


def _alternatives(annotation: Any) -> tuple[Any, ...]:  # noqa: ANN401
    if get_origin(annotation) is Annotated:
        return _alternatives(get_args(annotation)[0])
    return get_args(annotation) if get_origin(annotation) in _UNIONS else (annotation,)


def _check(output: object, keys: Collection[str]) -> None:
    for key, value in _updates(output, keys):
        if key in keys:
            check_scalar(value, key)


def _updates(output: Any, keys: Collection[str]) -> Iterable[tuple[str, Any]]:  # noqa: ANN401
    """Keys and values of an output, with or without commands."""
    if isinstance(output, Command):
        return () if output.graph == Command.PARENT else _pairs(output.update, keys)
    if isinstance(output, list | tuple) and any(isinstance(item, Command) for item in output):
        return [pair for item in output for pair in _updates(item, keys)]
    return _pairs(output, keys)


def _pairs(update: Any, keys: Collection[str]) -> Iterable[tuple[str, Any]]:  # noqa: ANN401
    """Keys and values of an update of the state, in any form that LangGraph takes."""
    if _ROOT in keys:
        return ((_ROOT, update),)
    if isinstance(update, dict):
        return update.items()
    if isinstance(update, list | tuple):
        return [(item[0], item[1]) for item in update if _is_pair(item)]
    return [(key, getattr(update, key, None)) for key in keys]


def _is_pair(item: object) -> bool:
    return isinstance(item, list | tuple) and len(item) == 2 and isinstance(item[0], str)  # noqa: PLR2004 - a pair

"""Finds state types that a checkpoint would not give back, before a run depends on them."""

import dataclasses
import inspect
import sys
from collections.abc import Callable, Iterator
from enum import Enum
from re import Pattern
from typing import Any

import numpy as np
from langgraph.channels import UntrackedValue
from pydantic import BaseModel
from typing_extensions import is_protocol

from wtb_async.domain.errors import UnreadableCheckpoint, Violation
from wtb_async.infrastructure.checkpoints.serializer import StrictSerializer
from wtb_async.infrastructure.checkpoints.unpacker import SAFE_TYPES
from wtb_async.infrastructure.langgraph.node_replacement import Builder, Compiled
from wtb_async.infrastructure.langgraph.schema_types import (
    builders_of,
    classes_in,
    hints_of,
    is_data,
    trusted_types,
)

_ROOT = "__root__"
_SURVIVE = {
    object,
    type(None),
    bool,
    int,
    float,
    str,
    bytes,
    list,
    tuple,
    dict,
    Pattern,
    np.ndarray,
}
"""Tuples count: LangGraph gives them back as lists, and every graph is used to that."""
_LOST: set[Any] = {Callable, type}
_EXTENDED = (str, int, float, bytes, list, tuple, dict)
_UNWRITTEN = "no checkpoint can hold"
_ADVICE = (
    "make it a dataclass, Pydantic model, NamedTuple or Enum at the top level of its module, "
    "or keep it out of checkpoints (`Annotated[..., UntrackedValue]`)"
)


def lost_types(graph: Compiled) -> list[Violation]:
    """What is wrong with the types of the graph's state: one violation for each key and type.

    A class passes when it is found by its name and takes its own fields, and when samples of it
    come back as the same class. Where no sample can be made without the user's constructor, and
    for abstract classes and protocols, there is nothing to say.
    """
    serializer = StrictSerializer(trusted_types(graph))
    keys = {pair for builder in builders_of(graph) for pair in _classes_of_keys(builder)}
    found = []
    for key, kind in sorted(keys, key=lambda pair: (pair[0], _name(pair[1]))):
        if problem := _problem(kind, serializer):
            message = f"the state's {key!r} holds {_name(kind)}, which {problem}: {_ADVICE}"
            found.append(Violation("graph", message))
    return found


def _classes_of_keys(builder: Builder) -> Iterator[tuple[str, type]]:
    for schema, channels in builder.schemas.items():
        hints = {_ROOT: schema} if _ROOT in channels else hints_of(schema)
        for key, hint in hints.items():
            channel = builder.channels.get(key)
            if channel is not None and not isinstance(channel, UntrackedValue):
                yield from ((key, kind) for kind in classes_in([hint]))


def _problem(kind: type, serializer: StrictSerializer) -> str | None:
    """Why values of this class do not come back from a checkpoint; None if they do."""
    if _survives(kind):
        return None
    if kind in _LOST or not (is_data(kind) or issubclass(kind, _EXTENDED)):
        return _UNWRITTEN
    if getattr(sys.modules.get(kind.__module__), kind.__name__, None) is not kind:
        return "comes back from a checkpoint by its name, and is not found there"
    if not _takes_its_fields(kind):
        return "does not take its own fields, which a checkpoint would build it from"
    problems = (_problem_of(sample, serializer) for sample in _samples(kind))
    return next(filter(None, problems), None)


def _survives(kind: type) -> bool:
    if kind in _SURVIVE or (kind.__module__, kind.__name__) in SAFE_TYPES:
        return True
    return kind not in _LOST and (inspect.isabstract(kind) or is_protocol(kind))


def _takes_its_fields(kind: Any) -> bool:  # noqa: ANN401 - two kinds of classes with fields
    if dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind)]
    elif hasattr(kind, "_make"):
        names = kind._fields
    else:
        return True
    try:
        inspect.signature(kind).bind(**dict.fromkeys(names))
    except TypeError:
        return False
    return True


def _problem_of(sample: object, serializer: StrictSerializer) -> str | None:
    try:
        back = serializer.loads_typed(serializer.dumps_typed(sample))
    except TypeError:
        return _UNWRITTEN
    except UnreadableCheckpoint:
        # Members of an Enum are real; any other sample may be what its class refuses with reason.
        return f"loses its {sample}" if isinstance(sample, Enum) else None
    if type(back) is not type(sample):
        return f"comes back from a checkpoint as {type(back).__name__}"
    return None


def _samples(kind: Any) -> list[object]:  # noqa: ANN401 - classes of many kinds
    """Values of the class, made without the user's constructor; none if there is no way to."""
    try:
        if issubclass(kind, Enum):
            return list(kind)
        if issubclass(kind, BaseModel):
            return [_model_without_values(kind)]
        if dataclasses.is_dataclass(kind):
            return [_dataclass_without_values(kind)]
        if hasattr(kind, "_make"):
            return [kind._make([None] * len(kind._fields))]
        return [kind.__new__(kind)] if issubclass(kind, _EXTENDED) else []
    except Exception:  # noqa: BLE001 - a class may forbid whatever it likes
        return []


def _model_without_values(kind: type[BaseModel]) -> BaseModel:
    model = kind.model_construct()
    model.model_dump()  # Raises where the user's own code cannot do without values.
    return model


def _dataclass_without_values(kind: Any) -> object:  # noqa: ANN401
    sample = object.__new__(kind)
    for field in dataclasses.fields(kind):
        object.__setattr__(sample, field.name, None)
    return sample


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"

"""Which types the schemas of a graph name: what its checkpoints may hold."""

import dataclasses
import itertools
import sys
import types
from collections import deque
from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID

from langgraph.graph.state import CompiledStateGraph
from pydantic import BaseModel
from typing_extensions import TypeAliasType, is_typeddict

from wtb_async.infrastructure.langgraph.node_replacement import Builder, Compiled

_LIBRARIES = sys.stdlib_module_names | {"pydantic", "typing_extensions"}
_WRITTEN_WITH_NAME = (Enum, Path, UUID, Decimal, set, frozenset, deque)
_WRITTEN_BY_METHOD = ("model_dump", "get_secret_value", "dict", "_asdict")
_SPECIAL_FORMS = (Any, Annotated, types.UnionType)
"""Classes to Python 3.11, but not to those who write annotations."""
_INJECTED = {"config", "writer", "store", "previous", "runtime"}
"""Arguments of nodes that LangGraph fills in."""


def trusted_types(graph: Compiled) -> set[tuple[str, str]]:
    """Module and name of every type that a checkpoint of the graph may rebuild.

    Those are the data types that the schemas of the graph, its subgraphs and its nodes name, and
    their subclasses, because a list of animals holds cats and dogs.
    """
    named = classes_in(itertools.chain.from_iterable(map(_annotations, builders_of(graph))))
    data = {kind for kind in named if is_data(kind)}
    return {(kind.__module__, kind.__name__) for kind in data | set(_subclasses(data))}


def builders_of(graph: Compiled) -> Iterator[Builder]:
    """The graph's builder, and those of all graphs that are its nodes or are called by them."""
    yield graph.builder
    for _, subgraph in graph.get_subgraphs(recurse=True):
        if isinstance(subgraph, CompiledStateGraph):
            yield subgraph.builder


def is_data(kind: type) -> bool:
    """Whether LangGraph's serializer writes values of this class under the name of the class."""
    return (
        dataclasses.is_dataclass(kind)
        or issubclass(kind, _WRITTEN_WITH_NAME)
        or any(callable(getattr(kind, method, None)) for method in _WRITTEN_BY_METHOD)
    )


def classes_in(annotations: Iterable[Any]) -> set[type]:
    """All classes that type annotations name, and those that the fields of these name."""
    seen: dict[int, Any] = {}
    waiting = list(annotations)
    while waiting:
        annotation = waiting.pop()
        if id(annotation) not in seen:
            seen[id(annotation)] = annotation
            waiting.extend(_parts(annotation))
    return {kind for kind in seen.values() if _is_class(kind)}


def hints_of(owner: object) -> dict[str, Any]:
    """The annotations of a class or function, without those that lead nowhere."""
    try:
        return get_type_hints(owner, include_extras=True)
    except Exception:  # noqa: BLE001 - annotations are code, which may raise anything
        annotations: dict[str, Any] = getattr(owner, "__annotations__", {})
        return {name: hint for name, hint in annotations.items() if not isinstance(hint, str)}


def _annotations(builder: Builder) -> Iterator[Any]:
    yield from builder.schemas
    for channel in builder.channels.values():
        yield from (channel.ValueType, channel.UpdateType)
    for node in builder.nodes.values():
        yield node.input_schema
        yield from _values_of(node.runnable)
    for branches in builder.branches.values():
        yield from (branch.input_schema for branch in branches.values())


def _values_of(runnable: object) -> Iterator[Any]:
    """What a node says that it takes and returns; a variant may say more than the node itself."""
    for function in (getattr(runnable, "func", None), getattr(runnable, "afunc", None)):
        hints = hints_of(function)
        yield from (hint for name, hint in hints.items() if name not in _INJECTED)


def _is_class(annotation: object) -> bool:
    special = any(annotation is form for form in _SPECIAL_FORMS)
    return isinstance(annotation, type) and not special and not is_typeddict(annotation)


def _parts(annotation: Any) -> Iterable[Any]:  # noqa: ANN401 - annotations have no common type
    """The annotations inside of one."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is None:
        return _aliased(annotation) or _fields(annotation)
    if origin is Annotated:
        return arguments[:1]
    return map(type, arguments) if origin is Literal else (origin, *arguments)


def _aliased(annotation: Any) -> Iterable[Any]:  # noqa: ANN401
    """What another name stands for."""
    if isinstance(annotation, TypeVar):
        return [annotation.__bound__, *annotation.__constraints__]
    if isinstance(annotation, TypeAliasType):
        return [annotation.__value__]
    return [annotation.__supertype__] if hasattr(annotation, "__supertype__") else ()


def _fields(annotation: Any) -> Iterable[Any]:  # noqa: ANN401
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [field.annotation for field in annotation.model_fields.values()]
    if is_typeddict(annotation) or _has_fields(annotation):
        return hints_of(annotation).values()
    return ()


def _has_fields(annotation: object) -> bool:
    return isinstance(annotation, type) and (
        dataclasses.is_dataclass(annotation)
        or hasattr(annotation, "_fields")
        or hasattr(annotation, "__fields__")
    )


def _subclasses(kinds: Iterable[type]) -> Iterator[type]:
    """The subclasses of these classes, unless a library's `Enum` or `BaseModel` stands for any."""
    for kind in kinds:
        if kind.__module__.partition(".")[0] not in _LIBRARIES:
            below: list[type] = type.__subclasses__(kind)
            yield from below
            yield from _subclasses(below)

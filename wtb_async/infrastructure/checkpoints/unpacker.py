"""Rebuilds values from the bytes that LangGraph's serializer writes, and trusts none of them.

LangGraph's own reader hands back something else where it must not or cannot rebuild a value: its
fields, or None. Here that fails the whole.
"""

import importlib
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import ormsgpack

# LangGraph publishes neither the types that are always safe nor the class of its snapshots.
from langgraph.checkpoint.serde._msgpack import SAFE_MSGPACK_METHODS, SAFE_MSGPACK_TYPES
from langgraph.checkpoint.serde.jsonplus import (
    EXT_CONSTRUCTOR_KW_ARGS,
    EXT_CONSTRUCTOR_POS_ARGS,
    EXT_CONSTRUCTOR_SINGLE_ARG,
    EXT_DELTA_SNAPSHOT,
    EXT_METHOD_SINGLE_ARG,
    EXT_NUMPY_ARRAY,
    EXT_PYDANTIC_V1,
    EXT_PYDANTIC_V2,
)
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from langgraph.types import Send

from wtb_async.domain.errors import UnreadableCheckpoint, UntrustedCheckpoint

TypeName = tuple[str, ...]
"""A module, and the name of a type in it."""

SAFE_TYPES = SAFE_MSGPACK_TYPES
"""What LangGraph builds for everybody: values of the standard library, messages, its own types."""


class Unpacker:
    """Rebuilds one value; each value takes another.

    Args:
        allowed: types that may be built beside those that LangGraph counts as safe.
    """

    def __init__(self, allowed: Collection[TypeName]) -> None:
        self._allowed = allowed
        self._failure: UnreadableCheckpoint | None = None

    def unpack(self, data: bytes) -> Any:  # noqa: ANN401 - whatever was written
        """Rebuild the value.

        Raises:
            UntrustedCheckpoint: it holds a type that is not allowed; nothing of that was called.
            UnreadableCheckpoint: it is damaged, or its type does not take it back.
        """
        try:
            return ormsgpack.unpackb(data, ext_hook=self._hook, option=ormsgpack.OPT_NON_STR_KEYS)
        except ValueError as error:
            # The decoder drops what a hook raises and says only that it failed.
            raise self._failure or _unreadable("a checkpoint's value", error) from error

    def refuse(self, name: str, payload: object) -> object:  # noqa: ARG002 - others show it
        """What stands for a value whose type is not allowed. Raises UntrustedCheckpoint."""
        raise UntrustedCheckpoint(
            f"a checkpoint holds a {name}, which the schemas of its graph do not name"
        )

    def _hook(self, code: int, data: bytes) -> object:
        try:
            return self._rebuilt(code, self.unpack(data))
        except UnreadableCheckpoint as failure:
            self._failure = failure
            raise
        except Exception as error:
            self._failure = _unreadable("a checkpoint's value", error)
            raise

    def _rebuilt(self, code: int, content: Any) -> object:  # noqa: ANN401
        if code == EXT_DELTA_SNAPSHOT:
            return _DeltaSnapshot(content)
        if code == EXT_NUMPY_ARRAY:
            return _array(*content)
        if code == EXT_METHOD_SINGLE_ARG:
            module, name, payload, method = content
            return self._made_by_method(module, name, method, payload)
        module, name, payload, *_ = content
        key = (module, name)
        if key not in SAFE_TYPES and key not in self._allowed:
            return self.refuse(f"{module}.{name}", payload)
        try:
            return _BUILDERS[code](getattr(importlib.import_module(module), name), payload)
        except Exception as error:
            raise _unreadable(f"a {module}.{name}", error) from error

    def _made_by_method(self, module: str, name: str, method: str, payload: object) -> object:
        if (module, name, method) not in SAFE_MSGPACK_METHODS:
            return self.refuse(f"{module}.{name}.{method}", payload)
        kind = getattr(importlib.import_module(module), name)
        made: object = getattr(kind, method)(payload)
        return made


def _unreadable(what: str, error: Exception) -> UnreadableCheckpoint:
    return UnreadableCheckpoint(f"{what} cannot be read: {type(error).__name__}: {error}")


def _positional(kind: Callable[..., Any], arguments: Any) -> object:  # noqa: ANN401
    if kind is Send:
        node, value, *timeout = arguments
        return Send(node, value, timeout=timeout[0] if timeout else None)
    return kind(*arguments)


def _first_pydantic(kind: Any, fields: Mapping[str, Any]) -> object:  # noqa: ANN401
    with suppress(Exception):
        return kind(**fields)
    return kind.construct(**fields)


def _pydantic(kind: Any, fields: Mapping[str, Any]) -> object:  # noqa: ANN401
    """The model again, even where it does not validate: nodes may set fields to anything.

    Models were written by the names of their fields, which aliases hide from the constructor.
    """
    with suppress(Exception):
        return kind(**fields)
    with suppress(Exception):
        return kind.model_validate(fields, by_name=True)
    return kind.model_construct(**fields)


def _array(dtype: str, shape: tuple[int, ...], order: Any, data: bytes) -> object:  # noqa: ANN401
    return np.frombuffer(data, dtype=np.dtype(dtype)).reshape(shape, order=order)


_BUILDERS: dict[int, Callable[[Any, Any], object]] = {
    EXT_CONSTRUCTOR_SINGLE_ARG: lambda kind, argument: kind(argument),
    EXT_CONSTRUCTOR_POS_ARGS: _positional,
    EXT_CONSTRUCTOR_KW_ARGS: lambda kind, arguments: kind(**arguments),
    EXT_PYDANTIC_V1: _first_pydantic,
    EXT_PYDANTIC_V2: _pydantic,
}

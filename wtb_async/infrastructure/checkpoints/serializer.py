"""LangGraph's serializer with a reader that builds the types of one graph and no others."""

import copy
import json
from collections.abc import Iterable
from typing import Any, Self

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from wtb_async.domain.errors import UnreadableCheckpoint, UntrustedCheckpoint
from wtb_async.infrastructure.checkpoints.unpacker import SAFE_TYPES, TypeName, Unpacker

# Both hold bytes as they are.
_AS_IT_IS: dict[str, type[bytes] | type[bytearray]] = {"bytes": bytes, "bytearray": bytearray}


class StrictSerializer(JsonPlusSerializer):
    """Writes as the stock serializer does, without pickle, and reads with an allowlist.

    It is strict whether or not `LANGGRAPH_STRICT_MSGPACK` is set. LangGraph adds a graph's types
    through `with_msgpack_allowlist`, hence the inheritance.
    """

    def __init__(self, allowed: Iterable[TypeName] = ()) -> None:
        super().__init__(pickle_fallback=False, allowed_msgpack_modules=None)
        self._allowed = frozenset(allowed)

    def with_msgpack_allowlist(self, extra_allowlist: Iterable[TypeName | type]) -> Self:
        """A serializer that allows these types too: itself, if it does so already."""
        extra = {
            (item.__module__, item.__name__) if isinstance(item, type) else item
            for item in extra_allowlist
        } - SAFE_TYPES
        if extra <= self._allowed:
            return self
        wider = copy.copy(self)
        wider._allowed = self._allowed | extra
        return wider

    def loads_typed(self, data: tuple[str, bytes]) -> Any:  # noqa: ANN401 - whatever was written
        """Read a value.

        Raises:
            UntrustedCheckpoint: reading it would build a type that is not allowed.
            UnreadableCheckpoint: it is damaged, or its type does not take it back.
        """
        kind, content = data
        if kind == "null":
            return None
        if kind in _AS_IT_IS:
            return _AS_IT_IS[kind](content)
        if kind == "msgpack":
            return self._unpacker().unpack(content)
        if kind == "json":
            return _read_json(content)
        raise UntrustedCheckpoint(f"a checkpoint holds a value of the kind {kind!r}")

    def _unpacker(self) -> Unpacker:
        return Unpacker(self._allowed)


def _read_json(content: bytes) -> Any:  # noqa: ANN401
    """Plain JSON. LangGraph's earliest releases wrote objects in it, by the name of their class."""
    try:
        return json.loads(content, object_hook=_plain_object)
    except (ValueError, RecursionError) as error:
        raise UnreadableCheckpoint(f"a checkpoint's JSON cannot be read: {error}") from error


def _plain_object(value: dict[str, Any]) -> dict[str, Any]:
    if "lc" in value:
        raise UntrustedCheckpoint(f"a checkpoint holds JSON that builds a {value.get('id')}")
    return value

"""How a runner and the process of a node speak: a length of eight bytes, then that many bytes.

The content is a kind and a body, written as checkpoints are and read with the same allowlist, so
that neither side ever unpickles what the other sent.
"""

import struct
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Self

from wtb_async.domain.errors import UnreadableCheckpoint
from wtb_async.infrastructure.checkpoints.serializer import StrictSerializer
from wtb_async.infrastructure.checkpoints.unpacker import TypeName
from wtb_async.infrastructure.node_process.errors import NotTransferable

LENGTH = struct.Struct(">Q")


class Kind(StrEnum):
    """What a message says."""

    LOAD = "load"
    """To the node's process: which node it is."""
    CALL = "call"
    """To the node's process: run it once."""
    READY = "ready"
    REFUSED = "refused"
    STREAMED = "streamed"
    WROTE = "wrote"
    HEARTBEAT = "heartbeat"
    KEPT = "kept"
    RETURNED = "returned"
    INTERRUPTED = "interrupted"
    UPWARDS = "upwards"
    EXITED = "exited"
    RAISED = "raised"


LAST_WORDS = frozenset({Kind.RETURNED, Kind.INTERRUPTED, Kind.UPWARDS, Kind.EXITED, Kind.RAISED})
"""Each call ends with one of these."""


class Messages:
    """Writes and reads the contents of messages.

    Args:
        allowed: types that may be built beside those that are always safe.
        limit_bytes: no message is longer.
    """

    def __init__(self, allowed: Iterable[TypeName], *, limit_bytes: int) -> None:
        self._allowed = tuple(allowed)
        self._serializer = StrictSerializer(self._allowed)
        self._limit_bytes = limit_bytes

    def terms(self) -> dict[str, Any]:
        """What the other side needs to write and read alike."""
        return {"allowed": [list(name) for name in self._allowed], "limit_bytes": self._limit_bytes}

    @classmethod
    def agreed(cls, terms: dict[str, Any]) -> Self:
        """The messages of a side that was told these terms."""
        allowed = [tuple(name) for name in terms["allowed"]]
        return cls(allowed, limit_bytes=terms["limit_bytes"])

    def write(self, kind: Kind, body: object = None) -> bytes:
        """A message's content. Raises NotTransferable."""
        try:
            _, content = self._serializer.dumps_typed([kind.value, body])
        except (TypeError, ValueError, RecursionError) as error:
            raise NotTransferable(
                f"a value cannot leave its process, as checkpoints could not hold it: {error}"
            ) from error
        self.check_length(len(content))
        return content

    def read(self, content: bytes) -> tuple[Kind, Any]:
        """Kind and body. Raises NotTransferable."""
        try:
            kind, body = self._serializer.loads_typed(("msgpack", content))
        except UnreadableCheckpoint as error:
            raise NotTransferable(f"a value cannot enter another process: {error}") from error
        return Kind(kind), body

    def check_length(self, length: int) -> None:
        """Raise `NotTransferable` for what is longer than any message may be."""
        if length > self._limit_bytes:
            raise NotTransferable(
                f"a message of {length} bytes is longer than the limit of {self._limit_bytes}; "
                "keep large data in files of the workspace, "
                "or raise WTB_NODE_PROCESSES__VALUE_BYTES"
            )

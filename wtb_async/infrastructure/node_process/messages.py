"""How a runner and the process of a node speak: a length of eight bytes, then that many bytes.

The content is a kind and a body, written as checkpoints are and read with the same allowlist, so
that neither side ever unpickles what the other sent.
"""

import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from wtb_async.domain.errors import UnreadableCheckpoint
from wtb_async.infrastructure.checkpoints.serializer import StrictSerializer
from wtb_async.infrastructure.checkpoints.unpacker import TypeName
from wtb_async.infrastructure.node_process.errors import NotTransferable

LENGTH = struct.Struct(">Q")
_LIMIT_OF_THE_FIRST_BYTES = 16 << 20


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


@dataclass(frozen=True, slots=True)
class Terms:
    """What both sides must agree on."""

    allowed: frozenset[TypeName] = frozenset()
    """Types that may be built beside those that are always safe."""
    limit_bytes: int = _LIMIT_OF_THE_FIRST_BYTES
    """No message is longer."""

    def plain(self) -> dict[str, Any]:
        """The terms as a message can carry them."""
        return {"allowed": [list(name) for name in self.allowed], "limit_bytes": self.limit_bytes}

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Self:
        """What `plain` wrote."""
        return cls(frozenset(map(tuple, plain["allowed"])), plain["limit_bytes"])


class Messages:
    """Writes and reads the contents of messages."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self._serializer = StrictSerializer(terms.allowed)

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
        limit = self.terms.limit_bytes
        if length > limit:
            raise NotTransferable(
                f"a message of {length} bytes is longer than the limit of {limit}; "
                "keep large data in files of the workspace, "
                "or raise WTB_NODE_PROCESSES__VALUE_BYTES"
            )

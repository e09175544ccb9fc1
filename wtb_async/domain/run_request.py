"""What somebody wants of a run: while it is executed, and before it goes on."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from wtb_async.domain.json import JsonObject


class RequestKind(StrEnum):
    """What can be asked of a run that is being executed."""

    PAUSE = "pause"
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """A wish that a runner grants at the next superstep boundary."""

    kind: RequestKind
    at_node: str | None = None
    """Pause before this node, not at the next boundary."""
    of_batch: bool = False
    """Its batch test is paused, and will let it go on."""

    def to_json(self) -> JsonObject:
        """The shape in which it is stored."""
        return {"kind": self.kind.value, "at_node": self.at_node, "of_batch": self.of_batch}

    @classmethod
    def from_json(cls, stored: JsonObject) -> "RunRequest":
        """What `to_json` gave."""
        return cls(
            kind=RequestKind(stored["kind"]),
            at_node=stored["at_node"],
            of_batch=stored.get("of_batch", False),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StateEdit:
    """New values for the state, applied once before a run goes on."""

    id: UUID
    """The command's id; the checkpoint that holds the edit carries it."""
    values: JsonObject
    """What a node would return: reducers apply."""
    as_node: str | None = None
    """The node that the values count as the output of; None lets LangGraph find the last one."""
    pauses: bool = False
    """The run ends with the edit instead of going on from it."""

    def to_json(self) -> JsonObject:
        """The shape in which it is stored."""
        return {
            "id": str(self.id),
            "values": self.values,
            "as_node": self.as_node,
            "pauses": self.pauses,
        }

    @classmethod
    def from_json(cls, stored: JsonObject) -> "StateEdit":
        """What `to_json` gave."""
        return cls(**{**stored, "id": UUID(stored["id"])})

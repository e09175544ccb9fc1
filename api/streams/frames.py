"""What readers of event streams are sent, whatever carries it to them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Literal
from uuid import UUID

from api.answers import to_json
from wtb_async.application.clock import utc_now
from wtb_async.application.views import EventView, LiveEventView
from wtb_async.domain.json import JsonObject

STREAM_CLOSED = "StreamClosed"

SubjectField = Literal["execution_id", "batch_test_id"]


class Closed(StrEnum):
    """Why the server closes a stream that its reader may open again."""

    SLOW_READER = "slow_reader"
    UNAVAILABLE = "unavailable"

    @property
    def explanation(self) -> str:
        """The same for people."""
        if self is Closed.SLOW_READER:
            return "what was sent was not taken in time"
        return "the database does not answer"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a stream is about; `field` is its name in envelopes."""

    field: SubjectField
    id: UUID


@dataclass(frozen=True, slots=True)
class Frame:
    """One event on its way to a reader.

    `position` is where a stream goes on that broke after it; what has no place in the history has
    none. `envelope` is JSON: `{id, type, at, execution_id | batch_test_id, data}`.
    """

    position: str | None
    type: str
    envelope: bytes


def frame_of(event: EventView | LiveEventView, position: object) -> Frame:
    """An event with its place in the history."""
    envelope = {name: value for name, value in asdict(event).items() if value is not None}
    return Frame(str(position), event.type, to_json(envelope))


def passing_frame(event_type: str, subject: Subject, data: JsonObject) -> Frame:
    """What is shown now and never again."""
    at = utc_now()
    envelope = {"id": 0, "type": event_type, "at": at, subject.field: subject.id, "data": data}
    return Frame(None, event_type, to_json(envelope))


def closed_frame(subject: Subject, position: str, reason: Closed) -> Frame:
    """The last that a reader is sent whom the server does not go on with; it may come again."""
    data: JsonObject = {
        "reason": reason.value,
        "detail": f"{reason.explanation}; open the stream again to go on after {position}",
        "position": position,
    }
    return passing_frame(STREAM_CLOSED, subject, data)


def last_position(chunk: Sequence[Frame]) -> str | None:
    """Where somebody goes on who has seen these frames; None if they have no place."""
    return next((frame.position for frame in reversed(chunk) if frame.position), None)

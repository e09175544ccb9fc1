"""What is said over a WebSocket: strict JSON in, JSON with exactly one key of ours out."""

from collections.abc import Sequence
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from api.answers import to_json
from api.streams.frames import Frame, Subject
from wtb_async.domain.errors import InvalidInput, Violation, WtbError
from wtb_async.domain.event_position import POSITION_PATTERN


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Unsubscribe(_Body):
    """Names one execution or one batch test."""

    execution_id: UUID | None = None
    batch_test_id: UUID | None = None

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.execution_id is None) is (self.batch_test_id is None):
            raise ValueError("name either an execution_id or a batch_test_id")
        return self

    @property
    def subject(self) -> Subject:
        """What is named."""
        if self.execution_id is not None:
            return Subject("execution_id", self.execution_id)
        assert self.batch_test_id is not None  # noqa: S101 - validated
        return Subject("batch_test_id", self.batch_test_id)


class Subscribe(Unsubscribe):
    """Names one execution or one batch test, and where to go on in its events."""

    since: Annotated[str, Field(pattern=POSITION_PATTERN)] = "0"


class Message(_Body):
    """What a client may say: one of these."""

    subscribe: Subscribe | None = None
    unsubscribe: Unsubscribe | None = None

    @model_validator(mode="after")
    def _asks_for_one(self) -> Self:
        if (self.subscribe is None) is (self.unsubscribe is None):
            raise ValueError("ask either to subscribe or to unsubscribe")
        return self

    @property
    def field(self) -> str:
        """The field that names what it is about."""
        if self.subscribe is not None:
            return f"subscribe.{self.subscribe.subject.field}"
        assert self.unsubscribe is not None  # noqa: S101 - validated
        return f"unsubscribe.{self.unsubscribe.subject.field}"


def read_message(text: str) -> Message:
    """What a client said. Raises InvalidInput, which names the fields."""
    try:
        return Message.model_validate_json(text)
    except ValidationError as error:
        raise InvalidInput(
            [
                Violation(".".join(map(str, each["loc"])) or "message", each["msg"])
                for each in error.errors(include_url=False)
            ]
        ) from error


def event_message(frame: Frame) -> str:
    """An event as every stream shows it, and the position to subscribe from after it."""
    position = f'"position":"{frame.position}",' if frame.position else ""
    return f'{{{position}"event":{frame.envelope.decode()}}}'


def subscribed_message(subject: Subject, since: str) -> str:
    """From here on the subject's events come."""
    return _said("subscribed", {subject.field: subject.id, "since": since})


def unsubscribed_message(subject: Subject, since: str) -> str:
    """No more of the subject's events come; `since` is where to go on another time."""
    return _said("unsubscribed", {subject.field: subject.id, "since": since})


def error_message(error: WtbError, field: str) -> str:
    """Why what was asked was not done, in the members of a problem.

    Args:
        error: what went wrong.
        field: the field to blame where the error names none.
    """
    violations: Sequence[Violation] = [Violation(field, str(error))]
    if isinstance(error, InvalidInput):
        violations = error.violations
    errors = [{"field": each.field, "message": each.message} for each in violations]
    return _said("error", {"code": error.code, "detail": str(error), "errors": errors})


def _said(key: str, content: object) -> str:
    return to_json({key: content}).decode()

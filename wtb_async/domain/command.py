"""Commands: recorded requests, with who asked, and the statuses that accept them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from wtb_async.domain.errors import InvalidTransition
from wtb_async.domain.execution import ExecutionStatus
from wtb_async.domain.json import JsonObject


class CommandKind(StrEnum):
    """What a caller may ask for."""

    REGISTER = "register"
    RUN = "run"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    ROLLBACK = "rollback"
    BRANCH = "branch"
    EDIT_STATE = "edit_state"
    EXTEND = "extend"
    SCORE = "score"
    RETRY_FAILED = "retry_failed"
    CHECK = "check"
    CREATE_DATASET = "create_dataset"
    DESCRIBE_DATASET = "describe_dataset"
    DELETE_DATASET = "delete_dataset"
    IMPORT_CASES = "import_cases"
    EDIT_CASE = "edit_case"
    DELETE_CASE = "delete_case"
    REPLAY = "replay"


_S = ExecutionStatus

ACCEPTED_IN: dict[CommandKind, frozenset[ExecutionStatus]] = {
    CommandKind.PAUSE: frozenset({_S.RUNNING}),
    CommandKind.RESUME: frozenset({_S.PAUSED, _S.FAILED}),
    CommandKind.STOP: frozenset({_S.PENDING, _S.RUNNING, _S.PAUSED}),
    CommandKind.ROLLBACK: frozenset({_S.PAUSED, _S.COMPLETED, _S.FAILED, _S.CANCELLED}),
    CommandKind.BRANCH: frozenset(_S),
    CommandKind.EDIT_STATE: frozenset({_S.PAUSED}),
}
"""The statuses in which an execution takes each command; the others are not for executions."""


def check_accepts(status: ExecutionStatus, kind: CommandKind) -> None:
    """Raise `InvalidTransition` unless an execution in `status` takes this command."""
    if status not in ACCEPTED_IN.get(kind, frozenset()):
        raise InvalidTransition(f"a {status.value} execution does not take {kind.value!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who brings changes about: a caller by a command, or a part of the system by itself."""

    actor: str
    command_id: UUID | None = None
    request_id: str | None = None


@dataclass(eq=False, kw_only=True)
class Command:
    """A recorded request to create or change something."""

    id: UUID
    kind: CommandKind
    target_type: str
    target_id: UUID
    issued_by: str
    created_at: datetime
    payload: JsonObject
    request_id: str | None = None
    """The request that brought it; None when it came in another way."""

    @property
    def origin(self) -> Origin:
        """The command as what brings changes about."""
        return Origin(actor=self.issued_by, command_id=self.id, request_id=self.request_id)

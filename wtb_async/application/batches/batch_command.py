"""What every command on a whole batch test has in common."""

from dataclasses import dataclass
from uuid import UUID

from wtb_async.application.commands import new_command
from wtb_async.domain.command import Command, CommandKind
from wtb_async.domain.events import Aggregate


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCommand:
    """Who asks for something of which batch test, and why."""

    batch_id: UUID
    caller: str
    reason: str | None = None

    def of_kind(self, kind: CommandKind) -> Command:
        """The command that goes on record."""
        payload = {"reason": self.reason}
        return new_command(kind, self.batch_id, self.caller, payload, target=Aggregate.BATCH_TEST)

"""Has events delivered after all that were given up."""

from wtb_async.application.commands import new_command
from wtb_async.application.ports import Nudges, UnitOfWorkFactory
from wtb_async.domain.audit import OutboxAction
from wtb_async.domain.command import CommandKind
from wtb_async.domain.errors import Conflict


async def replay_dead_letter(
    event_id: int, caller: str, *, uow_factory: UnitOfWorkFactory, nudges: Nudges
) -> None:
    """Put a dead letter back into the outbox; one that was put back already stays as it is.

    Later events of its object wait for it, those at least that have not been delivered.

    Raises:
        NotFound: the delivery of no such event has failed.
        Conflict: an earlier event of its object is a dead letter too.
    """
    async with uow_factory() as uow:
        event = await uow.outbox.lock_failed(event_id)
        if event.dead_at is None:
            return
        if earlier := await uow.outbox.dead_letter_before(event):
            raise Conflict(f"dead letter {earlier} of the same object comes first; replay it first")
        await uow.outbox.replay(event_id)
        payload = {"event_id": event.id, "type": event.type}
        command = new_command(
            CommandKind.REPLAY, event.aggregate_id, caller, payload, target=event.aggregate
        )
        uow.journal.note(OutboxAction.REPLAYED, command)
        await uow.commit()
    nudges.new_events()

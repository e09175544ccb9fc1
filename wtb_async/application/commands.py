"""Commands as they go on record: what was asked, by whom, in which request."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from wtb_async.application.clock import utc_now
from wtb_async.application.ids import new_id
from wtb_async.domain.command import Command, CommandKind
from wtb_async.domain.events import Aggregate
from wtb_async.domain.json import JsonObject

_request_id: ContextVar[str | None] = ContextVar("wtb_request_id", default=None)


@contextmanager
def in_request(request_id: str) -> Iterator[None]:
    """Let the commands that are issued here say which request brought them."""
    token = _request_id.set(request_id)
    try:
        yield
    finally:
        _request_id.reset(token)


def new_command(
    kind: CommandKind,
    target_id: UUID,
    caller: str,
    payload: JsonObject,
    *,
    target: Aggregate = Aggregate.EXECUTION,
) -> Command:
    """A command on an execution or another object, issued now."""
    return Command(
        id=new_id(),
        kind=kind,
        target_type=target.value,
        target_id=target_id,
        issued_by=caller,
        created_at=utc_now(),
        payload=payload,
        request_id=_request_id.get(),
    )

"""The clock of checkpoint ids, which may not stand before the thread that goes on."""

from langgraph.checkpoint.base import id as langgraph_clock


def advance_clock(checkpoint_id: str) -> None:
    """Let every checkpoint id made from now on in this process sort after `checkpoint_id`.

    The newest id is a thread's head. LangGraph makes ids from this machine's time, which may be
    behind that of the machine that wrote the head; it never goes back behind its last timestamp,
    and remembering another one is the only way to tell it.
    """
    last = langgraph_clock._last_v6_timestamp or 0
    given = langgraph_clock.UUID(checkpoint_id).time
    langgraph_clock._last_v6_timestamp = max(last, given)  # type: ignore[assignment]  # declared None

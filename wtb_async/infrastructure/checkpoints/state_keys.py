"""Which channels of a graph are its state."""

from wtb_async.infrastructure.checkpoints.next_nodes import starts_tasks

WHOLE_STATE = "__root__"
"""The only key of a state that is not a mapping."""


def is_state_key(channel: str) -> bool:
    """Whether a channel is part of the state, and not one of LangGraph's own."""
    is_own = channel.startswith("__") and channel.endswith("__")
    return channel == WHOLE_STATE or not (is_own or starts_tasks(channel))

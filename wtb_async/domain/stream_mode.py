"""Stream modes: what an execution shows while its graph runs."""

from collections.abc import Iterable
from enum import StrEnum

from wtb_async.domain.errors import InvalidInput


class StreamMode(StrEnum):
    """What LangGraph can stream, under LangGraph's own names."""

    VALUES = "values"
    UPDATES = "updates"
    MESSAGES = "messages"
    CUSTOM = "custom"
    TASKS = "tasks"
    CHECKPOINTS = "checkpoints"

    @property
    def event_type(self) -> str:
        """The type of the events that this mode gives."""
        return _EVENT_TYPES[self]


_EVENT_TYPES = {
    StreamMode.VALUES: "ValuesStreamed",
    StreamMode.UPDATES: "UpdatesStreamed",
    StreamMode.MESSAGES: "MessageStreamed",
    StreamMode.CUSTOM: "CustomStreamed",
    StreamMode.TASKS: "TaskStreamed",
    StreamMode.CHECKPOINTS: "CheckpointStreamed",
}

EVENTS_DROPPED = "EventsDropped"
"""The type of the event that stands where live events could not be sent in time."""


class StreamPreset(StrEnum):
    """A choice of stream modes with a name."""

    DEVELOPMENT = "development"
    PRODUCTION_AUDIT = "production_audit"

    @property
    def modes(self) -> tuple[StreamMode, ...]:
        """The modes that the name stands for."""
        return _PRESETS[self]


_PRESETS = {
    # Somebody watches a single run and wants to see everything.
    StreamPreset.DEVELOPMENT: tuple(StreamMode),
    # What each node changed and what it had to say: one event a node, whose size does not grow
    # with the state. Tokens are too many to keep, and the rest can be read afterwards from the
    # node boundaries and the checkpoints.
    StreamPreset.PRODUCTION_AUDIT: (StreamMode.UPDATES, StreamMode.CUSTOM),
}


_NAMED: dict[str, tuple[StreamMode, ...]] = {
    **{mode.value: (mode,) for mode in StreamMode},
    **{preset.value: preset.modes for preset in StreamPreset},
}


def stream_modes(names: Iterable[str]) -> tuple[StreamMode, ...]:
    """The modes of these names, each once; a preset's name stands for all of its modes.

    Raises:
        InvalidInput: there is no such mode or preset.
    """
    modes: dict[StreamMode, None] = {}
    for name in names:
        if name not in _NAMED:
            known = ", ".join(_NAMED)
            raise InvalidInput.of("stream", f"there is no stream mode {name!r}; there are {known}")
        modes.update(dict.fromkeys(_NAMED[name]))
    return tuple(modes)

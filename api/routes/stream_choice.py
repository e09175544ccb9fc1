"""Stream modes as callers name them."""

from typing import Annotated

from pydantic import BeforeValidator

from wtb_async.domain.stream_mode import StreamMode, StreamPreset


def _modes_of(value: object) -> object:
    """A preset's modes in place of its name."""
    return StreamPreset(value).modes if isinstance(value, str) else value


StreamChoice = Annotated[
    tuple[StreamMode, ...],
    BeforeValidator(_modes_of, json_schema_input_type=tuple[StreamMode, ...] | StreamPreset),
]
"""A list of modes, or the name of a preset."""

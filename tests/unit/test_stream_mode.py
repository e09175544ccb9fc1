"""Stream modes, their presets, and the positions in an event stream."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wtb_async.domain.errors import InvalidInput
from wtb_async.domain.event_position import EventPosition
from wtb_async.domain.stream_mode import StreamMode, StreamPreset, stream_modes

positions = st.builds(EventPosition, st.integers(0, 10**9 - 1), st.integers(0, 10**15 - 1))


def test_every_mode_has_an_event_type_of_its_own() -> None:
    assert len({mode.event_type for mode in StreamMode}) == len(StreamMode)


def test_development_shows_everything_and_production_audit_little() -> None:
    assert stream_modes(["development"]) == tuple(StreamMode)
    assert stream_modes(["production_audit"]) == (StreamMode.UPDATES, StreamMode.CUSTOM)


def test_names_of_modes_and_presets_add_up_without_repetition() -> None:
    modes = stream_modes(["tasks", "updates", "production_audit", "tasks"])
    assert modes == (StreamMode.TASKS, StreamMode.UPDATES, StreamMode.CUSTOM)
    assert stream_modes([]) == ()


@pytest.mark.parametrize("name", ["debug", "", "Values", "everything"])
def test_another_name_is_refused_with_the_names_that_there_are(name: str) -> None:
    with pytest.raises(InvalidInput, match=f"{name!r}; there are values, .*production_audit"):
        stream_modes([name])


def test_no_preset_has_the_name_of_a_mode() -> None:
    assert not {*StreamMode} & {*StreamPreset}


@given(positions)
def test_a_position_is_read_as_it_was_written(position: EventPosition) -> None:
    assert EventPosition.parse(str(position)) == position


@given(positions, positions)
def test_live_events_stand_between_lifecycle_events(
    one: EventPosition, other: EventPosition
) -> None:
    assert (one < other) == ((one.version, one.live) < (other.version, other.live))


@pytest.mark.parametrize("text", ["", "x", "-1", "1-", "-", "1-2-3", "1.0", " 1", "1\n", "1" * 10])
def test_anything_else_is_no_position(text: str) -> None:
    with pytest.raises(ValueError, match="no position"):
        EventPosition.parse(text)

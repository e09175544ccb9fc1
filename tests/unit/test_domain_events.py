"""Every event can be written as JSON, and carries all its fields."""

import dataclasses
import inspect
import json
from datetime import datetime
from types import UnionType
from typing import Any, get_args, get_type_hints
from uuid import UUID

import pytest
from factories import NOW

from wtb_async.application.ids import new_id
from wtb_async.domain import batch_events, events
from wtb_async.domain.batch_events import BatchStarted
from wtb_async.domain.events import DomainEvent, ExecutionFailed, ExecutionStarted

SAMPLES: dict[type, Any] = {
    str: "text",
    bool: True,
    int: 3,
    float: 1.5,
    UUID: new_id(),
    datetime: NOW,
    dict: {"type": "ValueError", "at": NOW, "path": [new_id(), None]},
}
EVENT_TYPES = [
    kind
    for module in (events, batch_events)
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, DomainEvent) and kind is not DomainEvent
]


def sample_of(kind: type[DomainEvent]) -> DomainEvent:
    """The event with every field filled, the optional ones too."""
    hints = get_type_hints(kind)
    return kind(**{f.name: _value(hints[f.name]) for f in dataclasses.fields(kind)})


def _value(hint: Any) -> Any:  # noqa: ANN401 - an annotation and a value of it
    wanted = get_args(hint)[0] if isinstance(hint, UnionType) else hint
    return SAMPLES[getattr(wanted, "__origin__", wanted)]


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_every_event_survives_json_with_all_its_fields(kind: type[DomainEvent]) -> None:
    event = sample_of(kind)
    data = event.data()
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert data.keys() == {field.name for field in dataclasses.fields(kind)}
    assert event.type == kind.__name__


def test_ids_and_times_become_text_at_any_depth() -> None:
    run_id = new_id()
    event = ExecutionFailed(error={"run": run_id, "seen": [NOW], "node": None})
    assert event.data()["error"] == {
        "run": str(run_id),
        "seen": ["2026-03-04T05:06:07+00:00"],
        "node": None,
    }
    assert ExecutionStarted(run_id=run_id, attempt=1).data()["run_id"] == str(run_id)


def test_an_event_without_fields_has_no_data() -> None:
    assert BatchStarted().data() == {}


def test_a_value_that_is_not_json_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="cannot carry object"):
        ExecutionFailed(error={"cause": object()}).data()


def test_a_fact_cannot_be_changed() -> None:
    event = ExecutionStarted(run_id=new_id(), attempt=1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.attempt = 2  # type: ignore[misc]

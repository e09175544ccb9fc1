"""One place says how serious each thing is that the audit trail tells."""

import inspect

import pytest

from wtb_async.domain import batch_events, events, integrity_events
from wtb_async.domain.audit import NOTABLE, OutboxAction, Severity, severity_of
from wtb_async.domain.events import DomainEvent

ACTIONS = {
    *(
        name
        for module in (events, batch_events, integrity_events)
        for name, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, DomainEvent)
    ),
    *OutboxAction,
}


@pytest.mark.parametrize(
    ("severity", "actions"),
    [
        (Severity.INFO, ["ExecutionCompleted", "ExecutionPaused", "RunnerStopped", "Whatever"]),
        (Severity.WARNING, ["ExecutionCancelled", "ExecutionTakenOver", "BatchStopRequested"]),
        (Severity.ERROR, ["ExecutionFailed", "BatchGivenUp", "RunnerLost", "EventBuried"]),
    ],
)
def test_failures_are_errors_and_what_somebody_cut_short_is_a_warning(
    severity: Severity, actions: list[str]
) -> None:
    assert {severity_of(action) for action in actions} == {severity}


def test_everything_notable_can_happen_and_is_one_thing_only() -> None:
    notable = [action for actions in NOTABLE.values() for action in actions]
    assert set(notable) <= ACTIONS
    assert len(notable) == len(set(notable))

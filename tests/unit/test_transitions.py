"""A status changes only along the lines that the contract draws."""

from enum import StrEnum
from itertools import product
from typing import Any

import pytest
from factories import new_execution

from wtb_async.domain.batch_test import BATCH_TRANSITIONS, BatchStatus
from wtb_async.domain.command import CommandKind, check_accepts
from wtb_async.domain.errors import InvalidTransition
from wtb_async.domain.execution import EXECUTION_TRANSITIONS, ExecutionStatus
from wtb_async.domain.run import RUN_TRANSITIONS, RUNNER_TRANSITIONS, RunnerStatus, RunStatus
from wtb_async.domain.transitions import TransitionTable

EXECUTION_LIFE = {
    "pending": "running cancelled",
    "running": "completed failed cancelled paused",
    "paused": "pending cancelled paused",
    "completed": "paused",
    "failed": "pending paused",
    "cancelled": "pending paused",
}
RUN_LIFE = {
    "waiting": "pending held cancelled",
    "held": "waiting pending cancelled",
    "pending": "running held cancelled",
    "running": "paused completed failed cancelled lost split",
}
BATCH_LIFE = {
    "pending": "running paused cancelled",
    "running": "paused completed failed cancelled",
    "paused": "running cancelled",
    "completed": "running",
    "failed": "running",
    "cancelled": "running",
}
RUNNER_LIFE = {"alive": "stopped lost"}

LIVES: list[tuple[TransitionTable[Any], type[StrEnum], dict[str, str]]] = [
    (EXECUTION_TRANSITIONS, ExecutionStatus, EXECUTION_LIFE),
    (RUN_TRANSITIONS, RunStatus, RUN_LIFE),
    (BATCH_TRANSITIONS, BatchStatus, BATCH_LIFE),
    (RUNNER_TRANSITIONS, RunnerStatus, RUNNER_LIFE),
]
MOVES = [
    pytest.param(table, current, target, target in life.get(current, "").split())
    for table, statuses, life in LIVES
    for current, target in product(statuses, repeat=2)
]

ACCEPTED = {
    "pause": "running",
    "resume": "paused failed",
    "stop": "pending running paused",
    "rollback": "paused completed failed cancelled",
    "branch": "pending running paused completed failed cancelled",
    "edit_state": "paused",
}


@pytest.mark.parametrize(("table", "current", "target", "allowed"), MOVES)
def test_a_status_follows_another_exactly_where_the_contract_says_so(
    table: TransitionTable[Any], current: StrEnum, target: StrEnum, allowed: bool
) -> None:
    assert table.allows(current, target) is allowed
    assert (current in table.sources(target)) is allowed
    if allowed:
        table.check(current, target)
    else:
        with pytest.raises(InvalidTransition, match=f"{current}.*{target}"):
            table.check(current, target)


@pytest.mark.parametrize(("current", "target"), list(product(ExecutionStatus, repeat=2)))
def test_an_execution_moves_with_a_new_version_or_not_at_all(
    current: ExecutionStatus, target: ExecutionStatus
) -> None:
    execution = new_execution(current)
    if target in EXECUTION_LIFE[current].split():
        execution.move_to(target)
        assert (execution.status, execution.version) == (target, 2)
    else:
        with pytest.raises(InvalidTransition):
            execution.move_to(target)
        assert (execution.status, execution.version) == (current, 1)


@pytest.mark.parametrize(("status", "kind"), list(product(ExecutionStatus, CommandKind)))
def test_a_command_is_accepted_exactly_in_the_statuses_of_the_contract(
    status: ExecutionStatus, kind: CommandKind
) -> None:
    if status in ACCEPTED.get(kind, "").split():
        check_accepts(status, kind)
    else:
        with pytest.raises(InvalidTransition, match=f"{status} execution .*{kind}"):
            check_accepts(status, kind)

"""Runs whose checkpoints hold objects, hostile rows, or what no checkpoint can hold."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from arranging import accept, change, eventually, register, select
from hostile_rows import hostile_rows
from living_runner import LivingRunner, living_runner

from wtb_async.application.executions.views import ExecutionView
from wtb_async.application.runs.reap_lost_runners import reap_lost_runners
from wtb_async.bootstrap.platform import Platform
from wtb_async.domain.execution import ENDED, ExecutionStatus
from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.checkpoints.display_reader import DisplayReader
from wtb_async.infrastructure.checkpoints.history import CheckpointHistory
from wtb_async.infrastructure.postgres.queries.executions import ExecutionQueries
from wtb_async.settings import Settings


@pytest.fixture
async def workflow(platform: Platform) -> Workflow:
    return await register(platform.database.unit_of_work, "library")


@pytest.fixture
async def runner(settings: Settings, workflow: Workflow) -> AsyncIterator[LivingRunner]:
    del workflow
    async with living_runner(settings) as living:
        yield living


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    return tmp_path / "gate"


@pytest.fixture
def open_gate(gate: Path) -> Path:
    gate.touch()
    return gate


async def submit(platform: Platform, workflow: Workflow, gate: Path, do: str = "") -> UUID:
    given = {"do": do, "gate": str(gate)}
    plan = await accept(platform.database.unit_of_work, workflow, input_=given)
    return plan.executions[0].execution_id


async def ended(platform: Platform, execution_id: UUID) -> ExecutionView:
    async def there() -> ExecutionView | None:
        found = await ExecutionQueries(platform.database.engine).get(execution_id)
        return found if found.status in ENDED else None

    found = await eventually(there)
    assert found is not None
    return found


async def die_at_the_gate(platform: Platform, runner: LivingRunner) -> None:
    """End the runner while a node of the subgraph waits."""

    async def waits() -> object:
        return await select(
            platform.database,
            "SELECT 1 FROM checkpoints WHERE checkpoint_ns <> '' AND metadata ->> 'step' = '1'",
        )

    await eventually(waits)
    await runner.die()


async def take_over(platform: Platform, gate: Path) -> None:
    """Give the runs of the dead runner to whoever comes next, who finds the gate open."""
    await asyncio.to_thread(gate.touch)
    await reap_lost_runners(platform.database.unit_of_work, lease_seconds=0)


async def test_objects_survive_a_takeover_with_their_own_class(
    platform: Platform, settings: Settings, workflow: Workflow, runner: LivingRunner, gate: Path
) -> None:
    execution_id = await submit(platform, workflow, gate)
    await die_at_the_gate(platform, runner)
    await take_over(platform, gate)
    async with living_runner(settings, "runner-2"):
        execution = await ended(platform, execution_id)
    assert isinstance(execution.output, dict), execution.error
    assert execution.output["kinds"] == ["Page", "Genre", "Place", "Book", "Page"]
    assert execution.attempt == 2


SPOIL_BLOBS = "UPDATE checkpoint_blobs SET type = :kind, blob = :content WHERE channel = 'books'"
SPOIL_WRITES = """
INSERT INTO checkpoint_writes
    (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, blob, task_path)
SELECT thread_id, '', max(checkpoint_id), 'x', 0, 'books', :kind, :content, ''
FROM checkpoints WHERE checkpoint_ns = '' GROUP BY thread_id
"""


@pytest.mark.parametrize("spoil", [SPOIL_BLOBS, SPOIL_WRITES], ids=["blobs", "writes"])
@pytest.mark.parametrize("attempt", ["a call with one argument", "a Pydantic", "a pickle", "JSON"])
async def test_a_hostile_row_fails_its_run_and_executes_nothing(
    platform: Platform,
    settings: Settings,
    workflow: Workflow,
    runner: LivingRunner,
    gate: Path,
    attempt: str,
    spoil: str,
) -> None:
    mark = gate.with_name("mark")
    execution_id = await submit(platform, workflow, gate)
    await die_at_the_gate(platform, runner)
    kind, content = hostile_rows(mark)[attempt]
    await change(platform.database, spoil, kind=kind, content=content)
    await take_over(platform, gate)
    async with living_runner(settings, "runner-2"):
        neighbour = await submit(platform, workflow, gate)
        execution = await ended(platform, execution_id)
        assert (await ended(platform, neighbour)).status is ExecutionStatus.COMPLETED
    assert execution.status is ExecutionStatus.FAILED
    assert execution.error is not None
    assert execution.error["type"] == "UntrustedCheckpoint", execution.error
    assert not mark.exists()


@pytest.mark.parametrize(
    "attempt", ["a call with one argument", "a pickle", "JSON", "a call in a Send"]
)
@pytest.mark.parametrize(
    "channel", ["__pregel_tasks", "branch:to:read", "join:acquire+read:describe", "__start__"]
)
async def test_a_timeline_with_hostile_rows_is_shown_and_executes_nothing(
    platform: Platform,
    workflow: Workflow,
    runner: LivingRunner,
    open_gate: Path,
    attempt: str,
    channel: str,
) -> None:
    del runner
    mark = open_gate.with_name("mark")
    execution = await ended(platform, await submit(platform, workflow, open_gate))
    kind, content = hostile_rows(mark)[attempt]
    thread = str(execution.thread_id)
    rows = {"kind": kind, "content": content, "thread": thread, "channel": channel}
    await change(platform.database, _ADD_VERSION, thread=thread, channel=channel)
    await change(platform.database, _ADD_BLOB, **rows)
    await change(platform.database, _ADD_QUESTION, kind=kind, content=content, thread=thread)
    page = await CheckpointHistory(platform.database.engine, DisplayReader()).of_thread(
        execution.thread_id, limit=200
    )
    assert [view.checkpoint_id for view in page.items]
    assert all(view.interrupts for view in page.items)
    assert not mark.exists()


_ADD_VERSION = """
UPDATE checkpoints
SET checkpoint = jsonb_set(checkpoint, ARRAY['channel_versions', :channel], '"9"')
WHERE thread_id = :thread AND checkpoint_ns = ''
"""
_ADD_BLOB = """
INSERT INTO checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
VALUES (:thread, '', :channel, '9', :kind, :content)
"""
_ADD_QUESTION = """
INSERT INTO checkpoint_writes
    (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, blob, task_path)
SELECT thread_id, '', checkpoint_id, 'x', 0, '__interrupt__', :kind, :content, ''
FROM checkpoints WHERE thread_id = :thread AND checkpoint_ns = ''
"""


@pytest.mark.usefixtures("runner")
@pytest.mark.parametrize(
    ("do", "message"),
    [
        ("nul", "any: the text holds a NUL byte"),
        ("surrogate", "any: the text holds a lone surrogate"),
        ("nan", "any: nan is not a JSON number"),
        ("infinity", "any: inf is not a JSON number"),
        ("huge", "any: the number takes more than 64 bits"),
        ("ask", "interrupt.which: the text holds a NUL byte"),
    ],
)
async def test_what_cannot_be_stored_fails_its_node_and_names_the_key(
    platform: Platform, workflow: Workflow, open_gate: Path, do: str, message: str
) -> None:
    neighbours = [await submit(platform, workflow, open_gate) for _ in range(5)]
    execution = await ended(platform, await submit(platform, workflow, open_gate, do))
    assert execution.error == {"type": "NotStorable", "message": message, "node": "acquire"}
    for neighbour in neighbours:
        assert (await ended(platform, neighbour)).status is ExecutionStatus.COMPLETED
    [boundary] = await select(
        platform.database,
        "SELECT status, error ->> 'message' AS message FROM wtb_node_boundaries "
        "WHERE thread_id = :thread",
        thread=execution.thread_id,
    )
    assert (boundary["status"], boundary["message"]) == ("failed", message)


@pytest.mark.usefixtures("runner")
async def test_a_value_of_no_known_type_fails_its_run_and_names_the_key(
    platform: Platform, workflow: Workflow, gate: Path
) -> None:
    execution = await ended(platform, await submit(platform, workflow, gate, "unknown"))
    assert execution.error is not None
    assert execution.error["type"] == "NotStorable"
    assert str(execution.error["message"]).startswith("any: ")


@pytest.mark.usefixtures("runner")
async def test_nodes_may_pass_on_what_only_nested_values_may_hold(
    platform: Platform, workflow: Workflow, open_gate: Path
) -> None:
    execution = await ended(platform, await submit(platform, workflow, open_gate, "nested"))
    assert execution.status is ExecutionStatus.COMPLETED, execution.error


@pytest.mark.usefixtures("runner")
@pytest.mark.parametrize(
    ("do", "kind", "message"),
    [
        ("fail", "ValueError", "a\\x00b\\ud800"),
        ("fall silent", "Silent", "its message could not be read: RuntimeError"),
    ],
)
async def test_an_error_that_cannot_be_stored_is_told_as_well_as_it_can_be(
    platform: Platform, workflow: Workflow, gate: Path, do: str, kind: str, message: str
) -> None:
    execution = await ended(platform, await submit(platform, workflow, gate, do))
    assert execution.error == {"type": kind, "message": message, "node": "acquire"}

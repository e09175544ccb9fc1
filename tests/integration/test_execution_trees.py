"""Trees: every checkpoint once, every fork and branch at the checkpoint where it left."""

import json
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from api_fixtures import ServedApi
from arranging import API_KEY
from called_commands import run_wtb
from served_api import Caller
from standing import standing
from stock_runs import run

from wtb_async.domain.workflow import Workflow
from wtb_async.infrastructure.postgres.database import Database
from wtb_async.sdk.client import WTBClient


@pytest.fixture
async def client(api: ServedApi) -> AsyncIterator[WTBClient]:
    async with WTBClient(api.url, api_key=API_KEY) as opened:
        yield opened


@pytest.fixture
async def root(api: ServedApi, caller: Caller, letters: Workflow, served: Database) -> UUID:
    """A completed execution with four checkpoints."""
    path = await run(api, caller, letters)
    await standing(served, path, "completed")
    return UUID(path.rpartition("/")[2])


async def test_forks_and_branches_are_found_where_they_left(client: WTBClient, root: UUID) -> None:
    lived = [each.id async for each in client.executions.checkpoints(root)][::-1]
    branch = await client.executions.branch(root, lived[2], start=False)
    twig = await client.executions.branch(branch.id, lived[1], start=False)
    await client.executions.roll_back(root, checkpoint_id=lived[1])

    tree = await client.executions.tree(root)
    first, fork = tree.timelines
    assert [each.id for each in first.checkpoints] == lived
    assert (first.forked_from, first.is_current) == (None, False)
    assert (fork.forked_from, fork.is_current, fork.checkpoints) == (lived[1], True, ())
    [left] = tree.branches
    assert (left.execution.id, left.begins_at) == (branch.id, lived[2])
    assert [each.forked_from for each in left.timelines] == [lived[2]]
    assert [(each.execution.id, each.begins_at) for each in left.branches] == [(twig.id, lived[1])]


async def test_the_command_line_draws_the_tree(
    api: ServedApi, client: WTBClient, root: UUID
) -> None:
    lived = [each.id async for each in client.executions.checkpoints(root)][::-1]
    branch = await client.executions.branch(root, lived[2], start=False)
    rolled_back = await client.executions.roll_back(root, checkpoint_id=lived[1])

    drawn = await run_wtb(api, "executions", "tree", root)
    assert drawn.code == 0, drawn.err
    lines = drawn.out.splitlines()
    order = [str(root), lived[1], str(rolled_back.thread_id), lived[2], str(branch.id), lived[3]]
    places = [next(n for n, line in enumerate(lines) if each in line) for each in order]
    assert places == sorted(places)
    assert lines[places[2]].endswith("(current)")
    told = await run_wtb(api, "executions", "tree", root, "--json")
    assert json.loads(told.out) == (await client.executions.tree(root)).model_dump(mode="json")
